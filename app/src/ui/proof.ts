/**
 * The proof on the first screen: the same frames merged plainly and without ghosts, one over the other, with a divider
 * between them. It moves by itself once, slowly, and then follows the pointer and the keys.
 */
import './proof.css';
import { say, words } from '../words/index.ts';
import { byId } from './dom.ts';

/** Where the divider goes by itself: milliseconds, per cent. What moves longer than 5 s needs a button to stop it. */
const WAY: readonly (readonly [number, number])[] = [
  [0, 50],
  [600, 50],
  [2300, 92],
  [4000, 18],
  [4900, 50],
];
/** Per cent by which a key moves it. */
const STEP = 2;
const PAGE = 10;

/** Where the divider is at a time, moving without a jolt between two points of its way. */
export function wayAt(time: number): number {
  const next = WAY.findIndex(([at]) => at > time);
  if (next < 0) return WAY.at(-1)![1];
  if (next === 0) return WAY[0][1];
  const [[t0, from], [t1, to]] = [WAY[next - 1], WAY[next]];
  return from + (to - from) * (0.5 - 0.5 * Math.cos((Math.PI * (time - t0)) / (t1 - t0)));
}

/** Where a key moves the divider, in per cent; undefined for other keys. */
export function keyedTo(key: string, at: number): number | undefined {
  const to = {
    ArrowLeft: at - STEP,
    ArrowDown: at - STEP,
    ArrowRight: at + STEP,
    ArrowUp: at + STEP,
    PageDown: at - PAGE,
    PageUp: at + PAGE,
    Home: 0,
    End: 100,
  }[key];
  return to === undefined ? undefined : Math.min(100, Math.max(0, to));
}

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
      if (now - started < WAY.at(-1)![0]) requestAnimationFrame(step);
      else this.#moves = false;
    };
    requestAnimationFrame(step);
  }
}
