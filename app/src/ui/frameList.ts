/**
 * The list of frames: thumbnails in exposure order, each with its exposure, the choice of the reference, and a button
 * to remove it. A file that cannot be used keeps its row with the reason, until it is dismissed.
 */
import type { Exposed } from '../exposures.ts';
import { MAX_EV, evText, formatEv, inOrder } from '../exposures.ts';
import type { AlignedFrame, FrameInfo } from '../messages.ts';
import { shotText } from '../shotText.ts';
import { say, words } from '../words/index.ts';
import { alignedText } from './alignedText.ts';
import { byId, make } from './dom.ts';
import { Lightbox } from './lightbox.ts';

export interface FrameRow extends Exposed {
  state: 'loading' | 'ready' | 'failed';
  file: Blob;
  /** Whether a first look said how it was taken, before it is decoded. */
  seen: boolean;
  /** Why it failed. */
  problem: string;
  width: number;
  height: number;
  bits: number;
  clipped: FrameInfo['clipped'];
  /** Address of the preview; empty if there is none. */
  preview: string;
}

/** Characters of a name's end that are always shown. */
const TAIL = 10;
/** Names up to this length are not split. They are cut at their end if there is no room. */
const WHOLE = 16;

/** What the rows show besides the frames. */
export interface FrameListState {
  /** The reference frame's id. */
  reference: number | undefined;
  /** Why that frame is it. */
  why: 'middle' | 'most' | 'chosen';
  /** How the frames of the result that is shown were aligned. */
  aligned: readonly AlignedFrame[];
  busy: boolean;
}

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
  readonly #lightbox = new Lightbox();
  /** In the order of the list. */
  #shown: readonly FrameRow[] = [];

  constructor(events: FrameListEvents) {
    this.#events = events;
  }

  /** Brings the list up to date. */
  update(rows: readonly FrameRow[], state: FrameListState): void {
    const known = inOrder(rows.filter((row) => row.state === 'ready' || (row.state === 'loading' && row.seen)));
    // What went wrong comes first, where it is seen; what nothing is known of yet comes last.
    const failed = rows.filter((row) => row.state === 'failed');
    const unseen = rows.filter((row) => row.state === 'loading' && !row.seen);
    const zero = rows.find(({ id }) => id === state.reference)?.ev;
    const wanted = [...failed, ...known, ...unseen];
    this.#shown = known;
    for (const [id, item] of this.#items) {
      if (wanted.some((row) => row.id === id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    const focused = document.activeElement;
    wanted.forEach((row, i) => {
      let item = this.#items.get(row.id);
      const look = `${row.state} ${row.seen} ${row.preview}`;
      if (!item || item.dataset.look !== look) {
        const made = this.#make(row);
        made.dataset.look = look;
        item?.replaceWith(made);
        item = made;
        this.#items.set(row.id, item);
      }
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null);
      if (row.state === 'ready') this.#fill(item, row, zero, state);
      else if (row.state === 'loading' && row.seen) this.#fillSeen(item, row, zero);
    });
    // Moving an element removes its focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#list.contains(focused))
      focused.focus();
  }

  #make(row: FrameRow): HTMLLIElement {
    const item = make('li', { className: `frame ${row.state}` });
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
    const taken = say(make('p', { className: 'taken' }), () => shotText(row.exif));
    if (row.state === 'loading') {
      item.append(
        row.preview ? this.#thumb(row) : make('span', { className: 'thumb waiting' }),
        name,
        taken,
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
      this.#thumb(row),
      name,
      taken,
      meta,
      make('p', { className: 'facts' }),
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

  #thumb({ id, name, preview, width, height }: FrameRow): HTMLButtonElement {
    const image = make('img', { className: 'thumb', src: preview, alt: '' });
    if (width > 0) Object.assign(image, { width, height });
    const thumb = make('button', { type: 'button', className: 'enlarge', onclick: () => this.#enlarge(id) }, image);
    return say(thumb, () => words.frames.enlarge(name), 'aria-label');
  }

  #enlarge(id: number): void {
    const pictures = this.#shown.filter(({ preview }) => preview !== '');
    this.#lightbox.show(
      pictures.map(({ name, preview, exif }) => ({ name, src: preview, caption: shotText(exif) })),
      pictures.findIndex((row) => row.id === id),
    );
  }

  #fillSeen(item: HTMLLIElement, row: FrameRow, zero: number | undefined): void {
    const known = row.ev === undefined || zero === undefined ? undefined : row.ev - zero;
    const ev = () => (known === undefined ? '' : `${evText(known)} EV. `);
    say(item.querySelector('.meta')!, () => ev() + words.frames.reading);
  }

  #fill(
    item: HTMLLIElement,
    row: FrameRow,
    zero: number | undefined,
    { reference, why, aligned, busy }: FrameListState,
  ): void {
    const isReference = row.id === reference;
    const alignment = aligned.find(({ id }) => id === row.id);
    const facts = () => (isReference ? words.frames.referenceAs[why] : alignment ? alignedText(alignment) : '');
    say(item.querySelector('.facts')!, facts);
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
