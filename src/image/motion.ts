/**
 * Motion maps: how much each pixel of each frame moves, from 0 to 1. The reference's map is the union of the others.
 */

/** Motion maps W_k, `[height, width]` each, one per frame in exposure order. */
export interface MotionMaps {
  maps: readonly Float32Array[];
  width: number;
  height: number;
  /** The picture's pixel that theirs begin with; the picture's first by default. */
  x?: number;
  y?: number;
}

/**
 * The maps, with the reference's map replaced by the maximum of the others (spec: S). The reference's map is not read
 * and may be empty.
 */
export function withUnion(maps: readonly Float32Array[], reference: number): Float32Array[] {
  const union = new Float32Array(Math.max(...maps.map((map) => map.length)));
  maps.forEach((map, k) => {
    if (k !== reference) for (let i = 0; i < union.length; i++) union[i] = Math.max(union[i], map[i]);
  });
  return maps.map((map, k) => (k === reference ? union : map));
}

/** The share of pixels that a map marks as moving; 0 for an empty map. */
export function movingShare(map: Float32Array): number {
  let moving = 0;
  for (const w of map) if (w > 0.5) moving++;
  return moving / Math.max(1, map.length);
}

/** The top left corner of a map. */
export function cropMap(map: Float32Array, mapWidth: number, width: number, height: number): Float32Array {
  if (mapWidth === width && map.length === width * height) return map;
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) out.set(map.subarray(y * mapWidth, y * mapWidth + width), y * width);
  return out;
}
