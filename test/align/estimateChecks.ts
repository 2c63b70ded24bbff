/**
 * Alignments of scenes whose truth is known, and what they came out as: every runtime must find the same to a hundredth
 * of a pixel.
 */
import { estimateAlignments } from '../../src/align/estimate.ts';
import type { AlignDevice, EstimateOptions } from '../../src/align/estimate.ts';
import { apply, inverse } from '../../src/align/homography.ts';
import type { FrameAlignment, Homography } from '../../src/align/types.ts';
import { Gpu } from '../../src/device.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import { Transfer } from '../../src/graph/transfer.ts';
import type { Frame } from '../../src/image/frame.ts';
import { aboutMiddle, scene, shoot } from './scene.ts';

/** What alignment runs on. */
export function alignDevice(device: GPUDevice): AlignDevice & { dispose(): void } {
  const gpu = new Gpu(device);
  const [transfer, pipelines] = [new Transfer(gpu), new Pipelines(gpu)];
  return { gpu, transfer: async () => transfer, pipelines, dispose: () => transfer.dispose() };
}

export const SIZE = { width: 168, height: 120 };

/** A bracket of a scene by hand: three exposures, the middle one is the reference. */
export function handHeld(seed: number, shots: readonly Homography[], bits: 8 | 16 | 32 = 8): Frame[] {
  return [0.06, 0.25, 1].map((exposure, k) =>
    shoot(scene(seed), { ...SIZE, exposure, matrix: shots[k], bits }, inverse),
  );
}

/** Where the frames of the checks lie. */
export const SHOTS: readonly Homography[] = [
  aboutMiddle(SIZE, { degrees: -1.4, scale: 1.004, x: 4.3, y: -6.2, tiltX: 2e-5 }),
  [1, 0, 0, 0, 1, 0, 0, 0, 1],
  aboutMiddle(SIZE, { degrees: 2.6, scale: 0.995, x: -9.1, y: 3.7, tiltY: -3e-5 }),
];

/** Mean distance of two homographies' points over a grid, in pixels. */
export function meanDistance(a: Homography, b: Homography, { width, height } = SIZE): number {
  let sum = 0;
  for (let i = 0; i < 81; i++) {
    const [x, y] = [((i % 9) / 8) * (width - 1), (Math.floor(i / 9) / 8) * (height - 1)];
    const [p, q] = [apply(a, x, y), apply(b, x, y)];
    sum += Math.hypot(p[0] - q[0], p[1] - q[1]) / 81;
  }
  return sum;
}

/** Aligns frames on a device. */
export async function align(
  device: GPUDevice,
  frames: Parameters<typeof estimateAlignments>[1],
  options: Partial<EstimateOptions> = {},
): Promise<FrameAlignment[]> {
  const on = alignDevice(device);
  try {
    return await estimateAlignments(on, frames, {
      reference: 1,
      method: 'auto',
      linear: false,
      memoryBudget: 2 ** 29,
      ...options,
    });
  } finally {
    on.dispose();
  }
}
