/** Which tiles each vendor's GPUs try with the methods that only a tuner chooses: see tiles.ts. */
import type { Vendor } from '../../target.ts';
import type { Layer } from '../method.ts';
import type { TileList } from './tileImplementations.ts';
import { BESIDE_HALVES, hasHalves } from './tiles.ts';

/** Tiles by method. */
export interface TunedTiles {
  /** `staged taps`. */
  stagedTaps: TileList;
  staged: TileList;
  /** Pixels and channels that an invocation stores (winogradSpread.ts). */
  winograd: TileList;
}

/** Intel's GPUs, and those whose vendor a browser does not tell. */
const OTHERS: TunedTiles = {
  stagedTaps: [[2, 2, 16]],
  staged: [
    [2, 2, 16],
    [2, 2, 8],
  ],
  winograd: [[1, 1, 16]],
};

const BY_VENDOR: Partial<Record<Vendor, TunedTiles>> = {
  nvidia: {
    stagedTaps: [],
    staged: [
      [2, 2, 16],
      [2, 1, 32],
    ],
    winograd: [
      [1, 1, 16],
      [1, 1, 32],
    ],
  },
  amd: {
    stagedTaps: [
      [2, 2, 16],
      [2, 2, 32],
      [4, 2, 8],
    ],
    staged: [],
    winograd: [
      [1, 1, 16],
      [1, 1, 32],
    ],
  },
  apple: {
    stagedTaps: [],
    staged: [
      [2, 2, 8],
      [2, 1, 16],
      [2, 2, 4],
      [1, 2, 8],
    ],
    winograd: [[1, 1, 8]],
  },
  qualcomm: {
    stagedTaps: [
      [2, 2, 16],
      [2, 1, 16],
    ],
    staged: [[2, 2, 8]],
    winograd: [[1, 1, 16]],
  },
  arm: {
    stagedTaps: [],
    staged: [
      [2, 2, 4],
      [2, 1, 8],
      [2, 2, 8],
    ],
    winograd: [[1, 1, 4]],
  },
};

/** The tiles that a layer's target tries; undefined for software adapters. */
export function tunedTiles({ target }: Layer): TunedTiles | undefined {
  const { cpu, vendor } = target.capabilities ?? {};
  if (cpu) return undefined;
  const tiles = (vendor && BY_VENDOR[vendor]) ?? OTHERS;
  return hasHalves(target) ? { ...tiles, stagedTaps: tiles.stagedTaps.slice(0, BESIDE_HALVES) } : tiles;
}
