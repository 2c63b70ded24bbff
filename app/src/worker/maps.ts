/** Motion maps, and parts of them. */
import type { Rect } from './viewer.ts';

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

/** Puts values into a part of a map. */
export function paste<A extends Float32Array | Uint8Array>(map: A, mapWidth: number, rect: Rect, values: A): void {
  const { x, y, width, height } = rect;
  for (let row = 0; row < height; row++)
    map.set(values.subarray(row * width, (row + 1) * width), (y + row) * mapWidth + x);
}

/** The rectangle around two. */
export function around(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
