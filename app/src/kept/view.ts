/** What the person sees of what is kept: a bar on the landing, a switch, and frames that wait for a permission. */
import './style.css';
import { byId, make } from '../ui/dom.ts';
import { words } from '../words/index.ts';
import type { Session } from './session.ts';

export interface KeptViewEvents {
  onContinue(session: Session): void;
  onForget(session: Session): void;
  onOpenAgain(): void;
  onSwitch(isOn: boolean): void;
}

export class KeptView {
  readonly #events: KeptViewEvents;
  readonly #bar = make('section', { id: 'kept', hidden: true });
  readonly #missing = make('div', { className: 'kept-missing', hidden: true });

  constructor(events: KeptViewEvents, isOn: boolean) {
    this.#events = events;
    this.#bar.setAttribute('aria-labelledby', 'kept-title');
    byId('welcome', HTMLElement).before(this.#bar);
    byId('frames-notes', HTMLDivElement).before(this.#missing);
    const box = make('input', { type: 'checkbox', id: 'keep', checked: isOn });
    box.onchange = () => events.onSwitch(box.checked);
    byId('clear', HTMLButtonElement).before(
      make('label', { className: 'check spaced' }, box, ' ', make('span', { textContent: words.kept.keep })),
      make('p', { className: 'note kept-note', textContent: words.kept.note }),
    );
  }

  /** Offers a session on the landing, or none. */
  offer(session: Session | undefined): void {
    this.#bar.hidden = session === undefined;
    if (!session) return this.#bar.replaceChildren();
    const { name, frames, picture, thumbnail } = session;
    const image = thumbnail ? [make('img', { src: URL.createObjectURL(thumbnail), alt: '' })] : [];
    for (const one of image) one.onload = () => URL.revokeObjectURL(one.src);
    const forget = (): void => this.#events.onForget(session);
    this.#bar.replaceChildren(
      ...image,
      make(
        'div',
        {},
        make('h2', { id: 'kept-title', textContent: words.kept.title(name) }),
        make('p', { textContent: words.kept.about(frames.length, picture !== undefined) }),
      ),
      make('button', {
        type: 'button',
        className: 'primary',
        textContent: words.kept.goOn,
        onclick: () => this.#events.onContinue(session),
      }),
      make('button', { type: 'button', textContent: words.kept.forget, onclick: forget }),
    );
  }

  /** Names frames that could not be opened. @param canAsk whether a permission is what they lack. */
  showMissing(names: readonly string[], canAsk: boolean): void {
    this.#missing.hidden = names.length === 0;
    const open = make('button', {
      type: 'button',
      textContent: words.kept.openAgain,
      onclick: () => this.#events.onOpenAgain(),
    });
    const text = canAsk ? words.kept.locked(names.join(', ')) : words.kept.gone(names.join(', '));
    this.#missing.replaceChildren(make('p', { className: 'note', textContent: text }), ...(canAsk ? [open] : []));
  }
}
