/** A frame's picture, large: in a dialog that Esc closes, and in which arrow keys go on to the next. */
import './lightbox.css';
import { say, words } from '../words/index.ts';
import { make } from './dom.ts';

export interface LightboxPicture {
  name: string;
  /** Address. */
  src: string;
  caption: string;
}

export class Lightbox {
  readonly #image = make('img', {});
  readonly #name = make('strong', { id: 'lightbox-name' });
  readonly #caption = make('span', { className: 'caption' });
  readonly #place = make('span', { className: 'place' });
  readonly #previous = this.#button('‹', 'previous', () => this.#go(-1));
  readonly #next = this.#button('›', 'next', () => this.#go(1));
  readonly #close = this.#button('×', 'close', () => this.#dialog.close());
  readonly #dialog = make('dialog', { className: 'lightbox' });
  #pictures: readonly LightboxPicture[] = [];
  #at = 0;

  constructor() {
    const dialog = this.#dialog;
    const text = make('p', {}, this.#name, this.#caption, this.#place);
    text.setAttribute('aria-live', 'polite');
    dialog.setAttribute('aria-labelledby', 'lightbox-name');
    dialog.append(
      make('div', { className: 'picture' }, this.#previous, this.#image, this.#next),
      make('div', { className: 'foot' }, text, this.#close),
    );
    dialog.onclick = ({ target }) => target === dialog && dialog.close();
    dialog.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#go(by);
    };
    dialog.onclose = () => dialog.remove();
  }

  /** @param at the picture to begin with. */
  show(pictures: readonly LightboxPicture[], at: number): void {
    if (!pictures[at]) return;
    this.#pictures = pictures;
    this.#at = at;
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#go(0);
  }

  #go(by: number): void {
    const count = this.#pictures.length;
    this.#at = Math.min(count - 1, Math.max(0, this.#at + by));
    const { name, src, caption } = this.#pictures[this.#at];
    Object.assign(this.#image, { src, alt: name });
    this.#name.textContent = name;
    this.#caption.textContent = caption;
    this.#place.textContent = count > 1 ? words.frames.place(this.#at + 1, count) : '';
    this.#previous.disabled = this.#at === 0;
    this.#next.disabled = this.#at === count - 1;
    // A disabled button takes no keys.
    if (document.activeElement?.matches('button:disabled')) this.#close.focus();
  }

  #button(text: string, word: 'previous' | 'next' | 'close', onclick: () => void): HTMLButtonElement {
    const button = make('button', { type: 'button', className: 'icon', textContent: text, onclick });
    return say(button, () => words.frames[word], 'aria-label');
  }
}
