/**
 * A golden through the public API: what `Deghoster.merge` makes of its frames, against the PyTorch reference. Node's
 * tests call it as well (test/deghoster.test.ts).
 */
import { Deghoster } from '../../src/index.ts';
import type { CameraResponse, MergeResult } from '../../src/index.ts';
import { interleavedFrame, planar, uncut } from '../reference/golden.ts';
import type { Golden } from '../reference/golden.ts';
import { TooFarError, expectClose } from '../reference/random.ts';
import { tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';

/** Most a value of the picture or of a motion map may differ; both are in [0,1]. */
export const GOLDEN_TOLERANCE = 1e-4;

/**
 * Merges a golden's frames, given in an order and a scale of exposure of their own, and compares picture, motion maps,
 * order and scale. Binary maps must be the reference's exactly: no golden has a map within the tolerance of one half.
 * @returns the worst absolute difference of picture and maps.
 * @throws TooFarError naming the golden, what differs, and both values.
 */
export async function checkGolden(golden: Golden, device: GPUDevice): Promise<number> {
  const { name, taus, reference } = golden;
  const result = await mergeReversed(golden, device);
  const [{ w, h }] = golden.frames;
  const errors = [compare(planar(result.radiance, w, h), golden.stages.get('Y')!, `${name} Y`)];
  const maps = golden.config.ablation?.segmentation === 'none' ? 0 : taus.length;
  if (result.motion.length !== maps) throw new Error(`${name}: ${result.motion.length} motion maps, expected ${maps}`);
  if (golden.config.maskMode === 'binary') expectClearCuts(golden);
  result.motion.forEach((map, k) => {
    // The golden's maps cover the padded picture.
    const padded = golden.stages.get(`W.${k + 1}`)!;
    const expected = tensor(
      1,
      h,
      w,
      Float64Array.from(map, (_, i) => padded.data[Math.floor(i / w) * padded.w + (i % w)]),
    );
    errors.push(compare(tensor(1, h, w, map), expected, `${name} W.${k + 1}`));
  });
  const order = taus.map((_, k) => taus.length - 1 - k);
  if (result.order.join() !== order.join()) throw new Error(`${name}: order is ${result.order}, expected ${order}`);
  if (Math.abs(result.scale - taus[reference]) > 1e-9)
    throw new Error(`${name}: scale is ${result.scale}, expected ${taus[reference]}`);
  return Math.max(...errors);
}

async function mergeReversed(golden: Golden, device: GPUDevice): Promise<MergeResult> {
  const frames = golden.frames.map((x, k) => interleavedFrame(x, golden.taus[k] / 30, golden.coverage?.[k])).reverse();
  const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device });
  try {
    return await deghoster.merge(frames, { reference: golden.reference, response: responseOf(golden), align: 'none' });
  } finally {
    deghoster.dispose();
  }
}

function responseOf({ response }: Golden): CameraResponse | 'gamma' {
  const [r, g, b] = response?.map((curve) => Array.from(curve)) ?? [];
  return response ? { r, g, b } : 'gamma';
}

function compare(actual: Tensor, expected: Tensor, label: string): number {
  return expectClose(actual.data, expected.data, { tol: GOLDEN_TOLERANCE, scale: 1, label, where: where(expected) });
}

function expectClearCuts(golden: Golden): void {
  golden.frames.forEach((_, k) => {
    const nearest = uncut(golden, k)?.reduce((least, w) => Math.min(least, Math.abs(w - 0.5)), Infinity) ?? Infinity;
    if (nearest <= GOLDEN_TOLERANCE)
      throw new TooFarError(
        `${golden.name} W.${k + 1}: before the cut a value is ${nearest} from 0.5, too near for a binary map to be ` +
          'certain: remake the golden with another seed',
        nearest,
      );
  });
}
