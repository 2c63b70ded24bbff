/**
 * Which tiles each vendor's GPUs try with `direct`, the default first; tunedTiles.ts has those of the methods that only
 * a tuner chooses. A tile of more sums reads less and needs more registers; where they do not suffice, a driver spills
 * them to memory. `npm run isa` (bench/isa) shows what NVIDIA's, AMD's, Apple's and Qualcomm's compilers make of them:
 * what spills there is not here. Six to ten implementations of a class are what a tuner has time for.
 */
import type { Target, Vendor } from '../../target.ts';
import { vectorLanes } from '../method.ts';
import type { Layer } from '../method.ts';
import type { TileList } from './tileImplementations.ts';

/** Intel's GPUs, and those whose vendor a browser does not tell. */
const OTHERS: TileList = [
  [2, 2, 16],
  [4, 2, 8],
  [2, 2, 32],
  [2, 2, 8],
  [2, 2, 4],
  [2, 1, 16],
];

const BY_VENDOR: Partial<Record<Vendor, TileList>> = {
  /** Up to 255 registers. On an H100 and an H200 `direct 4x2x8` was the fastest in f32 (docs/gpu.md). */
  nvidia: [
    [4, 2, 8],
    [2, 2, 16],
    [4, 2, 16],
  ],
  /** Up to 256 registers. Weights are the same for all invocations, so they take scalar registers. */
  amd: [
    [2, 2, 32],
    [2, 2, 16],
    [4, 2, 8],
  ],
  /** 128 registers: 64 sums with their taps are too many. */
  apple: [
    [2, 2, 8],
    [2, 1, 16],
    [2, 2, 4],
  ],
  /** 192 registers at a third of the waves, 128 at half of them. */
  qualcomm: [
    [2, 2, 16],
    [4, 2, 8],
    [2, 1, 16],
    [2, 2, 8],
  ],
  /** 64 registers. No compiler of theirs runs without the GPU: these are the smallest tiles. */
  arm: [
    [2, 2, 4],
    [1, 2, 8],
    [2, 1, 8],
    [2, 1, 16],
    [2, 2, 8],
  ],
};

/** What software adapters try: compiling one tile takes as long there as for several on a GPU. */
const SOFTWARE: TileList = [
  [2, 2, 16],
  [4, 2, 16],
  [2, 2, 32],
  [4, 2, 8],
];

/** The tiles that a layer's target tries with `direct`. */
export function directTiles({ target }: Layer): TileList {
  const { cpu, vendor } = target.capabilities ?? {};
  if (cpu) return vectorLanes(target) ? SOFTWARE.slice(0, 1) : SOFTWARE;
  const tiles = (vendor && BY_VENDOR[vendor]) ?? OTHERS;
  return hasHalves(target) ? tiles.slice(0, BESIDE_HALVES) : tiles;
}

/** The tiles that AMD's GPUs try with `halves`, the default first. By their compiler: 1.8 times fewer instructions. */
const HALVES: TileList = [
  [2, 2, 16],
  [2, 2, 32],
];

/** Where there are packed halves, a tuner has no time for more tiles of each other method than these. */
export const BESIDE_HALVES = 2;

/** Whether a target runs packed halves by default. */
export function hasHalves({ precision, capabilities }: Target): boolean {
  return precision === 'f16' && capabilities?.vendor === 'amd';
}

/** The tiles that a layer's target runs with `halves` by default. */
export function halfTiles({ target }: Layer): TileList {
  return hasHalves(target) ? HALVES : [];
}
