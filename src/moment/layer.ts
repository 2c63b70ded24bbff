/**
 * A picture in arrays of which parts show something else. What lies below those parts is kept in blocks, so that the
 * whole picture need not be kept twice.
 */
import { shared } from './areas.ts';
import type { Rectangle } from './areas.ts';

/** Side of the blocks that are kept. */
const BLOCK = 64;

/** Copies what two rectangles share, or a part of it, between arrays of pixels that lie somewhere in a picture. */
function copy(
  from: Float32Array,
  at: Rectangle,
  to: Float32Array,
  there: Rectangle,
  channels: number,
  box = shared(at, there),
): void {
  if (!box) return;
  for (let y = box.y; y < box.y + box.height; y++) {
    const start = channels * ((y - at.y) * at.width + box.x - at.x);
    to.set(
      from.subarray(start, start + channels * box.width),
      channels * ((y - there.y) * there.width + box.x - there.x),
    );
  }
}

export class Layer {
  /** What is shown: one array for each plane, `[height, width, channels]`. */
  readonly planes: readonly Float32Array[];
  readonly #picture: Rectangle;
  readonly #channels: number;
  /** What lies below, of each plane, by the number of the block. */
  readonly #blocks = new Map<number, Float32Array[]>();
  /** What lay below at first, likewise: of blocks that `change` made differ from it. */
  readonly #first = new Map<number, Float32Array[]>();

  constructor(planes: readonly Float32Array[], { width, height }: { width: number; height: number }, channels: number) {
    this.planes = planes;
    this.#picture = { x: 0, y: 0, width, height };
    this.#channels = channels;
  }

  /** What lies below in a rectangle of the picture. */
  below(area: Rectangle): Float32Array[] {
    const values = this.planes.map((plane) => {
      const part = new Float32Array(area.width * area.height * this.#channels);
      copy(plane, this.#picture, part, area, this.#channels);
      return part;
    });
    for (const [block, kept] of this.#keptIn(area))
      kept.forEach((plane, k) => copy(plane, block, values[k], area, this.#channels));
    return values;
  }

  /** Changes what lies below; it is shown too where nothing else is. */
  replace(area: Rectangle, values: readonly Float32Array[]): void {
    for (const [number, block] of this.#blocksOf(area)) {
      const kept = this.#blocks.get(number);
      const part = shared(block, area)!;
      (kept ?? this.planes).forEach((plane, k) => {
        const there = kept ? block : this.#picture;
        copy(values[k], area, plane, there, this.#channels, part);
      });
    }
  }

  /**
   * As `replace`, and tells when all that it changed is as at first.
   * @param union a plane that follows from the others.
   */
  change(area: Rectangle, values: readonly Float32Array[], union: number): boolean {
    const first = this.#first;
    const blocks = [...this.#blocksOf(area)];
    for (const [number, block] of blocks) if (!first.has(number)) first.set(number, this.below(block));
    this.replace(area, values);
    for (const [number, block] of blocks) {
      const then = first.get(number)!;
      const now = this.below(block);
      if (now.every((plane, k) => k === union || plane.every((value, i) => value === then[k][i]))) first.delete(number);
    }
    return first.size === 0;
  }

  /** Shows what lies below. */
  reveal(area: Rectangle): void {
    this.#put(area, this.below(area));
  }

  /** Shows something else in a rectangle. */
  show(area: Rectangle, values: readonly Float32Array[]): void {
    for (const [number, block] of this.#blocksOf(area))
      if (!this.#blocks.has(number)) this.#blocks.set(number, this.below(block));
    this.#put(area, values);
  }

  #put(area: Rectangle, values: readonly Float32Array[]): void {
    this.planes.forEach((plane, k) => copy(values[k], area, plane, this.#picture, this.#channels));
  }

  /** All blocks that a rectangle touches, with their numbers. */
  *#blocksOf({ x, y, width, height }: Rectangle): Generator<[number: number, block: Rectangle]> {
    const first = (value: number): number => Math.floor(value / BLOCK) * BLOCK;
    const picture = this.#picture;
    for (let top = first(y); top < y + height; top += BLOCK)
      for (let left = first(x); left < x + width; left += BLOCK)
        yield [
          (top / BLOCK) * Math.ceil(picture.width / BLOCK) + left / BLOCK,
          {
            x: left,
            y: top,
            width: Math.min(BLOCK, picture.width - left),
            height: Math.min(BLOCK, picture.height - top),
          },
        ];
  }

  *#keptIn(area: Rectangle): Generator<[Rectangle, Float32Array[]]> {
    for (const [number, block] of this.#blocksOf(area)) {
      const kept = this.#blocks.get(number);
      if (kept) yield [block, kept];
    }
  }
}
