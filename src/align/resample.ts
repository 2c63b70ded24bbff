/** Aligns frames for other programs: the same as a merge does on the way into its tiles, read back as a picture. */
import { BOOLEAN, DEVICE, FUNCTION, POSITIVE, SIGNAL, expect, oneOf, readOptions, whole } from '../checks.ts';
import { Gpu } from '../device.ts';
import { throwIfCancelled } from '../errors.ts';
import { Pipelines } from '../graph/pipelines.ts';
import { Transfer } from '../graph/transfer.ts';
import { maxSample, middleFrame, sortFrames } from '../image/frame.ts';
import type { Frame, FrameSource } from '../image/frame.ts';
import { readArrays, readFrames, whileKept } from '../image/readFrames.ts';
import { NO_DATA } from '../kernels/stack.ts';
import { DEFAULT_MEMORY_BUDGET } from '../model/schedule.ts';
import { estimateAlignments } from './estimate.ts';
import type { EstimateOptions } from './estimate.ts';
import { readWarp } from './readWarp.ts';
import type { FrameAlignment, Warp } from './types.ts';
import { Warper } from './warper.ts';

/** How a stack is aligned. Every field has a default. */
export interface AlignStackOptions extends Partial<Omit<EstimateOptions, 'reference'>> {
  /** Reference frame, from 0 in exposure order; the middle one by default. */
  reference?: number;
}

/** A stack's alignment. */
export interface StackAlignment {
  /** One for each frame, in exposure order. */
  alignment: FrameAlignment[];
  /** Input index of each frame in exposure order. */
  order: number[];
  /** From 0 in exposure order. */
  reference: number;
}

/**
 * Finds how the frames of a stack lie on its reference.
 * @param device stays open.
 * @throws InputError; UsageError; CancelledError; GpuError; DeviceLostError.
 */
export async function alignStack(
  device: GPUDevice,
  frames: readonly FrameSource[],
  options: AlignStackOptions = {},
): Promise<StackAlignment> {
  expect('device', device, DEVICE);
  const { frames: sorted, order } = sortFrames(readFrames(frames));
  const read = readOptions('alignStack', options, {
    reference: whole(0, sorted.length - 1),
    method: oneOf('auto', 'homography', 'mesh'),
    linear: BOOLEAN,
    memoryBudget: POSITIVE,
    signal: SIGNAL,
    onProgress: FUNCTION,
  });
  const { reference = middleFrame(sorted.length), memoryBudget = DEFAULT_MEMORY_BUDGET } = read;
  const gpu = Gpu.of(device);
  const transfer = new Transfer(gpu);
  try {
    const on = { gpu, transfer: async () => transfer, pipelines: new Pipelines(gpu) };
    const how = { method: 'auto', linear: false, ...read, memoryBudget, reference } as const;
    const alignment = await whileKept(sorted, undefined, () => estimateAlignments(on, sorted, how));
    return { alignment, order, reference };
  } finally {
    transfer.dispose();
  }
}

/** Most pixels that are read back at once. */
const STRIP_PIXELS = 1 << 20;

/**
 * Resamples a frame so that it lies on the reference.
 * @param device stays open.
 * @returns a frame of the same kind of samples; `coverage` says where it has data, and is absent if it has everywhere.
 * @throws InputError; UsageError; CancelledError; GpuError; DeviceLostError.
 */
export async function warpFrame(
  device: GPUDevice,
  given: Frame,
  warp: Warp,
  options: { signal?: AbortSignal } = {},
): Promise<Frame> {
  expect('device', device, DEVICE);
  const [frame] = readArrays([given], false);
  const read = readWarp('warp', warp);
  const { signal } = readOptions('warpFrame', options, { signal: SIGNAL });
  const { coverage: _, ...rest } = given;
  return { ...rest, ...(await whileKept([frame], undefined, () => resampled(device, frame, read, signal))) };
}

async function resampled(
  device: GPUDevice,
  frame: Frame,
  warp: Warp,
  signal: AbortSignal | undefined,
): Promise<Pick<Frame, 'data' | 'coverage'>> {
  const { width, height } = frame;
  const gpu = Gpu.of(device);
  const transfer = new Transfer(gpu);
  const warper = new Warper({ gpu, transfer: async () => transfer, pipelines: new Pipelines(gpu) }, [frame]);
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP_PIXELS / width)));
  const size = rows * width * 16;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const [strip, readback] = await gpu.guard('allocating an aligned frame', (own) => [
    own(device.createBuffer({ label: 'aligned strip', size, usage: STORAGE | COPY_SRC | COPY_DST })),
    own(device.createBuffer({ label: 'aligned strip readback', size, usage: MAP_READ | COPY_DST })),
  ]);
  const data = new (frame.data.constructor as new (length: number) => typeof frame.data)(frame.data.length);
  const coverage = new Uint8Array(width * height);
  const top = maxSample(data);
  const isFloat = data instanceof Float32Array;
  try {
    for (let y = 0; y < height; y += rows) {
      throwIfCancelled(signal);
      const count = Math.min(rows, height - y) * width;
      // Data is everywhere until the warp says otherwise.
      await gpu.guard('clearing an aligned strip', () => {
        const encoder = device.createCommandEncoder({ label: 'aligned strip' });
        encoder.clearBuffer(strip);
        device.queue.submit([encoder.finish()]);
      });
      await warper.load(frame, warp, { x: 0, y, width, height: count / width }, { buffer: strip, first: 0 });
      await gpu.guard('reading an aligned frame', () => {
        const encoder = device.createCommandEncoder({ label: 'aligned strip' });
        encoder.copyBufferToBuffer(strip, 0, readback, 0, 16 * count);
        device.queue.submit([encoder.finish()]);
      });
      const take = (range: ArrayBuffer): void => {
        const values = new Float32Array(range);
        for (let i = 0; i < count; i++) {
          const at = y * width + i;
          for (let c = 0; c < 3; c++) {
            const value = values[4 * i + c] * top;
            data[3 * at + c] = isFloat ? value : Math.round(value);
          }
          const hasData = values[4 * i + 3] > NO_DATA / 2;
          coverage[at] = hasData ? 255 : 0;
        }
      };
      await gpu.read(readback, take, 16 * count);
    }
  } finally {
    warper.dispose();
    transfer.dispose();
    strip.destroy();
    readback.destroy();
  }
  return { data, ...(coverage.includes(0) && { coverage }) };
}
