/** A bracket in the strip above the stage: a thumbnail, how many frames it has, and what became of it. */
import { make } from '../ui/dom.ts';
import { say, words } from '../words/index.ts';

export type TabState = keyof typeof words.bracket.states;

export class Tab {
  readonly element: HTMLButtonElement;
  readonly #state = make('span', { className: 'state' });
  #thumb: HTMLElement = make('span', { className: 'thumb waiting' });

  /** @param title names it, in words. */
  constructor(frames: number, title: () => string, onOpen: () => void) {
    const count = say(make('span'), () => words.bracket.frames(frames));
    const what = say(make('span', { className: 'visually-hidden' }), () => words.bracket.open(title()));
    this.element = make('button', { type: 'button', onclick: onOpen }, what, this.#thumb, count, this.#state);
    say(this.element, title, 'title');
  }

  setThumbnail(thumb: HTMLElement): void {
    this.#thumb.replaceWith(thumb);
    this.#thumb = thumb;
  }

  /** @param state what became of it; undefined if nothing did. */
  update(state: TabState | undefined, isOpen: boolean, isBusy: boolean): void {
    this.element.disabled = isBusy;
    this.element.dataset.state = state ?? '';
    if (isOpen) this.element.setAttribute('aria-current', 'true');
    else this.element.removeAttribute('aria-current');
    say(this.#state, () => (state ? words.bracket.states[state] : ''));
  }
}
