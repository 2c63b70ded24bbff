/**
 * The loupe: a thing that moves as it was in each frame. Choosing a frame shows its moment of the thing.
 */
import type { ThingSeen, ToWorker } from '../messages.ts';
import { onLanguage, words } from '../words/index.ts';
import { announce, byId, make } from './dom.ts';
import './loupe.css';
import type { Stage } from './stage.ts';

/** Steps by which a thing's region may be made smaller and larger. */
const MOST_GROWN = 5;

export interface LoupeFrame {
  name: string;
  /** In EV to the reference. */
  ev: string;
}

export class Loupe {
  readonly #stage: Stage;
  readonly #send: (message: ToWorker) => void;
  readonly #panel = make('section', { id: 'loupe', hidden: true });
  readonly #frames = make('div', { className: 'crops' });
  readonly #smaller = make('button', { type: 'button' });
  readonly #larger = make('button', { type: 'button' });
  readonly #back = make('button', { type: 'button' });
  readonly #next = make('button', { type: 'button' });
  readonly #close = make('button', { type: 'button' });
  readonly #hint = make('p', { ariaHidden: 'true' });
  #names: readonly LoupeFrame[] = [];
  #thing: ThingSeen | undefined;
  #pictures: string[] = [];
  /** Whether the person asked by keyboard, who then goes on in the loupe. */
  #byKey = false;

  constructor(stage: Stage, send: (message: ToWorker) => void) {
    this.#stage = stage;
    this.#send = send;
    this.#frames.setAttribute('role', 'radiogroup');
    this.#panel.append(
      this.#frames,
      make('div', { className: 'row' }, this.#close, this.#smaller, this.#larger, this.#back, this.#next, this.#hint),
    );
    byId('stage', HTMLElement).append(this.#panel);
    stage.onPick = (at) => this.#look({ x: at.x, y: at.y }, false);
    stage.onStep = (step) => this.#look({ step }, true);
    this.#smaller.onclick = () => this.#grow(-1);
    this.#larger.onclick = () => this.#grow(1);
    this.#back.onclick = () => this.#look({ step: -1 }, true);
    this.#next.onclick = () => this.#look({ step: 1 }, true);
    this.#close.onclick = () => this.close(true);
    this.#panel.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#place()).observe(this.#panel);
    onLanguage(() => this.#word());
    this.#word();
  }

  /** The frames of the result, in exposure order. */
  setFrames(frames: readonly LoupeFrame[]): void {
    this.#names = frames;
    this.close();
  }

  /** Shows what was found where somebody looked. */
  show(thing: ThingSeen | undefined): void {
    if (!thing) {
      this.close();
      return this.#stage.tell(() => words.loupe.nothing);
    }
    this.#stage.tellNoMore();
    this.#free();
    this.#thing = thing;
    this.#pictures = thing.crops.map((crop) => URL.createObjectURL(crop));
    this.#frames.replaceChildren(...this.#pictures.map((url, k) => this.#crop(url, k)));
    this.#smaller.disabled = thing.grow <= -MOST_GROWN;
    this.#larger.disabled = thing.grow >= MOST_GROWN;
    this.#panel.hidden = false;
    this.#word();
    this.#place();
    this.#stage.setMark(thing);
    // In low windows it lies below what is seen. Elsewhere the stage stays in sight.
    if (getComputedStyle(byId('stage', HTMLElement)).position !== 'sticky')
      this.#panel.scrollIntoView({ block: 'nearest' });
    if (this.#byKey) this.#buttons()[thing.shown ?? 0]?.focus({ preventScroll: true });
    announce(words.loupe.found);
  }

  /** The picture is seen above it. */
  #place(): void {
    if (!this.#panel.hidden) byId('view', HTMLDivElement).style.bottom = `${this.#panel.offsetHeight}px`;
  }

  /** @param back whether the focus goes back to the picture. */
  close(back = false): void {
    if (this.#panel.hidden) return;
    this.#free();
    this.#panel.hidden = true;
    byId('view', HTMLDivElement).style.bottom = '';
    this.#stage.setMark(undefined);
    if (back) byId('view', HTMLDivElement).focus({ preventScroll: true });
  }

  #crop(url: string, frame: number): HTMLButtonElement {
    const { name, ev } = this.#names[frame] ?? { name: '', ev: '' };
    const image = make('img', { src: url, alt: '' });
    const button = make(
      'button',
      { type: 'button' },
      image,
      make('span', { className: 'name', textContent: name }),
      make('span', { className: 'ev', textContent: `${ev} EV` }),
    );
    button.setAttribute('role', 'radio');
    button.onclick = () => this.#choose(frame);
    this.#checked(button, frame === this.#thing?.shown);
    return button;
  }

  #checked(button: HTMLButtonElement, is: boolean): void {
    button.setAttribute('aria-checked', String(is));
  }

  #choose(frame: number): void {
    if (!this.#thing) return;
    this.#thing.shown = frame;
    this.#buttons().forEach((button, k) => this.#checked(button, k === frame));
    this.#send({ type: 'moment', frame });
    announce(words.loupe.shows(this.#names[frame]?.name ?? ''));
  }

  #grow(by: 1 | -1): void {
    if (!this.#thing) return;
    // Where it was looked at.
    this.#send({ type: 'look', at: 'same', grow: this.#thing.grow + by });
  }

  #look(at: { x: number; y: number } | { step: 1 | -1 }, byKey: boolean): void {
    this.#byKey = byKey;
    this.#send({ type: 'look', at, grow: 0 });
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.close(true);
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const buttons = this.#buttons();
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      if (at < 0) return;
      buttons[(at + (event.key === 'ArrowLeft' ? buttons.length - 1 : 1)) % buttons.length].focus();
    } else return;
    event.preventDefault();
  }

  #buttons(): HTMLButtonElement[] {
    return [...this.#frames.querySelectorAll('button')];
  }

  #word(): void {
    const { loupe } = words;
    this.#panel.setAttribute('aria-label', loupe.title);
    this.#frames.setAttribute('aria-label', loupe.title);
    this.#smaller.textContent = loupe.smaller;
    this.#larger.textContent = loupe.larger;
    this.#back.textContent = loupe.back;
    this.#next.textContent = loupe.next;
    this.#close.textContent = loupe.close;
    this.#hint.textContent = loupe.hint;
  }

  #free(): void {
    for (const url of this.#pictures.splice(0)) URL.revokeObjectURL(url);
    this.#thing = undefined;
  }
}
