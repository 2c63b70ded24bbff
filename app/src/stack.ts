/** The frames of the stack that is open, as the page shows them: which there are, their exposures, the reference. */
import { middleFrame } from '../../src/image/frame.ts';
import { applyExif, inOrder, parseEv } from './exposures.ts';
import type { FrameToMerge, FromWorker, NamedFile, ToWorker } from './messages.ts';
import { announce, byId } from './ui/dom.ts';
import type { FrameRow } from './ui/frameList.ts';
import { dismiss, notify } from './ui/notices.ts';
import { fileProblem } from './words/failures.ts';
import { words } from './words/index.ts';

/** Of a file that is still being read. */
const NOTHING_CLIPPED = { encoded: { sampled: 1, burnt: 0, black: 0 }, linear: { sampled: 1, burnt: 0, black: 0 } };

export interface StackHost {
  send(message: ToWorker): void;
  /** Whether the worker has ended: nobody reads files. */
  hasEnded(): boolean;
  /** Whether a result is shown. */
  hasResult(): boolean;
  update(): void;
}

export class Stack {
  readonly #host: StackHost;
  #nextId = 1;
  rows: FrameRow[] = [];
  referenceId: number | undefined;
  /** Whether the person chose it; otherwise it is the middle exposure, or the one that shows most. */
  referenceChosen = false;

  constructor(host: StackHost) {
    this.#host = host;
  }

  get ready(): FrameRow[] {
    return this.rows.filter(({ state }) => state === 'ready');
  }

  /** Those whose files are read, and those of which a first look has said enough to list them in order. */
  get known(): FrameRow[] {
    return this.rows.filter(({ state, seen }) => state === 'ready' || (state === 'loading' && seen));
  }

  /** Adds files. @returns the ids of those that were not here yet, in the order given. */
  add(files: readonly NamedFile[]): number[] {
    const first = this.#nextId;
    const isHere = ({ name, file }: NamedFile): boolean =>
      this.rows.some(
        (row) => row.name === name && row.file.size === file.size && modified(row.file) === modified(file),
      );
    const twice = files.filter(isHere).map(({ name }) => name);
    if (twice.length > 0) notify('twice', () => words.notices.twice(twice[0], twice.length), 'info');
    else dismiss('twice');
    for (const { name, file } of files.filter((named) => !isHere(named))) this.#addOne(name, file);
    if (files.length > 0) byId('frames-section', HTMLDetailsElement).open = true;
    this.#host.update();
    if (files.length > 0) focusFrames();
    return this.rows.filter(({ id }) => id >= first).map(({ id }) => id);
  }

  #addOne(name: string, file: Blob): void {
    const id = this.#nextId++;
    this.rows.push({
      id,
      name,
      file,
      ...(this.#host.hasEnded()
        ? { state: 'failed', problem: words.merge.stopped }
        : { state: 'loading', problem: '' }),
      seen: false,
      exif: {},
      brightness: 0,
      ev: undefined,
      typed: false,
      estimated: false,
      width: 0,
      height: 0,
      bits: 8,
      clipped: NOTHING_CLIPPED,
      preview: '',
    });
    this.#host.send({ type: 'add', id, name, file });
  }

  /** Takes what the worker says of a file. */
  receive(message: Extract<FromWorker, { type: 'glimpse' | 'frame' | 'frameFailed' }>): void {
    const row = this.#row(message.id);
    if (!row) return;
    if (message.type === 'glimpse') {
      const { exif, preview } = message;
      if (row.state !== 'loading') return;
      Object.assign(row, { exif, seen: true, preview: preview ? URL.createObjectURL(preview) : '' });
      return;
    }
    if (row.preview) URL.revokeObjectURL(row.preview);
    if (message.type === 'frame') {
      const { preview, ...info } = message.frame;
      Object.assign(row, info, { state: 'ready', preview: URL.createObjectURL(preview) });
      return;
    }
    const problem = () => fileProblem(row.name, message.failure);
    Object.assign(row, { state: 'failed', problem: problem(), preview: '' });
    // Beside a result the list is below what is seen.
    if (this.#host.hasResult())
      notify('frame', () => ({ title: words.notices.unusable(row.name), text: problem() }), 'error');
  }

  /** The worker has ended: what is still being read never comes. */
  end(): void {
    for (const row of this.rows)
      if (row.state === 'loading') Object.assign(row, { state: 'failed', problem: words.merge.stopped });
  }

  remove(id: number): void {
    const row = this.#row(id);
    if (!row) return;
    if (row.state !== 'failed') this.#host.send({ type: 'remove', id });
    if (row.preview) URL.revokeObjectURL(row.preview);
    this.rows = this.rows.filter((row) => row.id !== id);
    if (this.referenceId === id) {
      this.referenceId = undefined;
      this.referenceChosen = false;
    }
    announce(words.frames.removed(row.name));
    this.#host.update();
    focusFrames();
  }

  clear(): void {
    for (const { id } of [...this.rows]) this.remove(id);
  }

  /** The person typed an exposure. @param text empty for what the file says. */
  setEv(id: number, text: string): void {
    const row = this.#row(id);
    if (!row) return;
    const reference = this.#row(this.referenceId);
    const relative = parseEv(text);
    row.unread = undefined;
    if (text.trim() === '') Object.assign(row, { ev: undefined, typed: false, estimated: false });
    else if (Number.isNaN(relative)) row.unread = text;
    else {
      const zero = reference?.ev ?? 0;
      if (reference && reference.ev === undefined && reference !== row)
        Object.assign(reference, { ev: zero, typed: true });
      Object.assign(row, { ev: zero + relative, typed: true, estimated: false });
      // The others count from it: it must not become another because the order changes.
      this.referenceChosen = reference !== undefined;
    }
    this.#host.update();
  }

  chooseReference(id: number): void {
    this.referenceId = id;
    this.referenceChosen = true;
  }

  /** Fills in what the files say of exposures. @returns why that cannot be used, if it is contradictory. */
  applyExif(): string | undefined {
    // What the files say of those that are still being decoded counts already.
    return applyExif(this.known);
  }

  /** Takes the frame that shows most, or the middle one where the person chose none. */
  settleReference(showsMost: number | undefined): void {
    const sorted = inOrder(this.known);
    if (showsMost === undefined && this.referenceChosen && sorted.some(({ id }) => id === this.referenceId)) return;
    this.referenceId = showsMost ?? sorted[middleFrame(sorted.length)]?.id;
    this.referenceChosen = false;
  }

  /** The frames of a merge, and the reference's place among them: in exposure order. */
  request(): { frames: FrameToMerge[]; reference: number } {
    const stack = inOrder(this.ready);
    const zero = stack[0].ev ?? 0;
    return {
      frames: stack.map(({ id, ev }) => ({ id, exposure: 2 ** ((ev ?? 0) - zero) })),
      reference: stack.findIndex(({ id }) => id === this.referenceId),
    };
  }

  #row(id: number | undefined): FrameRow | undefined {
    return this.rows.find((row) => row.id === id);
  }
}

/** When a file was changed; undefined for the example. */
function modified(file: Blob): number | undefined {
  return 'lastModified' in file ? (file as File).lastModified : undefined;
}

function focusFrames(): void {
  byId('frames-section', HTMLDetailsElement).querySelector('summary')?.focus({ preventScroll: true });
}
