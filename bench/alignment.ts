/**
 * What alignment costs beside the merge of the same frames: both take turns in one process on one device, after one run
 * each that compiles. Resampling is timed as a merge does it, into every tile of every stage.
 */
import { estimateAlignments } from '../src/align/estimate.ts';
import { isWarped } from '../src/align/run.ts';
import type { FrameAlignment } from '../src/align/types.ts';
import { Warper } from '../src/align/warper.ts';
import { Gpu } from '../src/device.ts';
import { Pipelines } from '../src/graph/pipelines.ts';
import { Transfer } from '../src/graph/transfer.ts';
import { inverse } from '../src/align/homography.ts';
import { frameSize, middleFrame, sortFrames } from '../src/image/frame.ts';
import type { Frame } from '../src/image/frame.ts';
import { Deghoster } from '../src/index.ts';
import { DEFAULT_MEMORY_BUDGET } from '../src/model/schedule.ts';
import type { Schedule } from '../src/model/schedule.ts';
import type { TuneResult } from '../src/tune/index.ts';
import { aboutMiddle, scene, shoot } from '../test/align/scene.ts';
import { programTimes } from './programTimes.ts';
import { median, spread } from './timing.ts';

/** Which part of alignment a program belongs to, by the beginning of its label. */
const PARTS: readonly [part: string, ...labels: string[]][] = [
  ['pyramid', 'align luma', 'align halve', 'align blur rows', 'align normalize'],
  ['search', 'align correlate', 'align pick'],
  ['Gauss-Newton', 'align accumulate', 'align solve', 'align advance'],
  ['mesh', 'align warp features', 'align mesh'],
  ['resampling', 'warp', 'transfer'],
];

export interface AlignmentBenchOptions {
  device: GPUDevice;
  weights: Uint8Array;
  tuning?: TuneResult;
  /** In any order. */
  frames: readonly Frame[];
  method: 'auto' | 'homography' | 'mesh';
  /** How often each is timed. */
  runs: number;
  say?: (text: string) => void;
}

/** Milliseconds of something, one a run. */
interface Timed {
  ms: number;
  spread: number;
  runs: readonly number[];
}

/** What alignment costs. Times are wall times, medians over the runs. */
export interface AlignmentFigures {
  width: number;
  height: number;
  frames: number;
  /** The merge of the frames as they are. */
  merge: Timed;
  /** Finding how the frames lie. */
  estimate: Timed;
  /** Resampling into all tiles of all stages. */
  resample: Timed;
  /** Both, over the merge. */
  ratio: number;
  /**
   * Milliseconds of the GPU by part, from one more run; `rest` is the wall time that is left. Null without timestamps.
   */
  parts: Record<string, number> | null;
  alignment: Pick<FrameAlignment, 'kind' | 'displacement' | 'roundTrip' | 'failed'>[];
}

/** A bracket by hand: three exposures of a scene, turned by a degree and shifted by 2 % of the longer side. */
export function handHeldFrames(width: number, height: number, seed = 1): Frame[] {
  const size = { width, height };
  const by = 0.02 * Math.max(width, height);
  const shots = [
    aboutMiddle(size, { degrees: -1.1, scale: 1.003, x: by, y: -0.6 * by, tiltX: 2e-3 / width }),
    undefined,
    aboutMiddle(size, { degrees: 0.8, scale: 0.998, x: -0.7 * by, y: by, tiltY: -2e-3 / height }),
  ];
  return [0.06, 0.25, 1].map((exposure, k) => shoot(scene(seed), { ...size, exposure, matrix: shots[k] }, inverse));
}

async function clock(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

const timed = (runs: readonly number[]): Timed => ({ ms: median(runs), spread: spread(runs), runs });

/** Times alignment beside the merge. */
export async function benchAlignment(options: AlignmentBenchOptions): Promise<AlignmentFigures> {
  const { device, weights, tuning, method, runs, say = () => undefined } = options;
  const { frames } = sortFrames(options.frames);
  const { width, height } = frameSize(frames[0]);
  const reference = middleFrame(frames.length);
  const deghoster = await Deghoster.create({ weights, device, tuning });
  const gpu = new Gpu(device);
  const [transfer, pipelines] = [new Transfer(gpu), new Pipelines(gpu)];
  const warper = new Warper({ gpu, transfer: async () => transfer, pipelines }, frames);
  const planned = deghoster.schedule({ width, height, frames: frames.length, reference });
  const stack = device.createBuffer({ label: 'stack', size: stackBytes(planned), usage: GPUBufferUsage.STORAGE });
  let alignment: FrameAlignment[] = [];
  const estimate = async (): Promise<void> => {
    alignment = await estimateAlignments({ gpu, transfer: async () => transfer, pipelines }, frames, {
      reference,
      method,
      linear: false,
      memoryBudget: DEFAULT_MEMORY_BUDGET,
    });
  };
  const resample = async (): Promise<void> => {
    for (const { tiling } of planned.stages)
      for (const { x, y } of tiling.tiles)
        for (const [k, frame] of frames.entries()) {
          const tile = { x: x.start, y: y.start, width: tiling.width, height: tiling.height };
          const first = k * tiling.width * tiling.height;
          if (isWarped(alignment[k])) await warper.load(frame, alignment[k], tile, { buffer: stack, first });
        }
    await gpu.wait(device.queue.onSubmittedWorkDone());
  };
  const merge = (): Promise<unknown> => deghoster.merge(frames, { reference, response: 'gamma', align: 'none' });
  try {
    say('compiling');
    for (const work of [merge, estimate, resample]) await work();
    const times: Record<'merge' | 'estimate' | 'resample', number[]> = { merge: [], estimate: [], resample: [] };
    for (let run = 0; run < runs; run++) {
      times.estimate.push(await clock(estimate));
      times.resample.push(await clock(resample));
      times.merge.push(await clock(merge));
      const last = Object.entries(times).map(([what, ms]) => `${what} ${ms.at(-1)!.toFixed(0)} ms`);
      say(`run ${run + 1} of ${runs}: ${last}`);
    }
    let byProgram: Map<string, number> | undefined;
    const wall = await clock(async () => {
      byProgram = await programTimes(gpu, async () => {
        await estimate();
        await resample();
      });
    });
    const [m, e, r] = [timed(times.merge), timed(times.estimate), timed(times.resample)];
    return {
      width,
      height,
      frames: frames.length,
      merge: m,
      estimate: e,
      resample: r,
      ratio: (e.ms + r.ms) / m.ms,
      parts: byProgram ? partsOf(byProgram, wall) : null,
      alignment: alignment.map(({ kind, displacement, roundTrip, failed }) => ({
        kind,
        displacement,
        roundTrip,
        failed,
      })),
    };
  } finally {
    stack.destroy();
    warper.dispose();
    transfer.dispose();
    deghoster.dispose();
  }
}

/** Bytes of the largest tile's stack. */
function stackBytes({ stages, frames }: Schedule): number {
  return 16 * frames * Math.max(...stages.map(({ tiling }) => tiling.width * tiling.height));
}

/** Sums programs by the part that they belong to. @throws for a program of no part. */
function partsOf(byProgram: ReadonlyMap<string, number>, wall: number): Record<string, number> {
  const parts = Object.fromEntries(PARTS.map(([part]) => [part, 0]));
  for (const [label, ms] of byProgram) {
    const part = PARTS.find(([, ...labels]) => labels.some((begin) => label.startsWith(begin)));
    if (!part) throw new Error(`the program ${label} belongs to no part of alignment`);
    parts[part[0]] += ms;
  }
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  return { ...parts, rest: Math.max(0, wall - sum) };
}
