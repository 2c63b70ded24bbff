/**
 * What a person changes in a result: motion under the brush, and moments of things. Each change is merged again where
 * it is, one after another, and can be undone and done again.
 *
 * Strokes change the maps that are seen at once, so that the overlay follows the brush; the merge follows a moment
 * after the brush was lifted.
 */
import { InputError } from '../../../src/errors.ts';
import type { ChangedPart, OpenMerge } from '../../../src/moment/openMerge.ts';
import type { Stroke } from '../messages.ts';
import { brush, strokeRect } from './brush.ts';
import type { Thing } from './things.ts';
import type { Rect } from './viewer.ts';

/** Changes that can be undone. */
const MOST_STEPS = 50;
/** Milliseconds after a stroke in which another may begin before it is merged. */
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

/** What changes call. */
export interface ChangesEvents {
  /** Parts of the picture, or of the motion alone, are to be shown anew. */
  changed(parts: readonly ChangedPart[]): Promise<void>;
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
  /** Whether strokes were merged: from then on the maps count as given. */
  #isPainted: boolean;
  /** Strokes that could not be merged. */
  readonly #left: { region: Rect; motion: readonly Float32Array[] }[] = [];
  /** Under way: the frames are merged once more. */
  #opening: Promise<void> | undefined;
  /** The stroke that is not merged yet, line by line. */
  #strokes: Stroke[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /** @param edited what had been changed before the frames were merged, and is in the merge. */
  constructor(open: OpenMerge, edited: Edited, events: ChangesEvents) {
    this.#open = open;
    this.#events = events;
    this.moment = edited.moment?.slice() ?? new Uint8Array(open.result.width * open.result.height).fill(255);
    this.#isPainted = edited.motion !== undefined;
    this.#forgotten = this.#isPainted || edited.moment !== undefined;
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
      ...((this.#isPainted || this.#left.length > 0) && { motion }),
      ...(this.moment.some((frame) => frame !== 255) && { moment: this.moment }),
    };
  }

  get undoable(): number {
    return this.#done.length + (this.#strokes.length > 0 ? 1 : 0);
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
    this.#strokes.push(stroke);
    this.#undone = [];
    this.#events.painted(rect);
    this.#events.tell();
  }

  /** The brush was lifted. @param isDropped whether the stroke was not meant. */
  lift(isDropped: boolean): void {
    clearTimeout(this.#timer);
    if (isDropped) return this.#drop();
    if (this.#strokes.length > 0) this.#timer = setTimeout(() => this.#flush(), PAUSE);
  }

  /** A part of the motion that is seen, as bytes: of one frame, or the largest of all. */
  bytes(rect: Rect, motionOf: number | 'all'): Uint8Array<ArrayBuffer> {
    const { motion, width, reference } = this.open.result;
    const maps = motion.map((map) => cut(map, width, rect));
    for (const stroke of this.#strokes) brush(maps, rect, stroke, reference);
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
    if (this.#strokes.length > 0) return this.#drop();
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

  /** Forgets the stroke that waits. */
  #drop(): void {
    clearTimeout(this.#timer);
    for (const stroke of this.#strokes.splice(0)) this.#events.painted(strokeRect(stroke, this.open.result)!);
    this.#events.tell();
  }

  /** Merges the stroke that waits. */
  #flush(): void {
    clearTimeout(this.#timer);
    const strokes = this.#strokes.splice(0);
    if (strokes.length === 0) return;
    const { result } = this.open;
    const region = strokes.map((stroke) => strokeRect(stroke, result)!).reduce(around);
    const step: Step = { region, before: { motion: [] }, after: { motion: [] } };
    this.#remember(step);
    void this.#next(async () => {
      // What lies below it is known when the steps before it are merged.
      const motion = this.open.motionIn(region);
      step.before = { motion: motion.map((map) => map.slice()) };
      for (const stroke of strokes) brush(motion, region, stroke, result.reference);
      step.after = { motion };
      await this.#update(region, step.after);
    });
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

  async #update(region: Rect, values: Values): Promise<void> {
    let parts: ChangedPart[];
    try {
      parts = await this.#whileOpen((open) => open.update({ region, ...values }));
    } catch (error) {
      if ('motion' in values) this.#left.push({ region, ...values });
      throw error;
    }
    if ('motion' in values) this.#isPainted = true;
    await this.#events.changed(parts);
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
    const again = await this.#events.openAgain(this.edited);
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
      if (!this.#closed) this.#events.tell();
    });
    await this.#work;
  }
}

/** Motion as bytes: of one frame, or the largest of all. The reference's own is the union, which is not shown. */
export function seenMotion(
  maps: readonly Float32Array[],
  reference: number,
  motionOf: number | 'all',
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(maps[0]?.length ?? 0);
  const seen = maps.filter((_, frame) =>
    motionOf === 'all' || motionOf === reference ? frame !== reference : frame === motionOf,
  );
  for (const map of seen) map.forEach((w, i) => (out[i] = Math.max(out[i], Math.round(255 * w))));
  return out;
}

/** A part of a map. */
export function cut<A extends Float32Array | Uint8Array>(map: A, mapWidth: number, { x, y, width, height }: Rect): A {
  const out = map.slice(0, width * height) as A;
  for (let row = 0; row < height; row++)
    out.set(map.subarray((y + row) * mapWidth + x, (y + row) * mapWidth + x + width), row * width);
  return out;
}

function paste<A extends Float32Array | Uint8Array>(map: A, mapWidth: number, rect: Rect, values: A): void {
  const { x, y, width, height } = rect;
  for (let row = 0; row < height; row++)
    map.set(values.subarray(row * width, (row + 1) * width), (y + row) * mapWidth + x);
}

function around(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
