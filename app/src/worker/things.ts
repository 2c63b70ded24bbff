/** Things that move, found in the motion of a result: the one at a point, and all of them one after another. */
import type { Rect, Size } from './viewer.ts';

/** Motion above this is a thing's. */
const MOVES = 0.5;
/** How far a thing may be from where somebody pointed, as a share of the picture's short side. */
const NEAR = 0.02;
/** How far a thing reaches at most from there, and how much larger than its motion its region is. */
const REACH = 0.25;
const MARGIN = 0.012;
/** By which a step makes it larger. */
const STEP = 1.5;
/** Cells that things are listed in, along the picture's long side, and the fewest cells of a thing. */
const CELLS = 256;
const FEWEST = 2;

export interface Point {
  x: number;
  y: number;
}

/** A thing's region. */
export interface Thing {
  rect: Rect;
  /** Not 0 where the region is, `[height, width]` of the rectangle. */
  mask: Uint8Array;
}

/**
 * The connected part at a point that moves, or where another moment was chosen, and a margin around it.
 * @param grow how many steps larger, or smaller.
 * @returns undefined where nothing moves.
 */
export function thingAt(
  union: Float32Array,
  moment: Uint8Array,
  { width, height }: Size,
  point: Point,
  grow: number,
): Thing | undefined {
  const short = Math.min(width, height);
  const isPart = (x: number, y: number): boolean => union[y * width + x] > MOVES || moment[y * width + x] !== 255;
  const seed = nearest(point, Math.max(2, short * NEAR), { width, height }, isPart);
  if (!seed) return undefined;
  const reach = Math.max(24, short * REACH * STEP ** grow);
  const margin = Math.round(Math.max(5, short * MARGIN) * STEP ** grow);
  const box = within(
    {
      x: seed.x - reach - margin,
      y: seed.y - reach - margin,
      width: 2 * (reach + margin) + 1,
      height: 2 * (reach + margin) + 1,
    },
    { width, height },
  );
  // Connected pixels, then one ring after another around them.
  const distance = new Uint16Array(box.width * box.height).fill(65535);
  let ring = [(seed.y - box.y) * box.width + seed.x - box.x];
  distance[ring[0]] = 0;
  for (let next: number[] = []; ring.length > 0; [ring, next] = [next, []])
    for (const at of ring)
      for (const to of neighbours(at, box)) {
        const [x, y] = [box.x + (to % box.width), box.y + Math.floor(to / box.width)];
        if (distance[to] === 0 || !isPart(x, y) || Math.hypot(x - seed.x, y - seed.y) > reach) continue;
        distance[to] = 0;
        next.push(to);
      }
  ring = [...distance.keys()].filter((at) => distance[at] === 0);
  for (let d = 1; d <= margin; d++) {
    const next: number[] = [];
    for (const at of ring)
      for (const to of neighbours(at, box, d % 2 === 0))
        if (distance[to] > d) {
          distance[to] = d;
          next.push(to);
        }
    ring = next;
  }
  return cropped(box, distance);
}

/** A mask's smallest rectangle. */
function cropped(box: Rect, distance: Uint16Array): Thing {
  let [left, top, right, bottom] = [box.width, box.height, 0, 0];
  distance.forEach((d, i) => {
    if (d === 65535) return;
    const [x, y] = [i % box.width, Math.floor(i / box.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  const rect = { x: box.x + left, y: box.y + top, width: right - left, height: bottom - top };
  const mask = new Uint8Array(rect.width * rect.height);
  for (let y = 0; y < rect.height; y++)
    for (let x = 0; x < rect.width; x++)
      mask[y * rect.width + x] = distance[(top + y) * box.width + left + x] < 65535 ? 1 : 0;
  return { rect, mask };
}

/** The pixels beside one; with `corners` those at its corners too, so that rings become round. */
function* neighbours(at: number, { width, height }: Size, corners = false): Generator<number> {
  const [x, y] = [at % width, Math.floor(at / width)];
  for (let dy = -1; dy <= 1; dy++)
    for (let dx = -1; dx <= 1; dx++) {
      if ((dx === 0 && dy === 0) || (!corners && dx !== 0 && dy !== 0)) continue;
      if (x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height) yield at + dy * width + dx;
    }
}

function nearest(
  point: Point,
  reach: number,
  picture: Size,
  isPart: (x: number, y: number) => boolean,
): Point | undefined {
  const [px, py] = [Math.floor(point.x), Math.floor(point.y)];
  const { x, y, width, height } = within(
    { x: px - reach, y: py - reach, width: 2 * reach + 1, height: 2 * reach + 1 },
    picture,
  );
  let found: Point | undefined;
  let least = reach;
  for (let v = y; v < y + height; v++)
    for (let u = x; u < x + width; u++) {
      const distance = Math.hypot(u - px, v - py);
      if (distance > least || !isPart(u, v)) continue;
      [found, least] = [{ x: u, y: v }, distance];
    }
  return found;
}

/** A rectangle on whole pixels, as far as it lies in the picture. */
function within({ x, y, width, height }: Rect, picture: Size): Rect {
  const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
  return {
    x: left,
    y: top,
    width: Math.max(0, Math.min(picture.width, Math.ceil(x + width)) - left),
    height: Math.max(0, Math.min(picture.height, Math.ceil(y + height)) - top),
  };
}

/** A point of each thing that moves, the largest first: seen in cells. */
export function thingsIn(union: Float32Array, { width, height }: Size): Point[] {
  const cell = Math.max(1, Math.ceil(Math.max(width, height) / CELLS));
  const [columns, rows] = [Math.ceil(width / cell), Math.ceil(height / cell)];
  const strongest = new Float32Array(columns * rows);
  const places = new Uint32Array(columns * rows);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const at = Math.floor(y / cell) * columns + Math.floor(x / cell);
      if (union[i] > strongest[at]) [strongest[at], places[at]] = [union[i], i];
    }
  const found: { size: number; place: number }[] = [];
  const seen = new Uint8Array(columns * rows);
  for (let first = 0; first < seen.length; first++) {
    if (seen[first] || strongest[first] <= MOVES) continue;
    const cells = [first];
    seen[first] = 1;
    for (const at of cells)
      for (const to of neighbours(at, { width: columns, height: rows }, true))
        if (!seen[to] && strongest[to] > MOVES) {
          seen[to] = 1;
          cells.push(to);
        }
    if (cells.length >= FEWEST || cell === 1)
      found.push({ size: cells.length, place: places[cells[cells.length >> 1]] });
  }
  found.sort((a, b) => b.size - a.size);
  return found.map(({ place }) => ({ x: place % width, y: Math.floor(place / width) }));
}
