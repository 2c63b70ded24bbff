/**
 * How frames are read: which levels their pyramids have, in which bands of rows they are made, and the bytes of all
 * buffers of an alignment. Pure functions: `deghost plan` prints what they say.
 */
import type { FrameSource } from '../image/frame.ts';
import type { Size } from './homography.ts';
import { MOST_PIXELS, half, levelsOf, pixelsOf } from './levels.ts';
import { PIXEL_BYTES } from './pixels.ts';
import type { Level } from './levels.ts';
import { MESH_PIXELS, meshBytes } from './meshGrid.ts';
import { Search } from './search.ts';

/** Most bytes of a band's luma, also as a share of the memory budget. */
const BAND_BYTES = 16 * 1024 ** 2;
const BAND_SHARE = 1 / 8;

/** Pictures with a shorter side are not aligned: they have too few levels to find anything. */
export const LEAST_SIDE = 64;

/** Bytes of a pixel's samples on the GPU: those of an array, or a vec4f. */
export function sampleBytes(frame: FrameSource): number {
  return 'data' in frame ? 3 * frame.data.BYTES_PER_ELEMENT : 16;
}

/** How pyramids of one size are built. */
export interface Bands {
  levels: readonly Level[];
  /** The frame's size, and the sizes of its halvings down to the finest level. */
  sizes: readonly Size[];
  /** Rows of the finest level in a band. */
  rows: number;
  /** Where each level's luma begins, in pixels: every other level is in another buffer, beginning with the finest. */
  lumaFirst: readonly number[];
  /** Bytes of each buffer beside the pyramids: samples, coverage, two of levels' luma, and one a halving. */
  buffers: readonly number[];
}

/** Rows of each halving that some rows of the last one need: `[first, end)`, the frame's own rows first. */
export function rowsNeeded(sizes: readonly Size[], from: number, to: number): [number, number][] {
  const needed: [number, number][] = [[from, to]];
  for (let i = sizes.length - 2; i >= 0; i--) {
    const [a, b] = needed[0];
    needed.unshift([Math.max(0, 2 * a - 2), Math.min(sizes[i].height, 2 * b + 1)]);
  }
  return needed;
}

/** The bands of frames whose pyramids have some levels. */
function bandsOf(size: Size, bytesPerPixel: number, levels: readonly Level[], bandBytes: number): Bands {
  const [{ height, halvings }] = levels;
  const sizes = [size];
  while (sizes.length <= halvings) sizes.push(half(sizes.at(-1)!));
  const rows = Math.max(1, Math.min(height, Math.floor(bandBytes / (size.width * PIXEL_BYTES * 2 ** halvings))));
  const middle = Math.max(0, Math.floor((height - rows) / 2));
  const pixels = rowsNeeded(sizes, middle, Math.min(height, middle + rows)).map(
    ([a, b], i) => (b - a + 2) * sizes[i].width,
  );
  const luma = [0, 0];
  const lumaFirst = levels.map(({ width, height }, i) => (luma[i % 2] += width * height) - width * height);
  const words = (bytes: number): number => Math.ceil(bytes / 4) * 4;
  return {
    levels,
    sizes,
    rows,
    lumaFirst,
    buffers: [
      words(pixels[0] * bytesPerPixel),
      words(pixels[0]),
      ...luma.map((count) => Math.max(1, count) * PIXEL_BYTES),
      ...pixels.slice(0, -1).map((count) => count * PIXEL_BYTES),
    ],
  };
}

/** Bytes of a pyramid. */
export function pyramidBytes(levels: readonly Level[]): number {
  return pixelsOf(levels) * PIXEL_BYTES;
}

/** Bytes of the GPU buffers that finding an alignment takes: two pyramids, what builds them, and what searches. */
function bytesOf({ levels, buffers }: Bands): number {
  const building = buffers.reduce((a, b) => a + b, 0);
  return 2 * pyramidBytes(levels) + building + Search.bytes(levels) + meshBytes(levels, MESH_PIXELS);
}

/**
 * The finest levels whose buffers fit a memory budget, and the bytes of all buffers.
 * @param bytesPerPixel as `sampleBytes`.
 * @returns the least of all, with `fits` false, if even that takes more.
 */
export function fittingBands(
  size: Size,
  bytesPerPixel: number,
  memoryBudget: number,
): { bands: Bands; bytes: number; fits: boolean } {
  const bandBytes = Math.min(BAND_BYTES, BAND_SHARE * memoryBudget);
  const fitting = (most: number, band: number): ReturnType<typeof fittingBands> => {
    const bands = bandsOf(size, bytesPerPixel, levelsOf(size, most), band);
    const bytes = bytesOf(bands);
    return { bands, bytes, fits: bytes <= memoryBudget };
  };
  let most = MOST_PIXELS;
  for (; most >= LEAST_SIDE ** 2; most /= 4) {
    const found = fitting(most, bandBytes);
    if (found.fits) return found;
  }
  // The coarsest levels, row by row.
  return fitting(4 * most, 0);
}
