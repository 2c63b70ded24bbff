/**
 * The bytes that aligning a stack moves and the buffers that it takes, without running anything: each dispatch reads
 * and writes what its params say, each pixel once, as in model/traffic.ts. All updates count, though those after
 * convergence are skipped. Frames are arrays, found by a homography, and `auto` finds that no mesh helps: a mesh that
 * does costs as much again as `mesh`, and a frame that cannot be aligned three times the search.
 */
import type { Frame } from '../image/frame.ts';
import { tensorBytes } from '../kernels/tensor.ts';
import type { Schedule } from '../model/schedule.ts';
import { trafficSum } from '../model/traffic.ts';
import type { Traffic } from '../model/traffic.ts';
import { fittingBands, rowsNeeded, sampleBytes } from './bands.ts';
import type { Bands } from './bands.ts';
import { searchSize } from './coarsePrograms.ts';
import { checkedFrom } from './estimate.ts';
import { SUMS, groupsOf } from './gaussNewtonPrograms.ts';
import type { Size } from './homography.ts';
import { PIXEL_BYTES } from './pixels.ts';
import type { Level } from './levels.ts';
import { MESH_TRIAL, MESH_TRIAL_UPDATES, NODE_FLOATS, gridOf, meshLevels } from './meshGrid.ts';
import { roundsOf } from './search.ts';
import { warperBytes } from './warper.ts';

/** Parts of an alignment. */
export type AlignmentPart = 'pyramids' | 'search' | 'updates' | 'mesh' | 'resampling';

/** What aligning a stack would take. */
export interface AlignmentPlan {
  parts: (Traffic & { part: AlignmentPart })[];
  /** Bytes that all parts read and write. */
  bytes: number;
  /** Most bytes of GPU buffers while alignments are found. They are freed before the merge begins. */
  peakBytes: number;
  /** Bytes of the buffers that resample frames while the merge runs. */
  resamplingBytes: number;
}

/** Samples of a frame that is not there yet. */
const SAMPLES = { 8: Uint8Array, 16: Uint16Array, 32: Float32Array } as const;

const moved = (dispatches: number, bytesRead: number, bytesWritten: number): Traffic => ({
  dispatches,
  bytesRead,
  bytesWritten,
});

const times = (count: number, { dispatches, bytesRead, bytesWritten }: Traffic): Traffic =>
  moved(count * dispatches, count * bytesRead, count * bytesWritten);

/** Pixels of a level as bytes. */
const bytesOf = ({ width, height }: Size): number => width * height * PIXEL_BYTES;

/** One frame's pyramid. */
function pyramid({ levels, sizes, rows }: Bands, samples: number): Traffic {
  const parts: Traffic[] = [];
  const [finest] = levels;
  for (let top = 0; top < finest.height; top += rows) {
    const pixels = rowsNeeded(sizes, top, Math.min(finest.height, top + rows)).map(
      ([from, to], i) => (to - from) * sizes[i].width,
    );
    // The upload reads and writes samples once more.
    parts.push(moved(1, 2 * pixels[0] * samples, pixels[0] * (samples + PIXEL_BYTES)));
    pixels.slice(1).forEach((count, i) => parts.push(moved(1, pixels[i] * PIXEL_BYTES, count * PIXEL_BYTES)));
  }
  levels.slice(1).forEach((level, i) => parts.push(moved(1, bytesOf(levels[i]), bytesOf(level))));
  for (const level of levels) parts.push(moved(1, bytesOf(level), bytesOf(level)));
  return trafficSum(parts);
}

/** The search at the coarsest level, which caches hold. */
function search(levels: readonly Level[]): Traffic {
  const top = levels.at(-1)!;
  const { count } = searchSize(top.width, top.height);
  return moved(2, 2 * bytesOf(top) + 4 * count, 4 * count);
}

/** The updates of one direction. */
function updates(levels: readonly Level[]): Traffic {
  return trafficSum(
    roundsOf(levels).map(({ level, hypotheses, updates: count }) => {
      const sums = hypotheses * groupsOf(level.width, level.height).groups * SUMS * 4;
      return times(count, moved(2, 2 * bytesOf(level) + sums, sums));
    }),
  );
}

/** The trial of a mesh. */
function mesh(levels: readonly Level[]): Traffic {
  const chosen = meshLevels(levels, MESH_TRIAL);
  const { columns, rows } = gridOf(chosen.at(-1)!);
  const sums = columns * rows * NODE_FLOATS * 4;
  const measure = (level: Level): Traffic => moved(2, 3 * bytesOf(level), bytesOf(level) + sums);
  return trafficSum([
    ...chosen.map((level) => times(MESH_TRIAL_UPDATES, measure(level))),
    times(MESH_TRIAL_UPDATES * chosen.length, moved(1, sums, 8 * columns * rows)),
    // The error without a mesh and with it.
    times(2, measure(chosen.at(-1)!)),
  ]);
}

/** Resampling one frame into the tiles of all stages, which keeps the maps that are there. */
function resampling({ stages }: Schedule, bytesPerPixel: number): Traffic {
  return trafficSum(
    stages.map(({ tiling: { width, height, tiles } }) => {
      const samples = tiles.length * width * height * bytesPerPixel;
      const stored = tiles.length * tensorBytes({ channels: 4, width, height });
      return moved(tiles.length, 2 * samples + stored, samples + stored);
    }),
  );
}

function anyFrame(size: Size, bits: keyof typeof SAMPLES): Frame {
  return { data: new SAMPLES[bits](0), ...size, exposure: 1 };
}

/** Bytes of the buffers that resample frames while they are merged: `otherBytes` of their schedule. */
export function resamplingBytes(size: Size, bits: keyof typeof SAMPLES = 8): number {
  return warperBytes([anyFrame(size, bits)]);
}

/**
 * What aligning the frames of a schedule would take.
 * @param bits of a sample.
 */
export function planAlignment(schedule: Schedule, bits: keyof typeof SAMPLES = 8): AlignmentPlan {
  const { width, height, frames, limits } = schedule;
  const size = { width, height };
  const samples = sampleBytes(anyFrame(size, bits));
  const { bands, bytes: peakBytes } = fittingBands(size, samples, limits.memoryBudget);
  const { levels } = bands;
  const back = levels.slice(checkedFrom(levels));
  const others = frames - 1;
  const parts: AlignmentPlan['parts'] = [
    { part: 'pyramids', ...times(frames, pyramid(bands, samples)) },
    { part: 'search', ...times(2 * others, search(levels)) },
    { part: 'updates', ...times(others, trafficSum([updates(levels), updates(back)])) },
    { part: 'mesh', ...times(others, mesh(levels)) },
    { part: 'resampling', ...times(others, resampling(schedule, samples)) },
  ];
  const { bytesRead, bytesWritten } = trafficSum(parts);
  return { parts, bytes: bytesRead + bytesWritten, peakBytes, resamplingBytes: resamplingBytes(size, bits) };
}
