/** What a program costs for each multiply-add of the convolution that it computes. */
import type { CodeLoop, Kind } from './listing.ts';

/**
 * Instructions for each multiply-add of the convolution as it is written, so Winograd's count can be below 1. Every
 * invocation of the dispatch counts, those beyond the picture's edge too, and both sides of each branch.
 */
export interface Counts {
  /** Arithmetic of every invocation. */
  arithmetic: number;
  /** Arithmetic once for all invocations together. */
  uniform: number;
  /** Products of matrix units. */
  matrix: number;
  /** Loads from buffers and textures, and loads from workgroup memory. */
  loads: number;
  shared: number;
  stores: number;
  spills: number;
  /** All of these, with branches, barriers and waits. */
  all: number;
  /** The multiply-adds that are done in place of one, matrix units apart. */
  products: number;
}

/**
 * Counts a program's instructions. @param rounds how often each of its loops goes round in an invocation (loops.ts).
 * @param multiplyAdds those of an invocation, as the convolution is written.
 */
export function countsOf(rounds: ReadonlyMap<CodeLoop, number>, multiplyAdds: number): Counts {
  const sums: Record<Kind, number> = {
    alu: 0,
    uniform: 0,
    matrix: 0,
    load: 0,
    shared: 0,
    store: 0,
    spill: 0,
    other: 0,
  };
  let products = 0;
  for (const [{ instructions }, times] of rounds) {
    for (const instruction of instructions) {
      sums[instruction.kind] += times * instruction.times;
      products += times * instruction.times * instruction.multiplies;
    }
  }
  const per = (sum: number): number => sum / multiplyAdds;
  return {
    arithmetic: per(sums.alu),
    uniform: per(sums.uniform),
    matrix: per(sums.matrix),
    loads: per(sums.load),
    shared: per(sums.shared),
    stores: per(sums.store),
    spills: per(sums.spill),
    all: per(Object.values(sums).reduce((a, b) => a + b, 0)),
    products: per(products),
  };
}
