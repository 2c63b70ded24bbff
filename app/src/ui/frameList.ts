/**
 * The list of frames: thumbnails in exposure order, each with its exposure, the choice of the reference, and a button
 * to remove it. A file that cannot be used keeps its row with the reason, until it is dismissed.
 */
import type { Exposed } from '../exposures.ts';
import { MAX_EV, formatEv, inOrder } from '../exposures.ts';
import type { FrameInfo } from '../messages.ts';
import { say, words } from '../words/index.ts';
import { byId, make } from './dom.ts';

export interface FrameRow extends Exposed {
  state: 'loading' | 'ready' | 'failed';
  file: Blob;
  /** Why it failed. */
  problem: string;
  width: number;
  height: number;
  bits: number;
  clipped: FrameInfo['clipped'];
  /** Address of the preview. */
  preview: string;
}

/** Characters of a name's end that are always shown. */
const TAIL = 10;
/** Names up to this length are not split. They are cut at their end if there is no room. */
const WHOLE = 20;

export interface FrameListEvents {
  /** @param text as typed: empty for what the file says. */
  onEv(id: number, text: string): void;
  onReference(id: number): void;
  onRemove(id: number): void;
}

export class FrameList {
  readonly #list = byId('frames', HTMLOListElement);
  readonly #events: FrameListEvents;
  readonly #items = new Map<number, HTMLLIElement>();

  constructor(events: FrameListEvents) {
    this.#events = events;
  }

  /** Brings the list up to date. @param reference the reference frame's id. */
  update(rows: readonly FrameRow[], reference: number | undefined, busy: boolean): void {
    const ready = inOrder(rows.filter(({ state }) => state === 'ready'));
    // What went wrong comes first, where it is seen; what is still being read comes last.
    const failed = rows.filter(({ state }) => state === 'failed');
    const loading = rows.filter(({ state }) => state === 'loading');
    const zero = rows.find(({ id }) => id === reference)?.ev;
    const wanted = [...failed, ...ready, ...loading];
    for (const [id, item] of this.#items) {
      if (wanted.some((row) => row.id === id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    const focused = document.activeElement;
    wanted.forEach((row, i) => {
      let item = this.#items.get(row.id);
      if (!item || item.dataset.state !== row.state || item.dataset.preview !== row.preview) {
        const made = this.#make(row);
        item?.replaceWith(made);
        item = made;
        this.#items.set(row.id, item);
      }
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null);
      if (row.state === 'ready') this.#fill(item, row, reference, zero, busy);
    });
    // Moving an element removes its focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#list.contains(focused))
      focused.focus();
  }

  #make(row: FrameRow): HTMLLIElement {
    const item = make('li', { className: `frame ${row.state}` });
    item.dataset.state = row.state;
    item.dataset.preview = row.preview;
    const remove = make('button', {
      type: 'button',
      className: 'icon remove',
      textContent: '×',
      onclick: () => this.#events.onRemove(row.id),
    });
    say(remove, () => words.frames[row.state === 'failed' ? 'dismiss' : 'remove'](row.name), 'aria-label');
    // Names of a bracket differ at their end: too long ones are cut in the middle.
    const parts = row.name.length > WHOLE ? [row.name.slice(0, -TAIL), row.name.slice(-TAIL)] : [row.name];
    const name = make(
      'p',
      { className: 'name', title: row.name },
      ...parts.map((textContent) => make('span', { textContent })),
    );
    if (row.state === 'loading') {
      item.append(
        make('span', { className: 'thumb waiting' }),
        name,
        say(make('p', { className: 'meta' }), () => words.frames.reading),
        remove,
      );
      return item;
    }
    if (row.state === 'failed') {
      const why = make('p', { className: 'problem', textContent: row.problem });
      why.setAttribute('role', 'alert');
      item.append(make('span', { className: 'thumb broken', textContent: '!' }), name, why, remove);
      return item;
    }
    const thumb = make('img', { className: 'thumb', src: row.preview, alt: '', width: row.width, height: row.height });
    const ev = make('input', {
      type: 'text',
      inputMode: 'text',
      className: 'ev',
      id: `ev-${row.id}`,
      oninput: () => (ev.dataset.typing = ''),
      onchange: () => {
        delete ev.dataset.typing;
        this.#events.onEv(row.id, ev.value);
      },
    });
    const choice = make('input', {
      type: 'radio',
      name: 'reference',
      value: String(row.id),
      onchange: () => this.#events.onReference(row.id),
    });
    say(choice, () => words.frames.referenceOf(row.name), 'aria-label');
    say(ev, () => words.frames.evOf(row.name), 'aria-label');
    const bits = () => (row.bits === 32 ? words.frames.float : words.frames.bits(row.bits));
    const meta = say(make('p', { className: 'meta' }), () => `${row.width} × ${row.height}, ${bits()}`);
    item.append(
      thumb,
      name,
      meta,
      make('p', { className: 'problem ev-problem', id: `ev-problem-${row.id}`, hidden: true }),
      make('label', { className: 'ev-field' }, ev, make('span', { textContent: 'EV' })),
      make(
        'label',
        { className: 'reference' },
        choice,
        say(make('span'), () => words.frames.reference),
      ),
      remove,
    );
    return item;
  }

  #fill(
    item: HTMLLIElement,
    row: FrameRow,
    reference: number | undefined,
    zero: number | undefined,
    busy: boolean,
  ): void {
    const isReference = row.id === reference;
    item.classList.toggle('chosen', isReference);
    const [ev] = item.getElementsByClassName('ev') as HTMLCollectionOf<HTMLInputElement>;
    const choice = item.querySelector<HTMLInputElement>('input[type=radio]');
    const remove = item.querySelector<HTMLButtonElement>('.remove');
    const known = row.ev === undefined ? '' : formatEv(row.ev - (zero ?? 0)).replace('+', '');
    const text = row.unread ?? known;
    // Not while it is being typed, whatever else happens meanwhile.
    if (ev.value !== text && ev.dataset.typing === undefined) ev.value = text;
    const problem = item.querySelector<HTMLElement>('.ev-problem')!;
    problem.hidden = row.unread === undefined;
    problem.textContent = row.unread === undefined ? '' : words.frames.noEv(row.unread, MAX_EV);
    ev.setAttribute('aria-invalid', String(row.unread !== undefined));
    if (row.unread === undefined) ev.removeAttribute('aria-describedby');
    else ev.setAttribute('aria-describedby', problem.id);
    // The other exposures count from the reference.
    ev.readOnly = isReference && row.ev !== undefined;
    ev.disabled = busy;
    ev.classList.toggle('missing', row.ev === undefined || row.unread !== undefined);
    if (choice) {
      choice.checked = isReference;
      choice.disabled = busy;
    }
    if (remove) remove.disabled = busy;
  }
}
