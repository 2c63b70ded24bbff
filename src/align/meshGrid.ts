/**
 * Where meshes are found, and the memory that it takes: apart from what finds them, which is loaded when one is tried.
 */
import type { Size } from './homography.ts';
import type { Level } from './levels.ts';
import { PIXEL_BYTES } from './pixels.ts';

/** Distance of nodes in pixels of the level, about. */
export const CELL = 32;

/** Floats of a node's sums: two vec4f. */
export const NODE_FLOATS = 8;

/** Most pixels of the level that a mesh is found at, and of the level that shows whether one helps. */
export const MESH_PIXELS = 1_500_000;
export const MESH_TRIAL = 400_000;

/** Updates at each level, for the mesh and for the trial. */
export const MESH_UPDATES = 4;
export const MESH_TRIAL_UPDATES = 2;

/** Levels with a shorter side than this say too little about single nodes. */
const LEAST_SIDE = 40;
/** Levels that shifts are found at, one after another. */
const LEVELS = 3;

/** The levels that shifts are found at, coarsest first. */
export function meshLevels(levels: readonly Level[], mostPixels: number): Level[] {
  const from = levels.findIndex(({ width, height }) => width * height <= mostPixels);
  const first = from < 0 ? levels.length - 1 : from;
  return levels
    .slice(first, first + LEVELS)
    .filter(({ width, height }, i) => i === 0 || Math.min(width, height) >= LEAST_SIDE)
    .reverse();
}

/** Bytes of the buffers that a mesh needs. */
export function meshBytes(levels: readonly Level[], mostPixels: number): number {
  const { width, height } = meshLevels(levels, mostPixels).at(-1)!;
  const { columns, rows } = gridOf({ width, height });
  return width * height * PIXEL_BYTES + columns * rows * (3 * 8 + NODE_FLOATS * 4 * 2 + 8);
}

export function gridOf({ width, height }: Size): { columns: number; rows: number } {
  return { columns: Math.max(2, Math.round(width / CELL)), rows: Math.max(2, Math.round(height / CELL)) };
}
