/**
 * Motion maps under the brush.
 *
 * Strokes change copies of the merge's maps, one a frame; the reference's is never painted, because it is the union of
 * the others. A step of undo keeps what its strokes covered, so undoing puts back exactly what was there.
 */
import type { Stroke } from '../messages.ts';
import type { Rect, Size } from './viewer.ts';

/** Steps that can be undone. */
const MAX_STEPS = 50;

interface Patch extends Rect {
  frame: number;
  values: Float32Array;
}

export class MotionEdits {
  readonly maps: Float32Array[];
  readonly #size: Size;
  readonly #reference: number;
  #steps: Patch[][] = [];
  /** Whether strokes were made that undo can no longer take back. */
  #forgotten = false;

  /** @param maps as merged, `[height, width]` each, in exposure order. They are painted in place. */
  constructor(maps: Float32Array[], size: Size, reference: number) {
    this.maps = maps;
    this.#size = size;
    this.#reference = reference;
  }

  /** Steps that `undo` can take back. */
  get steps(): number {
    return this.#steps.length;
  }

  /** Whether the maps differ from the merge's. */
  get differs(): boolean {
    return this.#forgotten || this.#steps.length > 0;
  }

  /** Paints. @returns what of the picture changed. */
  paint(stroke: Stroke): Rect {
    if (stroke.starts || this.#steps.length === 0) this.#steps.push([]);
    if (this.#steps.length > MAX_STEPS) this.#forgotten = this.#steps.shift() !== undefined;
    const { width, height } = this.#size;
    const reach = stroke.radius + 1;
    const x = clamp(Math.floor(Math.min(stroke.fromX, stroke.toX) - reach), 0, width);
    const y = clamp(Math.floor(Math.min(stroke.fromY, stroke.toY) - reach), 0, height);
    const rect = {
      x,
      y,
      width: clamp(Math.ceil(Math.max(stroke.fromX, stroke.toX) + reach), 0, width) - x,
      height: clamp(Math.ceil(Math.max(stroke.fromY, stroke.toY) + reach), 0, height) - y,
    };
    if (rect.width <= 0 || rect.height <= 0) return rect;
    const step = this.#steps[this.#steps.length - 1];
    this.maps.forEach((map, frame) => {
      if (
        frame === this.#reference ||
        (stroke.motionOf !== 'all' && stroke.motionOf !== this.#reference && stroke.motionOf !== frame)
      )
        return;
      step.push({ ...rect, frame, values: cut(map, width, rect) });
      this.#brush(map, stroke, rect);
    });
    return rect;
  }

  /** Takes the last step back. @returns what of the picture changed. */
  undo(): Rect[] {
    const step = this.#steps.pop() ?? [];
    for (const patch of step.reverse()) {
      for (let y = 0; y < patch.height; y++)
        this.maps[patch.frame].set(
          patch.values.subarray(y * patch.width, (y + 1) * patch.width),
          (patch.y + y) * this.#size.width + patch.x,
        );
    }
    return step;
  }

  /** A part of one map as bytes, or of the largest of all. */
  bytes(rect: Rect, motionOf: number | 'all'): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(Math.max(0, rect.width * rect.height));
    const shown = this.maps.filter((_, frame) =>
      motionOf === 'all' || motionOf === this.#reference ? frame !== this.#reference : frame === motionOf,
    );
    for (const map of shown) {
      for (let y = 0, to = 0; y < rect.height; y++) {
        for (let x = 0, from = (rect.y + y) * this.#size.width + rect.x; x < rect.width; x++, from++, to++)
          out[to] = Math.max(out[to], Math.round(255 * map[from]));
      }
    }
    return out;
  }

  /** A thick line with round ends; its edge is one pixel of transition. */
  #brush(map: Float32Array, { fromX, fromY, toX, toY, radius, value }: Stroke, rect: Rect): void {
    const [dx, dy] = [toX - fromX, toY - fromY];
    const length2 = dx * dx + dy * dy;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x; x < rect.x + rect.width; x++) {
        const [px, py] = [x + 0.5 - fromX, y + 0.5 - fromY];
        const t = length2 > 0 ? clamp((px * dx + py * dy) / length2, 0, 1) : 0;
        const cover = clamp(radius + 0.5 - Math.hypot(px - t * dx, py - t * dy), 0, 1);
        const i = y * this.#size.width + x;
        if (cover > 0) map[i] = value === 1 ? Math.max(map[i], cover) : Math.min(map[i], 1 - cover);
      }
    }
  }
}

function cut(map: Float32Array, mapWidth: number, { x, y, width, height }: Rect): Float32Array {
  const out = new Float32Array(width * height);
  for (let row = 0; row < height; row++)
    out.set(map.subarray((y + row) * mapWidth + x, (y + row) * mapWidth + x + width), row * width);
  return out;
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
