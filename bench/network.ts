/**
 * The whole network as the library runs it, validated against the PyTorch goldens first: time from frames in memory to the picture in memory, of the
 * first run in this process (compiling included) and of later ones.
 */
import { Deghoster } from '../src/index.ts';
import type { Frame } from '../src/index.ts';
import { stageWork } from '../src/model/schedule.ts';
import { expectClose, rng } from '../test/reference/random.ts';
import { readGolden } from '../test/reference/goldens.ts';
import { median, spread, time } from './timing.ts';

export interface NetworkRow {
  name: string;
  size: string;
  firstMs: number;
  ms: number;
  spread: number;
  gflops: number;
  peakBytes: number;
}

/** Merges a golden and compares: a wrong engine is not timed. */
export async function validate(device: GPUDevice, name: string): Promise<number> {
  const golden = readGolden(name);
  const frames = golden.frames.map(({ data, h, w }, k): Frame => ({
    data: Float32Array.from({ length: data.length }, (_, i) => data[(i % 3) * h * w + Math.floor(i / 3)]),
    width: w,
    height: h,
    exposure: golden.taus[k],
  }));
  const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device });
  const { radiance } = await deghoster.merge(frames, { reference: golden.reference });
  deghoster.dispose();
  const expected = golden.stages.get('Y')!;
  const interleaved = Float32Array.from(radiance, (_, i) => expected.data[(i % 3) * expected.h * expected.w + Math.floor(i / 3)]);
  return expectClose(radiance, interleaved, { tol: 1e-4, scale: 1, label: name });
}

/** Times merges of `count` random frames. */
export async function benchNetwork(device: GPUDevice, weights: Uint8Array, name: string, width: number, height: number, count: number, seconds: number): Promise<NetworkRow> {
  const random = rng(3);
  const frames = Array.from({ length: count }, (_, k): Frame => ({ data: random.floats(width * height * 3, 0, 1), width, height, exposure: 4 ** k }));
  const deghoster = await Deghoster.create({ weights, device });
  const begun = performance.now();
  const { peakBytes } = await deghoster.merge(frames);
  const firstMs = performance.now() - begun;
  const samples = await time(() => deghoster.merge(frames), { seconds });
  const work = deghoster.plan(width, height, count).schedule.stages.reduce((sum, stage) => sum + stageWork(stage), 0);
  deghoster.dispose();
  const ms = median(samples);
  return { name, size: `${width}x${height}`, firstMs, ms, spread: spread(samples), gflops: (2 * work) / ms / 1e6, peakBytes };
}
