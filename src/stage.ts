/**
 * Runs one stage of a merge over its tiles, with two tiles in flight: while one computes, the next is submitted and the
 * last is pasted into the picture.
 *
 * The GPU works in the order of the tiles; the CPU does whatever it can do next. If a stage stops early for any reason,
 * the first tiles are in the picture and the others are not, so the stage can go on from there.
 */
import type { Executor, Prepared } from './graph/executor.ts';
import { READBACKS } from './graph/edges.ts';
import type { GpuClock } from './graph/timestamps.ts';
import { Results, takeFrom } from './graph/results.ts';
import type { Part, ResultLayout, Take } from './graph/results.ts';
import { throwIfCancelled } from './errors.ts';
import type { Tile } from './image/tile.ts';
import type { Stage } from './model/schedule.ts';
import type { StageTimes } from './profile.ts';

/** A picture on the CPU that tiles' results are pasted into. */
export interface PasteTarget {
  width: number;
  height: number;
  layout: ResultLayout;
  /** Pastes the floats of a part, `channels` of each pixel. */
  paste(part: Part, values: Float32Array<ArrayBuffer>): void;
}

/** The work around a tile's computation. */
export interface TileWork {
  /** Submits what fills a tile's inputs. */
  load(prepared: Prepared, tile: Tile): Promise<void>;
  /** In place of the plan: results are made from the frames' samples as they are taken. */
  direct?: {
    /** Brings the samples. */
    load(tile: Tile): Promise<unknown>;
    take: Take;
  };
  /** Takes results on the CPU. */
  target?: PasteTarget;
  /** Submits the copy of a result on the device. */
  store?(take: Take, tile: Tile, clock?: GpuClock): Promise<void>;
}

export interface StageControl {
  signal?: AbortSignal;
  /** Called with the number of finished tiles, plus a fraction for the next. */
  report: (done: number) => void;
  times?: StageTimes;
}

/**
 * Runs tiles from `first` on. @param placed called when a tile's result is in its place, in the order of tiles.
 * @throws CancelledError, at most two submissions after the signal; GpuError; DeviceLostError. Nothing is in flight
 * then.
 */
export async function runTiles(
  executor: Executor,
  stage: Stage,
  work: TileWork,
  control: StageControl,
  first: number,
  placed: (tile: number) => void,
): Promise<void> {
  const { plan, tiling } = stage;
  const { tiles } = tiling;
  const { signal, report, times } = control;
  const { gpu, memory, pipelines } = executor;
  const worked = fractions(stage);
  let reported = first;
  const reportMore = (done: number): void => {
    // The results of a tile arrive when about the first steps of the next are done.
    if (done > reported) report((reported = done));
  };

  report(first);
  const begun = performance.now();
  const { target, direct } = work;
  const prepared = direct ? undefined : await executor.prepare(plan);
  let results: Results | undefined;
  /** The work in progress, to wait for if something fails. */
  const begunWork: Promise<void>[] = [];
  try {
    results = target && (await Results.create(gpu, memory, pipelines, plan));
    if (times) times.prepareMs += performance.now() - begun;

    const [output] = plan.graph.outputs;
    const { channels } = plan.graph.nodes[output].shape;
    const take = prepared
      ? takeFrom({ ...executor.locate(prepared, output), width: tiling.width, height: tiling.height })
      : direct!.take;
    const addTimes = (ms: number, rest: number): void => {
      if (direct) times!.directMs += ms;
      else times!.takeMs += ms;
      times!.takeMs += rest;
    };
    /** Submits the copy of a tile's result. */
    const send = async (n: number, part: Part): Promise<void> => {
      await executor.timing(
        times,
        (clock) => results!.send(n % READBACKS, take, part, channels, target!.layout, clock),
        addTimes,
      );
    };
    /** Takes the result of a tile whose computation was submitted, after the results of earlier tiles. */
    const finish = async (n: number, part: Part | undefined, sent: number, before: Promise<void>): Promise<void> => {
      if (part)
        await results!.take(n % READBACKS, channels * part.width * part.height, (values) => {
          if (direct) executor.submissions.count(sent);
          const from = performance.now();
          target!.paste(part, values);
          if (times) times.pasteMs += performance.now() - from;
        });
      else {
        await gpu.wait(gpu.device.queue.onSubmittedWorkDone());
        if (direct) executor.submissions.count(sent);
      }
      await before;
      placed(n);
      reportMore(n + 1);
    };

    const finished: Promise<void>[] = [];
    for (let n = first; n < tiles.length; n++) {
      await finished[n - READBACKS];
      if (!prepared) throwIfCancelled(signal);
      await (prepared ? work.load(prepared, tiles[n]) : direct!.load(tiles[n]));
      // The last step counts only when the result is in its place.
      const onStep = (step: number): void => (step < plan.steps.length ? reportMore(n + worked[step - 1]) : undefined);
      if (prepared) await executor.submit(prepared, { signal, times, onStep });
      const sent = performance.now();
      if (work.store) await executor.timing(direct && times, (clock) => work.store!(take, tiles[n], clock), addTimes);
      const part = target && partOf(tiles[n], target);
      if (part) await send(n, part);
      const finishing = finish(n, part, sent, finished[n - 1] ?? Promise.resolve());
      finishing.catch(() => undefined);
      begunWork.push((finished[n] = finishing));
    }
    await finished[tiles.length - 1];
    await executor.submissions.idle();
    await executor.timed();
  } finally {
    // Results in flight are still taken.
    await Promise.allSettled([...begunWork, executor.timed()]);
    await executor.submissions.settled();
    results?.dispose();
    if (prepared) executor.release(prepared);
  }
}

/** A tile's core within a picture; undefined if none of it is. */
export function partOf({ x, y }: Tile, picture: { width: number; height: number }): Part | undefined {
  const width = Math.min(x.coreEnd, picture.width) - x.coreStart;
  const height = Math.min(y.coreEnd, picture.height) - y.coreStart;
  if (width <= 0 || height <= 0) return undefined;
  return { left: x.coreStart - x.start, top: y.coreStart - y.start, width, height, x: x.coreStart, y: y.coreStart };
}

/** For each step, the share of a tile's arithmetic that is done after that step. */
function fractions({ plan }: Stage): number[] {
  const whole = Math.max(1, plan.multiplyAdds);
  let sum = 0;
  return plan.steps.map((step) => (sum += step.multiplyAdds) / whole);
}
