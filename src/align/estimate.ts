/**
 * Estimates how each frame of a stack lies on the reference.
 *
 * Every frame is aligned to the reference directly, in both directions independently. Where the two do not agree, a
 * simpler model is tried: a wrong warp would do more harm than none.
 */
import type { Gpu } from '../device.ts';
import { bytesText, enoughBytesText } from '../bytesText.ts';
import { InputError } from '../errors.ts';
import type { Pipelines } from '../graph/pipelines.ts';
import type { Transfer } from '../graph/transfer.ts';
import { frameSize } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { Commands } from '../graph/commands.ts';
import type { Model } from './gaussNewtonPrograms.ts';
import { IDENTITY, displacement, isPlausible, roundTrip } from './homography.ts';
import { LEAST_SIDE, fittingBands, sampleBytes } from './bands.ts';
import type { Level } from './levels.ts';
import { PyramidBuilder } from './pyramid.ts';
import { Search } from './search.ts';
import type { Found } from './search.ts';
import { MESH_PIXELS, MESH_TRIAL, MESH_TRIAL_UPDATES, MESH_UPDATES } from './meshGrid.ts';
import type { FoundMesh } from './meshSearch.ts';
import type { FrameAlignment } from './types.ts';

/** What alignment runs on: a device and what is kept for it. */
export interface AlignDevice {
  gpu: Gpu;
  /** For frames that are not arrays. */
  transfer(): Promise<Transfer>;
  /** Keeps the compiled programs from one call to the next. */
  pipelines: Pipelines;
}

/** How frames are aligned. */
export interface EstimateOptions {
  /** The frame that the others are aligned to, from 0. */
  reference: number;
  /** `homography`; `mesh` adds shifts on a grid; `auto` does so where frames then agree better. */
  method: 'auto' | 'homography' | 'mesh';
  /** Whether samples are linear light. */
  linear: boolean;
  /** Most bytes of GPU buffers. */
  memoryBudget: number;
  signal?: AbortSignal;
  /** Called with the number of frames that are aligned, from 0 to all but the reference. */
  onProgress?: (done: number, total: number) => void;
}

/** Frames that move less than this are not resampled, which would cost more than it gains. */
export const LEAST_DISPLACEMENT = 0.15;

/** Largest mean round trip that is trusted, in pixels of the finest level. */
const MOST_ROUND_TRIP = 0.3;
/** At finest levels of more pixels than this, the way back is found at half the size: it is only a check. */
const ENOUGH_TO_CHECK = 500_000;

/** The finest level of the way back. */
export function checkedFrom(levels: readonly Level[]): number {
  const [{ width, height }] = levels;
  return width * height > ENOUGH_TO_CHECK && levels.length > 1 ? 1 : 0;
}

/** Least overlap that is trusted: usable pixels in both frames, as a share of the picture. */
const LEAST_OVERLAP = 0.03;
/** Least correlation of features, for models simpler than asked for. */
const LEAST_CORRELATION = 0.3;

/**
 * With `auto`, a mesh is used where it lowers the error of features to less than this share: 0.60 to 0.83 with
 * parallax of 1 to 4 px in 19 pairs, never below 0.97 without in 176, still or moving.
 */
const MESH_GAIN = 0.93;

function gains({ before, after }: FoundMesh): boolean {
  return after < MESH_GAIN * before;
}

const MODELS: readonly Model[] = ['homography', 'similarity', 'translation'];

/**
 * Estimates the alignment of each frame.
 * @param frames of one size, in exposure order.
 * @returns one for each frame, with what it takes to resample it; `failed` where only a simpler model than a homography
 * could be trusted, or none.
 * @throws InputError for a memory budget that is too small; CancelledError; GpuError; DeviceLostError.
 */
export async function estimateAlignments(
  on: AlignDevice,
  frames: readonly FrameSource[],
  { reference, method, linear, memoryBudget, signal, onProgress }: EstimateOptions,
): Promise<FrameAlignment[]> {
  const { gpu, pipelines } = on;
  const size = frameSize(frames[0]);
  const result: FrameAlignment[] = frames.map((_, k) => ({
    kind: k === reference ? 'reference' : 'none',
    matrix: IDENTITY,
    displacement: 0,
  }));
  if (Math.min(size.width, size.height) < LEAST_SIDE) return result;
  const commands = new Commands(gpu, pipelines);
  const { bands, bytes, fits } = fittingBands(size, Math.max(...frames.map(sampleBytes)), memoryBudget);
  if (!fits)
    throw new InputError(
      `memory budget ${bytesText(memoryBudget)} is too small to align frames of ${size.width}x${size.height}: that ` +
        `takes ${enoughBytesText(bytes)}`,
      { problem: 'memory-budget', remedy: 'raise it, or take them as they are' },
    );
  const { levels } = bands;
  const builder = new PyramidBuilder(on, commands, { bands, linear });
  const pyramids: GPUBuffer[] = [];
  let search: Search | undefined;
  try {
    search = await Search.create(gpu, commands, levels);
    for (let i = 0; i < 2; i++) pyramids.push(await builder.allocate());
    const [fixed, moving] = pyramids;
    const total = frames.length - 1;
    let done = 0;
    onProgress?.(0, total);
    await builder.build(frames[reference], fixed, signal);
    for (const [k, frame] of frames.entries()) {
      if (k === reference) continue;
      await builder.build(frame, moving, signal);
      result[k] = await alignmentOf(search, fixed, moving, size, levels, signal);
      if (method !== 'homography' && !result[k].failed) {
        const { findMesh } = await import('./meshSearch.ts');
        const find = (mostPixels: number, updates: number): Promise<FoundMesh> =>
          findMesh(gpu, commands, levels, { reference: fixed, frame: moving }, result[k].matrix, {
            mostPixels,
            updates,
            signal,
          });
        if (method === 'mesh' || gains(await find(MESH_TRIAL, MESH_TRIAL_UPDATES))) {
          const found = await find(MESH_PIXELS, MESH_UPDATES);
          if (method === 'mesh' || gains(found)) result[k] = { ...result[k], kind: 'mesh', mesh: found.mesh };
        }
      }
      onProgress?.(++done, total);
    }
    return result;
  } finally {
    search?.dispose();
    builder.dispose();
    for (const pyramid of pyramids) pyramid.destroy();
  }
}

/** Tries models from the richest to the simplest until one can be trusted. */
async function alignmentOf(
  search: Search,
  fixed: GPUBuffer,
  moving: GPUBuffer,
  size: { width: number; height: number },
  levels: readonly Level[],
  signal: AbortSignal | undefined,
): Promise<FrameAlignment> {
  const [{ halvings }] = levels;
  const checked = checkedFrom(levels);
  let first: { there: Found; trip: number } | undefined;
  for (const model of MODELS) {
    const there = await search.run(fixed, moving, { model, finest: 0, signal });
    const back = await search.run(moving, fixed, { model, finest: checked, signal });
    const trip = roundTrip(there.matrix, back.matrix, size);
    first ??= { there, trip };
    const isTrusted =
      trip <= MOST_ROUND_TRIP * 2 ** halvings &&
      isPlausible(there.matrix, size) &&
      there.overlap >= LEAST_OVERLAP &&
      (model === 'homography' || there.correlation >= LEAST_CORRELATION);
    if (!isTrusted) continue;
    const moved = displacement(there.matrix, size);
    const failed = model !== 'homography' && { failed: true };
    const figures = { roundTrip: trip, displacement: moved, overlap: there.overlap, ...failed };
    return moved < LEAST_DISPLACEMENT
      ? { kind: 'none', matrix: IDENTITY, ...figures }
      : { kind: model, matrix: there.matrix, ...figures };
  }
  return {
    kind: 'none',
    matrix: IDENTITY,
    roundTrip: first!.trip,
    displacement: 0,
    overlap: first!.there.overlap,
    failed: true,
  };
}
