/**
 * The classes of the network's steps that have several implementations, each alone, in all that the tuner compares: it
 * checks that they agree and times them in turns after a warm-up (src/tune). The tiles are as large as a merge cuts
 * them on a GPU; those of `deghost tune` would leave a large one half empty.
 */
import type { Gpu } from '../src/device.ts';
import { CancelledError } from '../src/errors.ts';
import type { DType } from '../src/kernels/tensor.ts';
import { tune } from '../src/tune/index.ts';
import type { TuneProgress, TuneResult } from '../src/tune/index.ts';
import type { NetworkConfig } from '../src/weights/config.ts';

/** One class. */
export interface LayerRow {
  precision: DType;
  name: string;
  /** Share of a merge's multiply-adds. */
  share: number;
  /** `640x640`: pixels of the tile whose step is timed. */
  tile: string;
  /** The implementation without tuning, and the tuner's. */
  fallback: string;
  chosen: string;
  /** 1e9 floating-point operations a second of each implementation, or why it has none. */
  gflops: Record<string, number | string>;
}

export interface LayersOptions {
  config: NetworkConfig;
  precision: DType;
  /** Side of the tile in pixels, a multiple of 16. */
  side: number;
  /** Milliseconds after which no further implementation is started. */
  limitMs: number;
  /** Classes to look at, by name; all by default. */
  filter?: (name: string) => boolean;
  signal?: AbortSignal;
  onProgress?: (progress: TuneProgress) => void;
}

/** Long against the 65 to 100 us to which browsers round timestamps. */
const PASS_MS = 20;

/** 1e9 operations a second, rounded: the raw figures are in the tuner's own times. */
const rate = (multiplyAdds: number, ms: number): number => Number(((2 * multiplyAdds) / ms / 1e6).toPrecision(4));

/** A tuning's classes as rows. */
export function layerRows({ precision, tile, classes }: TuneResult): LayerRow[] {
  return classes
    .filter(({ isTuned }) => isTuned)
    .map(({ name, share, multiplyAdds, fallback, chosen, candidates }) => ({
      precision,
      name,
      share,
      tile: `${tile.width}x${tile.height}`,
      fallback,
      chosen,
      gflops: Object.fromEntries(
        candidates.map(({ implementation, ms, error }) => [
          implementation,
          ms ? rate(multiplyAdds, ms) : (error ?? 'not reached'),
        ]),
      ),
    }));
}

/**
 * Times the classes of a network of three frames in one precision.
 * @throws UsageError for f16 without shader-f16; CancelledError; GpuError; DeviceLostError.
 */
export async function benchLayers({ device }: Gpu, options: LayersOptions): Promise<TuneResult> {
  const { config, precision, side, limitMs, filter, signal, onProgress } = options;
  const found = await tune({
    device,
    config,
    frames: 3,
    precision,
    tile: { width: side, height: side },
    limitMs,
    passMs: PASS_MS,
    filter,
    signal,
    onProgress,
  });
  if (found.stopped === 'cancelled') throw new CancelledError();
  return found;
}
