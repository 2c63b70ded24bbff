/**
 * The proof on the first screen: the same frames merged plainly and without ghosts, one over the other, with a divider
 * between them. It moves by itself once, slowly, and then follows the pointer and the keys.
 */
import './proof.css';
import { say, words } from '../words/index.ts';
import { byId } from './dom.ts';
import { WAY_TIME, keyedTo, wayAt } from './proofDivider.ts';

export class Proof {
  readonly #root = byId('proof', HTMLDivElement);
  readonly #slider = byId('proof-divider', HTMLDivElement);
  #at = 50;
  /** Whether it still moves by itself. */
  #moves = true;

  constructor() {
    this.#root.addEventListener('pointermove', (event) => this.#follow(event));
    this.#root.addEventListener('pointerdown', (event) => this.#follow(event));
    this.#slider.addEventListener('focus', () => (this.#moves = false));
    this.#slider.addEventListener('keydown', (event) => {
      const to = event.altKey || event.ctrlKey || event.metaKey ? undefined : keyedTo(event.key, this.#at);
      if (to === undefined) return;
      event.preventDefault();
      this.#set(to);
    });
    this.#place(this.#at);
    this.#say();
    void this.#begin();
  }

  #follow(event: PointerEvent): void {
    const { left, width } = this.#root.getBoundingClientRect();
    if (width > 0) this.#set(Math.min(100, Math.max(0, (100 * (event.clientX - left)) / width)));
  }

  #set(at: number): void {
    this.#moves = false;
    this.#place(at);
    this.#say();
  }

  #place(at: number): void {
    this.#at = at;
    this.#root.style.setProperty('--at', `${at}%`);
  }

  #say(): void {
    const percent = Math.round(this.#at);
    this.#slider.setAttribute('aria-valuenow', String(percent));
    say(this.#slider, () => words.welcome.dividerAt(percent), 'aria-valuetext');
  }

  /** Moves once, when both pictures are there and seen. */
  async #begin(): Promise<void> {
    await Promise.all([...this.#root.querySelectorAll('img')].map((image) => image.decode().catch(() => undefined)));
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.#moves = false;
    let started: number | undefined;
    const step = (now: number): void => {
      if (!this.#moves) return;
      started ??= now;
      this.#place(wayAt(now - started));
      if (now - started < WAY_TIME) requestAnimationFrame(step);
      else this.#moves = false;
    };
    requestAnimationFrame(step);
  }
}
