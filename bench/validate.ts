/** Merges a golden and compares with PyTorch: a wrong engine is not timed. */
import { Deghoster } from '../src/index.ts';
import { expectClose } from '../test/reference/random.ts';
import { interleavedFrame, planar } from '../test/reference/golden.ts';
import { readGolden } from '../test/reference/goldens.ts';

/** @returns the largest error. @throws TooFarError beyond 1e-4. */
export async function validate(device: GPUDevice, name: string): Promise<number> {
  const golden = readGolden(name);
  const frames = golden.frames.map((frame, k) => interleavedFrame(frame, golden.taus[k], golden.coverage?.[k]));
  const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device });
  const { radiance, width, height } = await deghoster.merge(frames, { reference: golden.reference, align: 'none' });
  deghoster.dispose();
  return expectClose(planar(radiance, width, height).data, golden.stages.get('Y')!.data, {
    tol: 1e-4,
    scale: 1,
    label: name,
  });
}
