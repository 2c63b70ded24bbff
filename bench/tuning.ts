/**
 * What `deghost tune` found for a device, if it has been run here: benchmarks run the implementations it chose, as
 * `deghost merge` does.
 */
import type { Gpu } from '../src/device.ts';
import type { Target } from '../src/kernels/target.ts';
import type { DType } from '../src/kernels/tensor.ts';
import { FileTuneCache } from '../src/node/tuneCache.ts';
import { choicesOf, deviceTuneKey, readTuning } from '../src/tune/index.ts';
import type { TuneResult } from '../src/tune/index.ts';

export function tuningOf(device: GPUDevice, precision: DType = 'f32'): Promise<TuneResult | undefined> {
  return readTuning(new FileTuneCache({ warn: (message) => console.warn(message) }), deviceTuneKey(device, precision));
}

/** What plans for a device are made for. */
export function targetOf({ capabilities }: Gpu, tuning: TuneResult | undefined): Target {
  return { capabilities, ...(tuning && { choices: choicesOf(tuning) }) };
}
