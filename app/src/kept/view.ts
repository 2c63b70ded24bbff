/** What the person sees of what is kept: a bar on the landing, a switch, and frames that wait for a permission. */
import './style.css';
import { byId, make } from '../ui/dom.ts';
import { say, words } from '../words/index.ts';
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
      make(
        'label',
        { className: 'check spaced' },
        box,
        ' ',
        say(make('span'), () => words.kept.keep),
      ),
      say(make('p', { className: 'note kept-note' }), () => words.kept.note),
    );
  }

  /** Offers a session on the landing, or none. */
  offer(session: Session | undefined): void {
    this.#bar.hidden = session === undefined;
    if (!session) return this.#bar.replaceChildren();
    const { name, frames, list, picture, thumbnail } = session;
    const image = thumbnail ? [make('img', { src: URL.createObjectURL(thumbnail), alt: '' })] : [];
    for (const one of image) one.onload = () => URL.revokeObjectURL(one.src);
    const goOn = make('button', {
      type: 'button',
      className: 'primary',
      onclick: () => this.#events.onContinue(session),
    });
    const forget = make('button', { type: 'button', onclick: () => this.#events.onForget(session) });
    this.#bar.replaceChildren(
      ...image,
      make(
        'div',
        {},
        say(make('h2', { id: 'kept-title' }), () => words.kept.title(name)),
        say(make('p'), () =>
          list ? words.kept.aboutList(list.files.length) : words.kept.about(frames.length, picture !== undefined),
        ),
      ),
      say(goOn, () => words.kept.goOn),
      say(forget, () => words.kept.forget),
    );
  }

  /** Names frames that could not be opened. @param canAsk whether a permission is what they lack. */
  showMissing(names: readonly string[], canAsk: boolean): void {
    this.#missing.hidden = names.length === 0;
    const open = make('button', { type: 'button', onclick: () => this.#events.onOpenAgain() });
    say(open, () => words.kept.openAgain);
    const why = say(make('p', { className: 'note' }), () => words.kept[canAsk ? 'locked' : 'gone'](names.join(', ')));
    this.#missing.replaceChildren(why, ...(canAsk ? [open] : []));
  }
}
