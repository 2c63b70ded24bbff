/**
 * What a person changes in a result: motion under the brush, and moments of things. Each change is merged again where
 * it is, one after another, and can be undone and done again.
 *
 * Strokes change the maps that are seen at once, so that the overlay follows the brush. On a GPU the merge follows the
 * brush too, part by part; elsewhere a moment after the brush was lifted. Either way a stroke is one step.
 */
import { InputError } from '../../../src/errors.ts';
import type { ChangedPart, OpenMerge } from '../../../src/moment/openMerge.ts';
import type { Stroke } from '../messages.ts';
import { strokeRect } from './brush.ts';
import { around, cut, paste, seenMotion } from './maps.ts';
import { linesRect, motionBefore, painted, prepare, waiting } from './steps.ts';
import type { Change, Painting, Step } from './steps.ts';
import type { Thing } from './things.ts';
import type { Rect } from './viewer.ts';

/** Changes that can be undone. */
const MOST_STEPS = 50;
/** Milliseconds after a stroke before it is merged, where nothing is merged under the brush. */
const PAUSE = 300;

/** What a person has changed, of the whole picture: as a merge of the same frames takes it. */
export interface Edited {
  /** Motion maps, where a stroke is painted. */
  motion?: readonly Float32Array[];
  /** Which frame each pixel shows, where moments were chosen; 255 for the reference. */
  moment?: Uint8Array<ArrayBuffer>;
}

/** What changes call. */
export interface ChangesEvents {
  /**
   * Parts of the picture, or of the motion alone, are to be shown anew.
   * @param isUnderBrush whether more of the same stroke follows.
   */
  changed(parts: readonly ChangedPart[], isUnderBrush: boolean): Promise<void>;
  painted(rect: Rect): void;
  /** What can be undone or done again, or whether something waits to be merged, may have changed. */
  tell(): void;
  /** A change could not be merged. It is tried again with the next one. */
  failed(error: unknown): void;
  /** Merges the frames once more, with all changes. @throws the errors of `Deghoster.open`. */
  openAgain(edited: Edited): Promise<OpenMerge>;
}

export class Changes {
  #open: OpenMerge;
  /** Which frame each pixel shows; 255 for the reference. */
  readonly moment: Uint8Array<ArrayBuffer>;
  readonly #events: ChangesEvents;
  readonly #done: Step[] = [];
  #undone: Step[] = [];
  /** Whether steps were made that cannot be undone any more. */
  #forgotten: boolean;
  /** What is not in the merge yet, in the order in which it was made: each is merged after those before it. */
  #left: Change[] = [];
  /** Whether a failure was told, and nothing was merged since. */
  #hasFailed = false;
  readonly #liveMs: number;
  /** The stroke under way. */
  #painting: Painting | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /**
   * @param edited what had been changed before the frames were merged, and is in the merge.
   * @param liveMs most milliseconds that a part may take for a stroke to be merged under the brush; 0 for never.
   */
  constructor(open: OpenMerge, edited: Edited, events: ChangesEvents, liveMs: number) {
    this.#open = open;
    this.#events = events;
    this.#liveMs = liveMs;
    this.moment = edited.moment?.slice() ?? new Uint8Array(open.result.width * open.result.height).fill(255);
    this.#forgotten = edited.motion !== undefined || edited.moment !== undefined;
  }

  get open(): OpenMerge {
    return this.#open;
  }

  /** What has been changed, with what is not in the merge yet. */
  get edited(): Edited {
    return this.#whole().edited;
  }

  get undoable(): number {
    return this.#done.length + (this.#painting ? 1 : 0);
  }

  get redoable(): number {
    return this.#undone.length;
  }

  /** Whether the picture is another than the merge's. */
  get differs(): boolean {
    return this.#forgotten || this.undoable > 0;
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Whether a stroke is under way that is merged under the brush. */
  get isLive(): boolean {
    return this.#painting?.isLive === true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.open.dispose();
  }

  /** What one frame alone shows in a rectangle. @throws the errors of `OpenMerge.view`. */
  view(frame: number, region: Rect): Promise<Float32Array> {
    return this.#inTurn(async () => {
      try {
        return await this.#open.view(frame, region);
      } catch (error) {
        await this.#openAgain(error);
        return this.#open.view(frame, region);
      }
    });
  }

  /** Resolves when all changes are in the picture, or could not be merged. */
  async settled(): Promise<void> {
    this.#flush();
    await this.#work;
  }

  /** Adds a line to the stroke under way, or begins another. */
  paint(stroke: Stroke): void {
    if (stroke.starts) this.#flush();
    const rect = strokeRect(stroke, this.open.result);
    if (!rect) return;
    this.#painting ??= { region: rect, lines: [], isLive: this.#liveMs > 0 };
    this.#painting.lines.push(stroke);
    this.#painting.region = around(this.#painting.region, rect);
    this.#undone = [];
    this.#events.painted(rect);
    this.#events.tell();
    this.#follow();
  }

  /** The brush was lifted. @param isDropped whether the stroke was not meant. */
  lift(isDropped: boolean): void {
    clearTimeout(this.#timer);
    if (isDropped) return this.#drop();
    if (this.#painting?.isLive) this.#flush();
    else if (this.#painting) this.#timer = setTimeout(() => this.#flush(), PAUSE);
  }

  /** A part of the motion that is seen, as bytes: of one frame, or the largest of all. */
  bytes(rect: Rect, motionOf: number | 'all'): Uint8Array<ArrayBuffer> {
    const { motion, width, reference } = this.open.result;
    const maps = motion.map((map) => cut(map, width, rect));
    const strokes = this.#latest().flatMap(({ step, which }) => (which === 'after' && step.stroke) || []);
    for (const stroke of [...strokes, ...(this.#painting ? [this.#painting] : [])])
      painted(maps, rect, waiting(stroke), reference);
    return seenMotion(maps, reference, motionOf);
  }

  /** Shows a frame's moment where a thing is; 255 for the reference's. */
  show({ rect, mask }: Thing, frame: number): void {
    this.#flush();
    const before = cut(this.moment, this.open.result.width, rect);
    const after = before.map((old, i) => (mask[i] ? frame : old));
    this.#undone = [];
    this.#add({ region: rect, before: { moment: before }, after: { moment: after }, has: 'before' });
  }

  undo(): void {
    if (this.#painting) return this.#drop();
    const step = this.#done.pop();
    if (!step) return;
    this.#undone.push(step);
    this.#merge(step, 'before');
  }

  redo(): void {
    this.#flush();
    const step = this.#undone.pop();
    if (!step) return;
    this.#done.push(step);
    this.#merge(step, 'after');
  }

  /** Forgets the stroke under way, and takes back what is merged of it. */
  #drop(): void {
    clearTimeout(this.#timer);
    const stroke = this.#painting;
    if (!stroke) return;
    this.#painting = undefined;
    this.#events.painted(stroke.region);
    this.#events.tell();
    // A part of it may be on its way into the merge.
    if (stroke.isLive || stroke.merged) this.#merge({ stroke }, 'before');
  }

  /** Merges what is not merged yet of the stroke under way, which ends. */
  #flush(): void {
    clearTimeout(this.#timer);
    const stroke = this.#painting;
    if (!stroke) return;
    this.#painting = undefined;
    this.#add({ stroke });
  }

  /** Merges the lines of the stroke under way that are not merged yet, as soon as nothing else is merged. */
  #follow(): void {
    const stroke = this.#painting;
    if (!stroke?.isLive || waiting(stroke).length === 0 || this.#waiting > 0) return;
    const before = this.#left.at(-1);
    void this.#next(async () => {
      try {
        if (before) await this.#mergeLeft(before);
        // It may have ended meanwhile, and be merged or dropped.
        if (this.#painting !== stroke && !this.#left.some(({ step }) => step.stroke === stroke)) return;
        const begun = performance.now();
        await this.#mergeWaiting(stroke);
        stroke.isLive &&= performance.now() - begun <= this.#liveMs;
      } catch {
        // Tried again when the brush is lifted; then a failure is told.
        stroke.isLive = false;
      }
    });
  }

  /** Merges what is painted until now of the stroke under way. */
  async #mergeWaiting(stroke: Painting): Promise<void> {
    const { result } = this.open;
    const motionIn = (region: Rect): Float32Array[] => this.open.motionIn(region);
    const lines = waiting(stroke);
    const region = linesRect(lines, result);
    const whole = stroke.merged ? around(stroke.merged.region, region) : region;
    const before = motionBefore(stroke, whole, motionIn);
    const motion = painted(motionIn(region), region, lines, result.reference);
    let parts: ChangedPart[];
    try {
      parts = await this.open.update({ region, motion });
    } catch (error) {
      stroke.isLive = false;
      return this.#openAgain(error);
    }
    // Until now the overlay showed its lines from here.
    stroke.merged = { lines: (stroke.merged?.lines ?? 0) + lines.length, region: whole, before };
    await this.#events.changed(parts, true);
  }

  #add(step: Step): void {
    this.#done.push(step);
    if (this.#done.length > MOST_STEPS) {
      this.#done.shift();
      this.#forgotten = true;
    }
    this.#merge(step, 'after');
  }

  #merge(step: Step, which: 'before' | 'after'): void {
    if (!step.stroke && 'moment' in step[which])
      paste(this.moment, this.open.result.width, step.region, step[which].moment);
    this.#left.push({ step, which });
    void this.#next(() => this.#mergeLeft());
  }

  /** Of what is left, what each step is to be at last. */
  #latest(): Change[] {
    return this.#left.filter(({ step }, i) => !this.#left.slice(i + 1).some((later) => later.step === step));
  }

  /**
   * Merges what is left, one change after another. What fails stays, and so does what follows.
   * @param last where to stop; what is left until then otherwise.
   */
  async #mergeLeft(last?: Change): Promise<void> {
    for (;;) {
      const [change] = this.#latest();
      if (!change || (last && !this.#left.includes(last))) return;
      const { result } = this.open;
      const { stroke } = change.step;
      const { put, merged } = prepare(change, (region) => this.open.motionIn(region), result);
      let parts: ChangedPart[] = [];
      try {
        if (put) parts = await this.open.update({ region: put.region, ...put.values });
      } catch (error) {
        await this.#openAgain(error);
        continue;
      }
      merged();
      this.#left.splice(0, this.#left.indexOf(change) + 1);
      if (put || change.which === 'after' || this.#hasFailed) await this.#changed(parts);
      else if (stroke) this.#events.painted(stroke.region);
    }
  }

  /** Shows what was merged. */
  async #changed(parts: readonly ChangedPart[]): Promise<void> {
    this.#hasFailed = false;
    await this.#events.changed(parts, false);
  }

  /** The maps and moments of the whole picture with all that is left, and what is to be called when they are merged. */
  #whole(): { edited: Edited; merged: (() => void)[] } {
    const { width, height } = this.open.result;
    const motion = this.open.motionIn({ x: 0, y: 0, width, height });
    const motionIn = (region: Rect): Float32Array[] => motion.map((map) => cut(map, width, region));
    let isGiven = this.open.isMotionGiven;
    const merged = this.#latest().map((change) => {
      const { put, merged } = prepare(change, motionIn, this.open.result);
      if (put && 'motion' in put.values) {
        const { motion: values } = put.values;
        motion.forEach((map, k) => paste(map, width, put.region, values[k]));
        isGiven = true;
      }
      return merged;
    });
    const edited = {
      ...(isGiven && { motion }),
      ...(this.moment.some((frame) => frame !== 255) && { moment: this.moment }),
    };
    return { edited, merged };
  }

  /**
   * Where the merge is no longer open, or its device is gone, the frames are merged once more, with all that is left:
   * nothing is lost.
   * @throws the error that stopped it, if it says what is wrong with the change; the errors of `Deghoster.open`.
   */
  async #openAgain(error: unknown): Promise<void> {
    if (this.#closed || error instanceof InputError) throw error;
    const { edited, merged } = this.#whole();
    const taken = new Set(this.#left);
    const again = await this.#events.openAgain(edited);
    this.#open.dispose();
    this.#open = again;
    if (this.#closed) return again.dispose();
    for (const tell of merged) tell();
    this.#left = this.#left.filter((change) => !taken.has(change));
    if (taken.size > 0) await this.#changed([]);
  }

  /** Does one piece of work after another on the merge. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Merges something when it is its turn, and tells a failure. */
  async #next(work: () => Promise<void>): Promise<void> {
    this.#waiting++;
    this.#events.tell();
    await this.#inTurn(async () => {
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        if (!this.#closed) {
          this.#hasFailed = true;
          this.#events.failed(error);
        }
      }
      this.#waiting--;
      if (this.#closed) return;
      this.#events.tell();
      this.#follow();
    });
  }
}
