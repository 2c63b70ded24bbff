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
import { brush, strokeRect } from './brush.ts';
import { around, cut, paste, seenMotion } from './maps.ts';
import type { Thing } from './things.ts';
import type { Rect, Size } from './viewer.ts';

/** Changes that can be undone. */
const MOST_STEPS = 50;
/** Milliseconds after a stroke before it is merged, where nothing is merged under the brush. */
const PAUSE = 300;

/** Motion maps, or the frames whose moment is shown, of a rectangle. */
type Values = { motion: Float32Array[] } | { moment: Uint8Array };

/** What a person has changed, of the whole picture: as a merge of the same frames takes it. */
export interface Edited {
  /** Motion maps, where strokes were merged. */
  motion?: readonly Float32Array[];
  /** Which frame each pixel shows, where moments were chosen; 255 for the reference. */
  moment?: Uint8Array<ArrayBuffer>;
}

interface Step {
  region: Rect;
  before: Values;
  after: Values;
}

/** The stroke under way. */
interface Painting {
  /** All that it reaches. */
  region: Rect;
  /** Its lines that are not merged yet. */
  lines: Stroke[];
  /** What is merged of it already: all of a rectangle, with the maps there as they were before it. */
  merged?: { region: Rect; before: Float32Array[] };
  /** Whether its lines are merged under the brush: not after a part that took too long, or failed. */
  isLive: boolean;
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
  /** Strokes that could not be merged. */
  #left: { region: Rect; motion: readonly Float32Array[] }[] = [];
  /** Under way: the frames are merged once more. */
  #opening: Promise<void> | undefined;
  readonly #liveMs: number;
  #painting: Painting | undefined;
  /** Strokes whose lines the maps may lack: the one under way, after those that wait to be merged. */
  readonly #strokes = new Set<Painting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
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

  /** What has been changed, with what could not be merged. */
  get edited(): Edited {
    const { width, height } = this.open.result;
    const motion = this.open.motionIn({ x: 0, y: 0, width, height });
    for (const one of this.#left) motion.forEach((map, k) => paste(map, width, one.region, one.motion[k]));
    return {
      ...((this.open.isMotionGiven || this.#left.length > 0) && { motion }),
      ...(this.moment.some((frame) => frame !== 255) && { moment: this.moment }),
    };
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
    return this.#whileOpen((open) => open.view(frame, region));
  }

  /** Resolves when all changes are in the picture. */
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
    this.#strokes.add(this.#painting);
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
    for (const { lines } of this.#strokes) for (const line of lines) brush(maps, rect, line, reference);
    return seenMotion(maps, reference, motionOf);
  }

  /** Shows a frame's moment where a thing is; 255 for the reference's. */
  show({ rect, mask }: Thing, frame: number): void {
    this.#flush();
    const before = cut(this.moment, this.open.result.width, rect);
    const after = before.map((old, i) => (mask[i] ? frame : old));
    this.#add({ region: rect, before: { moment: before }, after: { moment: after } });
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
    const painting = this.#painting;
    if (!painting) return;
    this.#painting = undefined;
    this.#strokes.delete(painting);
    this.#events.painted(painting.region);
    this.#events.tell();
    if (!painting.isLive && !painting.merged) return;
    void this.#next(async () => {
      // The part that ran is merged by now, or could not be.
      const { merged } = painting;
      if (!merged) return this.#events.painted(painting.region);
      await this.#update(merged.region, { motion: merged.before });
    });
  }

  /** Merges what is not merged yet of the stroke under way, which ends. */
  #flush(): void {
    clearTimeout(this.#timer);
    const painting = this.#painting;
    if (!painting) return;
    this.#painting = undefined;
    const { region } = painting;
    const step: Step = { region, before: { motion: [] }, after: { motion: [] } };
    this.#remember(step);
    void this.#next(async () => {
      // What lies below it is known when the steps before it are merged.
      const { lines } = painting;
      step.before = { motion: this.#motionBefore(painting) };
      const motion = this.#painted(region, lines);
      step.after = { motion };
      let isShown = lines.length > 0;
      try {
        if (!isShown) return;
        const part = linesRect(lines, this.open.result);
        const change = part.width * part.height < region.width * region.height ? this.#painted(part, lines) : motion;
        await this.#update(change === motion ? region : part, { motion: change }, () => lines.splice(0));
      } catch (error) {
        isShown = false;
        throw error;
      } finally {
        this.#strokes.delete(painting);
        // What was merged under the brush is there all the same.
        if (!isShown && painting.merged) await this.#events.changed([], false);
      }
    });
  }

  /** Merges the lines of the stroke under way that are not merged yet, as soon as nothing else is merged. */
  #follow(): void {
    const painting = this.#painting;
    if (!painting?.isLive || painting.lines.length === 0 || this.#waiting > 0) return;
    void this.#next(async () => {
      const begun = performance.now();
      const { lines } = painting;
      const count = lines.length;
      const region = linesRect(lines, this.open.result);
      const whole = painting.merged ? around(painting.merged.region, region) : region;
      const before = this.#motionBefore({ ...painting, region: whole });
      const motion = this.#painted(region, lines);
      try {
        const parts = await this.#whileOpen((open) => open.update({ region, motion }));
        painting.merged = { region: whole, before };
        // Until now the overlay showed them from here.
        lines.splice(0, count);
        await this.#events.changed(parts, true);
        painting.isLive = performance.now() - begun <= this.#liveMs;
      } catch {
        // Tried again when the brush is lifted; then a failure is told.
        painting.isLive = false;
      }
    });
  }

  /** The maps with lines painted over them. */
  #painted(region: Rect, lines: readonly Stroke[]): Float32Array[] {
    const motion = this.open.motionIn(region);
    for (const line of lines) brush(motion, region, line, this.open.result.reference);
    return motion;
  }

  /** The maps where a stroke is, as they were before it. */
  #motionBefore({ region, merged }: Pick<Painting, 'region' | 'merged'>): Float32Array[] {
    const motion = this.open.motionIn(region);
    if (merged) {
      const there = { ...merged.region, x: merged.region.x - region.x, y: merged.region.y - region.y };
      motion.forEach((map, k) => paste(map, region.width, there, merged.before[k]));
    }
    return motion;
  }

  #add(step: Step): void {
    this.#remember(step);
    this.#undone = [];
    this.#merge(step, 'after');
  }

  #remember(step: Step): void {
    this.#done.push(step);
    if (this.#done.length <= MOST_STEPS) return;
    this.#done.shift();
    this.#forgotten = true;
  }

  #merge(step: Step, which: 'before' | 'after'): void {
    const { region, [which]: values } = step;
    if ('moment' in values) paste(this.moment, this.open.result.width, region, values.moment);
    void this.#next(() => this.#update(region, step[which]));
  }

  /** @param onMerged called before the change is shown. */
  async #update(region: Rect, values: Values, onMerged?: () => void): Promise<void> {
    let parts: ChangedPart[];
    try {
      parts = await this.#whileOpen((open) => open.update({ region, ...values }));
    } catch (error) {
      if ('motion' in values) this.#left.push({ region, ...values });
      throw error;
    }
    onMerged?.();
    await this.#events.changed(parts, false);
  }

  /** Where the merge is no longer open, or its device is gone, the frames are merged once more: nothing is lost. */
  async #whileOpen<T>(work: (open: OpenMerge) => Promise<T>): Promise<T> {
    const tried = this.#open;
    try {
      return await work(tried);
    } catch (error) {
      if (this.#closed || error instanceof InputError) throw error;
      if (this.#open === tried)
        await (this.#opening ??= this.#openAgain().finally(() => {
          this.#opening = undefined;
        }));
      return work(this.#open);
    }
  }

  async #openAgain(): Promise<void> {
    const left = this.#left.length;
    const again = await this.#events.openAgain(this.edited);
    // They are in that merge.
    this.#left = this.#left.slice(left);
    this.#open.dispose();
    this.#open = again;
    if (this.#closed) again.dispose();
  }

  /** Runs one piece of work after another. */
  async #next(work: () => Promise<void>): Promise<void> {
    this.#waiting++;
    this.#events.tell();
    this.#work = this.#work.then(async () => {
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        if (!this.#closed) this.#events.failed(error);
      }
      this.#waiting--;
      if (this.#closed) return;
      this.#events.tell();
      this.#follow();
    });
    await this.#work;
  }
}

/** What of the picture lines reach: each reaches some of it. */
function linesRect(lines: readonly Stroke[], picture: Size): Rect {
  return lines.map((line) => strokeRect(line, picture)!).reduce(around);
}
