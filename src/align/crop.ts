/** The part of a picture that all frames cover. */
import { OBJECT, arrayOf, expect, wrongText } from '../checks.ts';
import { InputError, UsageError } from '../errors.ts';
import { apply } from './homography.ts';
import type { Size } from './homography.ts';
import { readSize, readWarp } from './readWarp.ts';
import type { Mesh, Warp } from './types.ts';

/** A part of a picture in pixels. */
export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** Pixels of the picture that share a test. Cells at the border may be smaller. */
const CELLS = 256;

/** A frame as far as it matters for what it covers. */
export interface Covering {
  /** How it lies on the reference; undefined if it is not resampled. */
  warp?: Warp;
  /** As `Frame.coverage`. */
  coverage?: Uint8Array;
}

/**
 * The largest upright rectangle in which every frame has data. Holes of a few pixels may be overlooked.
 * @returns undefined if the frames cover nothing together.
 * @throws UsageError; InputError naming the frame.
 */
export function coveredRectangle(givenSize: Size, givenFrames: readonly Covering[]): Rectangle | undefined {
  const size = readSize(givenSize);
  const frames = readCovering(size, givenFrames);
  const { width, height } = size;
  const step = Math.max(1, Math.ceil(Math.max(width, height) / CELLS));
  const [columns, rows] = [Math.ceil(width / step), Math.ceil(height / step)];
  const isCovered = (x: number, y: number): boolean => frames.every((frame) => hasData(frame, x, y, size));
  // Corner points first, then cells whose four corners are covered: what homographies cover is convex.
  const corner = (i: number, length: number): number => Math.min(i * step, length - 1);
  const points = Array.from({ length: rows + 1 }, (_, j) =>
    Array.from({ length: columns + 1 }, (_, i) => isCovered(corner(i, width), corner(j, height))),
  );
  const isWhole = (i: number, j: number): boolean =>
    points[j][i] && points[j][i + 1] && points[j + 1][i] && points[j + 1][i + 1];
  const cells = largest(columns, rows, isWhole);
  if (!cells) return undefined;
  const found = {
    left: cells.x * step,
    top: cells.y * step,
    right: Math.min(width, (cells.x + cells.width) * step),
    bottom: Math.min(height, (cells.y + cells.height) * step),
  };
  // Cells are coarse: each side grows pixel by pixel while the whole side is covered.
  const row = (y: number): boolean => line(found.left, found.right, (x) => isCovered(x, y));
  const column = (x: number): boolean => line(found.top, found.bottom, (y) => isCovered(x, y));
  while (found.left > 0 && column(found.left - 1)) found.left--;
  while (found.right < width && column(found.right)) found.right++;
  while (found.top > 0 && row(found.top - 1)) found.top--;
  while (found.bottom < height && row(found.bottom)) found.bottom++;
  return { x: found.left, y: found.top, width: found.right - found.left, height: found.bottom - found.top };
}

function readCovering({ width, height }: Size, frames: readonly Covering[]): Covering[] {
  if (!Array.isArray(frames)) throw new UsageError(wrongText('frames', frames, 'an array'));
  return Array.from(frames as Covering[], (given, k) => {
    const name = `frame ${k + 1}`;
    expect(name, given, OBJECT);
    const { warp, coverage } = given;
    const covered =
      coverage === undefined ? undefined : arrayOf<Uint8Array>(`${name}: coverage`, coverage, [Uint8Array]);
    if (covered && covered.length !== width * height)
      throw new InputError(`${name}: ${covered.length} values of coverage, ${width}x${height} needs ${width * height}`);
    return { warp: warp === undefined ? undefined : readWarp(`${name}: warp`, warp), coverage: covered };
  });
}

function line(from: number, to: number, isCovered: (at: number) => boolean): boolean {
  for (let at = from; at < to; at++) if (!isCovered(at)) return false;
  return true;
}

function hasData({ warp, coverage }: Covering, x: number, y: number, size: Size): boolean {
  let [u, v] = [x, y];
  if (warp) {
    const [dx, dy] = warp.mesh ? shiftAt(warp.mesh, x, y, size) : [0, 0];
    [u, v] = apply(warp.matrix, x + dx, y + dy);
    if (!(u >= -0.5 && v >= -0.5 && u < size.width - 0.5 && v < size.height - 0.5)) return false;
  }
  return coverage?.[Math.round(v) * size.width + Math.round(u)] !== 0;
}

/** A mesh's shift at a pixel of the reference (types.ts). */
export function shiftAt({ columns, rows, shifts }: Mesh, x: number, y: number, { width, height }: Size): number[] {
  const place = (at: number, nodes: number, length: number): [number, number] => {
    const u = Math.min(nodes - 1, Math.max(0, ((at + 0.5) * nodes) / length - 0.5));
    const low = Math.min(nodes - 2, Math.floor(u));
    return [low, u - low];
  };
  const [[i, u], [j, v]] = [place(x, columns, width), place(y, rows, height)];
  return [0, 1].map((axis) => {
    const at = (row: number, column: number): number => shifts[2 * (row * columns + column) + axis];
    return (1 - v) * ((1 - u) * at(j, i) + u * at(j, i + 1)) + v * ((1 - u) * at(j + 1, i) + u * at(j + 1, i + 1));
  });
}

/** The largest rectangle of cells that all hold, row by row over their heights (the histogram method). */
function largest(columns: number, rows: number, holds: (i: number, j: number) => boolean): Rectangle | undefined {
  const heights = new Array<number>(columns + 1).fill(0);
  let best: Rectangle | undefined;
  for (let j = 0; j < rows; j++) {
    const open: number[] = [];
    for (let i = 0; i <= columns; i++) {
      if (i < columns) heights[i] = holds(i, j) ? heights[i] + 1 : 0;
      while (open.length > 0 && heights[open.at(-1)!] >= heights[i]) {
        const height = heights[open.pop()!];
        const x = open.length > 0 ? open.at(-1)! + 1 : 0;
        if (height * (i - x) > (best ? best.width * best.height : 0))
          best = { x, y: j - height + 1, width: i - x, height };
      }
      open.push(i);
    }
  }
  return best;
}
