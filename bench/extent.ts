/** How much is measured: from a trial of the program itself to everything that a large GPU can do. */
import type { MergesOptions } from './merges.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export interface Extent {
  /** Square size of the kernels' pictures; none are timed at 0. */
  kernelSize: number;
  /** The tiles whose layers are timed in every implementation. */
  layers?: { side: number; limitMs: number; filter?: (name: string) => boolean };
  merges?: Pick<MergesOptions, 'sizes' | 'budgets' | 'runs' | 'limitMs' | 'mostMs'>;
}

/** Extents by name. */
export const EXTENTS = {
  /** The program itself, on any adapter. Software adapters compile a 3x3 for up to minutes, so layers are 1x1 ones. */
  trial: {
    kernelSize: 32,
    layers: { side: 32, limitMs: 60_000, filter: (name) => /1x1 (\d+)>\1( f16)?$/.test(name) },
    merges: { sizes: [{ width: 64, height: 48 }], budgets: [512 * MIB], runs: 2, limitMs: 5000, mostMs: 60_000 },
  },
  /** A few minutes on a laptop's GPU. */
  usual: {
    kernelSize: 1024,
    layers: { side: 640, limitMs: 45_000 },
    merges: {
      sizes: [
        { width: 256, height: 256 },
        { width: 1500, height: 1000 },
      ],
      budgets: [512 * MIB, 2 * GIB],
      runs: 5,
      limitMs: 20_000,
      mostMs: 30_000,
    },
  },
  /** A large GPU. */
  large: {
    kernelSize: 1024,
    layers: { side: 640, limitMs: 45_000 },
    merges: {
      sizes: [
        { width: 256, height: 256 },
        { width: 1500, height: 1000 },
        { width: 6000, height: 4000 },
      ],
      budgets: [512 * MIB, 2 * GIB, 8 * GIB],
      runs: 5,
      limitMs: 20_000,
      mostMs: 60_000,
    },
  },
} as const satisfies Record<string, Extent>;

export type ExtentName = keyof typeof EXTENTS;
