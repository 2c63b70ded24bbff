/** What a classical deghosting method of `deghost evaluate` is: a function from a stack to a picture, on the CPU. */
import { inBands } from '../../../image/bands.ts';

/** A stack as methods see it. Methods give the same picture for any order of its frames. */
export interface MethodStack {
  /** X' of each frame: gamma-encoded `[height, width, 3]` in [0,1], the camera's response undone. */
  frames: readonly Float32Array[];
  /** Exposure of each frame, relative to the shortest. */
  taus: readonly number[];
  /** For each frame, `[height, width]`, 0 where it has no data; undefined if it has data everywhere. */
  coverage: readonly (Uint8Array | undefined)[];
  width: number;
  height: number;
  /** Radiance of a sample is `X'^gamma / tau`. */
  gamma: number;
}

export interface Method {
  /** Its name as the value of `--method` and as a row. */
  name: string;
  /** What it makes: linear radiance, where 1 is the saturation of the shortest frame, or a picture for a display. */
  output: 'radiance' | 'display';
  /** Makes the picture, `[height, width, 3]`. @throws CancelledError. */
  run: (stack: MethodStack, signal?: AbortSignal) => Promise<Float32Array<ArrayBuffer>>;
}

/** Weight of any sample with data: decides only where no frame has a better one. */
export const LEAST_WEIGHT = 1e-6;

/**
 * Weights by exposure: for each frame `[height, width]`, the smallest of the three channels' `hat(x)`; 1 on the bright
 * side of the shortest frame and on the dark side of the longest, which no other frame sees better; 0 without data.
 * @param hat weight of a sample x in [0,1].
 */
export function exposureWeights(
  { frames, taus, coverage }: MethodStack,
  hat: (x: number) => number,
): Float64Array<ArrayBuffer>[] {
  const [shortest, longest] = [Math.min(...taus), Math.max(...taus)];
  return frames.map((frame, k) => {
    const weight = (x: number): number =>
      (taus[k] === shortest && x > 0.5) || (taus[k] === longest && x < 0.5) ? 1 : hat(x);
    return Float64Array.from({ length: frame.length / 3 }, (_, p) =>
      coverage[k]?.[p] === 0
        ? 0
        : Math.min(weight(frame[3 * p]), weight(frame[3 * p + 1]), weight(frame[3 * p + 2])) + LEAST_WEIGHT,
    );
  });
}

/** The weight of deghost's plain merge: 1 in the middle, falling to 0 at black and white. */
export function triangle(x: number): number {
  return 1 - Math.abs(2 * x - 1);
}

/**
 * The weighted mean of the frames' radiance; where all weights are 0, the plain mean.
 * @param weights for each frame, `[height, width]`.
 */
export async function weightedMerge(
  { frames, taus, width, height, gamma }: MethodStack,
  weights: readonly Float64Array[],
  signal?: AbortSignal,
): Promise<Float32Array<ArrayBuffer>> {
  const out = new Float32Array(width * height * 3);
  const work = (from: number, to: number): void => {
    for (let p = from; p < to; p++) {
      const total = weights.reduce((sum, weight) => sum + weight[p], 0);
      for (let i = 3 * p; i < 3 * p + 3; i++)
        for (const [k, frame] of frames.entries())
          out[i] += ((total > 0 ? weights[k][p] / total : 1 / frames.length) * frame[i] ** gamma) / taus[k];
    }
  };
  await inBands(width * height, work, { signal });
  return out;
}
