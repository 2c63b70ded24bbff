/**
 * The pyramid's levels: their sizes, and where they lie in a picture's buffer.
 *
 * Each level has half the size of the one before; pixel 0 stays at 0, so a homography between levels scales by exactly
 * 2.
 */
import type { Size } from './homography.ts';

/** The coarsest level's short side is at least this, and less than twice this. */
const LEAST_SIDE = 20;

/** Most pixels of the finest level: at half resolution, alignments are off by 0.08 to 0.1 px instead of 0.05. */
export const MOST_PIXELS = 6_000_000;

export interface Level extends Size {
  /** How often the picture was halved. */
  halvings: number;
  /** Index of the level's first pixel in the buffer. */
  first: number;
}

/** Half the size, rounded up. */
export function half({ width, height }: Size): Size {
  return { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
}

/**
 * The levels of a picture, finest first.
 * @param mostPixels limit for the finest level.
 */
export function levelsOf(picture: Size, mostPixels = MOST_PIXELS): Level[] {
  let { width, height } = picture;
  let halvings = 0;
  while (width * height > mostPixels) {
    ({ width, height } = half({ width, height }));
    halvings++;
  }
  const levels: Level[] = [{ width, height, halvings, first: 0 }];
  while (Math.min(width, height) / 2 >= LEAST_SIDE) {
    const { first } = levels.at(-1)!;
    const next = { first: first + width * height, halvings: ++halvings };
    ({ width, height } = half({ width, height }));
    levels.push({ width, height, ...next });
  }
  return levels;
}

/** Pixels of all levels together. */
export function pixelsOf(levels: readonly Level[]): number {
  return levels.reduce((sum, { width, height }) => sum + width * height, 0);
}
