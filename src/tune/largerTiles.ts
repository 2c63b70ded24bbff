/**
 * The tiles in which a GPU's steps are timed: as large as those that merges run, for a small tile does not fill a large
 * GPU and makes small register tiles look fast. Implementations are compared in a small tile, which costs little. A
 * slow GPU, which a small tile fills, stays with that: otherwise the time would not suffice.
 */
import { GpuError } from '../errors.ts';
import type { Target } from '../kernels/target.ts';
import type { NetworkConfig } from '../weights/config.ts';
import type { ClassBench, Timed } from './bench.ts';
import { CHECKED_TILE, stepClasses } from './classes.ts';
import type { StepClass } from './classes.ts';

/** How many times as wide and high as `CHECKED_TILE`. Merges of large pictures cut tiles of about 1024x1024. */
const GROWTHS = [8, 4, 2];
/** Most bytes that a step's tensors may take: half of what a merge may, by default. */
const MOST_BYTES = 2 ** 30;
/** Most milliseconds that a run should take: a run is timed six times at least. */
const MOST_RUN_MS = 16;

/** A class in the tile that it is timed in, and its implementations. */
export interface Grown {
  stepClass: StepClass;
  subjects: Map<string, Timed>;
}

function tileOf(growth: number): typeof CHECKED_TILE {
  return { width: growth * CHECKED_TILE.width, height: growth * CHECKED_TILE.height };
}

/** Makes tiles larger. */
export class LargerTiles {
  readonly #classes = new Map<number, Map<string, StepClass>>();
  readonly #make: (growth: number) => readonly StepClass[];
  /** The largest that was made. */
  largest = CHECKED_TILE;

  constructor(config: NetworkConfig, frames: number, target: Target) {
    this.#make = (growth) => stepClasses(config, frames, tileOf(growth), target);
  }

  /** The class in a tile `growth` times as wide and high. */
  #grown({ name }: StepClass, growth: number): StepClass {
    let classes = this.#classes.get(growth);
    if (!classes) {
      classes = new Map(this.#make(growth).map((one) => [one.name, one]));
      this.#classes.set(growth, classes);
    }
    return classes.get(name)!;
  }

  /**
   * The implementations in the largest tile that suits the GPU; undefined if no larger one does.
   * @param opened the class in `CHECKED_TILE`.
   * @param ms about how long a run takes there.
   */
  async grow(
    stepClass: StepClass,
    opened: ClassBench,
    implementations: readonly string[],
    ms: number,
  ): Promise<Grown | undefined> {
    for (const growth of GROWTHS) {
      if (ms * growth ** 2 > MOST_RUN_MS || stepClass.bytes * growth ** 2 > MOST_BYTES) continue;
      const grown = this.#grown(stepClass, growth);
      try {
        const subjects = await opened.enlarge(grown, implementations);
        if (tileOf(growth).width > this.largest.width) this.largest = tileOf(growth);
        return { stepClass: grown, subjects };
      } catch (error) {
        // A buffer is larger than the device allows, or there is not enough memory.
        if (!(error instanceof GpuError)) throw error;
      }
    }
    return undefined;
  }
}
