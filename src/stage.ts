/**
 * Runs one stage of a merge over its tiles, with two tiles in flight: while one computes, the next is cut from the
 * frames and the last is pasted into the picture.
 *
 * The GPU works in the order of the tiles; the CPU does whatever it can do next. If a stage stops early for any reason,
 * the first tiles are in the picture and the others are not, so the stage can go on from there.
 */
import type { Executor, Prepared, Tensors } from './graph/executor.ts';
import { READBACKS } from './graph/edges.ts';
import type { Tile } from './image/tile.ts';
import type { Stage } from './model/schedule.ts';
import type { StageTimes } from './profile.ts';

/** The work around a tile's computation. */
export interface TileWork {
  /** Writes a tile's inputs on the CPU. */
  cut(tile: Tile, inputs: Tensors): void;
  /** Submits copies on the device that add to the inputs. */
  load?(prepared: Prepared, tile: Tile): Promise<void>;
  /** Pastes a result into the picture on the CPU. If absent, `store` takes results. */
  paste?(tile: Tile, values: Float32Array): void;
  /** Submits the copy of a result on the device. */
  store?(prepared: Prepared, tile: Tile): Promise<void>;
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
  const worked = fractions(stage);
  const clocked = (key: 'prepareMs' | 'cutMs' | 'pasteMs', from: number): void =>
    void (times && (times[key] += performance.now() - from));
  let reported = first;
  const reportMore = (done: number): void => {
    // The results of a tile arrive when about the first steps of the next are done.
    if (done > reported) report((reported = done));
  };

  report(first);
  const begun = performance.now();
  const prepared = await executor.prepare(plan);
  clocked('prepareMs', begun);

  const cut = (n: number): Promise<void> =>
    executor.stage(prepared, (inputs) => {
      const from = performance.now();
      work.cut(tiles[n], inputs);
      clocked('cutMs', from);
    });
  /** Takes the result of a tile whose computation was submitted, after the results of earlier tiles. */
  const finish = async (n: number, before: Promise<void>): Promise<void> => {
    const { paste } = work;
    if (paste) {
      await executor.take(prepared, n % READBACKS, (values) => {
        const from = performance.now();
        paste(tiles[n], values);
        clocked('pasteMs', from);
      });
    } else await executor.gpu.wait(executor.gpu.device.queue.onSubmittedWorkDone());
    await before;
    placed(n);
    reportMore(n + 1);
  };

  /** The work in progress, to wait for if something fails. */
  const begunWork: Promise<void>[] = [];
  const begin = (running: Promise<void>): Promise<void> => {
    running.catch(() => undefined);
    begunWork.push(running);
    return running;
  };
  try {
    const finished: Promise<void>[] = [];
    let cutting = begin(cut(first));
    for (let n = first; n < tiles.length; n++) {
      await cutting;
      await executor.send(prepared, times);
      await work.load?.(prepared, tiles[n]);
      // This waits until the sent inputs have been copied, which is when the previous tile is done.
      if (n + 1 < tiles.length) cutting = begin(cut(n + 1));
      await finished[n - READBACKS];
      const output = work.paste && { node: plan.graph.outputs[0], slot: n % READBACKS };
      // The last step counts only when the result is in its place.
      const onStep = (step: number): void => (step < plan.steps.length ? reportMore(n + worked[step - 1]) : undefined);
      await executor.submit(prepared, { signal, times, output, onStep });
      await work.store?.(prepared, tiles[n]);
      finished[n] = begin(finish(n, finished[n - 1] ?? Promise.resolve()));
    }
    await finished[tiles.length - 1];
    await executor.submissions.idle();
    await executor.timed();
  } finally {
    // Results in flight are still taken.
    await Promise.allSettled(begunWork);
    await executor.submissions.settled();
    executor.release(prepared);
  }
}

/** For each step, the share of a tile's arithmetic that is done after that step. */
function fractions({ plan }: Stage): number[] {
  const whole = Math.max(1, plan.multiplyAdds);
  let sum = 0;
  return plan.steps.map((step) => (sum += step.multiplyAdds) / whole);
}
