/**
 * The frames of a merge on the device: all of them, or the pixels of a tile, and a tile's inputs filled from them.
 * Frames that do not lie on the reference are resampled on the way.
 */
import type { Aligned, Warper } from './align/run.ts';
import { isDeviceFrame } from './deviceGrids.ts';
import { Commands } from './graph/commands.ts';
import type { Prepared } from './graph/executor.ts';
import { FrameStore } from './graph/frameStore.ts';
import type { FrameSource } from './image/frame.ts';
import type { MotionMaps } from './image/motion.ts';
import type { Tile } from './image/tile.ts';
import { RESPONSE, STACK } from './model/part.ts';
import type { Stage } from './model/schedule.ts';
import type { StageTimes } from './profile.ts';
import type { Session } from './session.ts';
import { partOf } from './stage.ts';
import type { TileWork } from './stage.ts';

/** A merge's frames. */
export interface TileFrames {
  readonly list: readonly FrameSource[];
  /** How each is resampled. */
  readonly warps: Aligned['warps'];
  /** Bytes that resampling takes; 0 if no frame is resampled. */
  readonly warpBytes: number;
  /** The same, with nothing on the device yet. */
  again(): TileFrames;
  /** The frames as the current device holds them. @param tile of which the pixels are there; all if absent. */
  onDevice(tile: { width: number; height: number } | undefined): Promise<FrameStore>;
  /** Submits what fills a tile's inputs. */
  load(
    stage: Stage,
    store: FrameStore,
    commands: Commands,
    prepared: Prepared,
    tile: Tile,
    table: Float32Array<ArrayBuffer>,
    times: StageTimes | undefined,
  ): Promise<void>;
  dispose(): void;
}

/** @param warper makes what resamples frames, on the current device. */
export function tileFrames(
  session: Session,
  list: readonly FrameSource[],
  warps: Aligned['warps'] = [],
  warpBytes = 0,
  makeWarper?: () => Warper,
): TileFrames {
  let warper: Warper | undefined;
  let store: FrameStore | undefined;
  return {
    list,
    warps,
    warpBytes,
    again: () => tileFrames(session, list, warps, warpBytes, makeWarper),

    async onDevice(tile) {
      const { gpu, executor } = session;
      if (store?.gpu === gpu) {
        if (store.tile === tile) return store;
        store.dispose();
        store = undefined;
      }
      return (store = await FrameStore.create(gpu, executor.memory, list, (k) => warps[k] !== undefined, tile));
    },

    async load(stage, held, commands, prepared, tile, table, times) {
      const { plan, tiling } = stage;
      const { gpu, executor } = session;
      const input = (name: string): { buffer: GPUBuffer; first: number } =>
        executor.locate(
          prepared,
          plan.graph.nodes.findIndex((node) => node.op === 'input' && node.name === name),
        );
      const { buffer, first } = input(STACK);
      const part = await bring(stage, held, tile, times);
      await gpu.guard('uploading the response', () => {
        const response = input(RESPONSE);
        gpu.device.queue.writeBuffer(response.buffer, 16 * response.first, table);
      });
      held.cut(commands, { ...part, buffer, first });
      await executor.timing(
        times,
        (clock) => commands.submit('cutting a tile', undefined, clock),
        (ms) => (times!.cutMs += ms),
      );
      if (!list.some(isDeviceFrame) && warpBytes === 0) return;
      // The colours of frames that are not arrays, or are resampled.
      const grid = { ...part, cell: 1, step: 1 };
      for (const [k, frame] of list.entries()) {
        const target = { buffer, first: first + k * tiling.width * tiling.height };
        const warp = warps[k];
        if (warp) {
          if (warper?.gpu !== session.gpu) warper = makeWarper!();
          await warper!.load(frame, warp, grid, target, held.frame(k));
        } else if (isDeviceFrame(frame)) await (await session.transfer()).load(frame, grid, target);
      }
    },

    dispose() {
      warper?.dispose();
      if (store?.gpu === session.gpu) store.dispose();
      store = undefined;
    },
  };
}

/** Brings the pixels of a tile. */
export async function bring(
  { tiling }: Stage,
  store: FrameStore,
  { x, y }: Tile,
  times: StageTimes | undefined,
): Promise<{ x: number; y: number; width: number; height: number }> {
  const part = { x: x.start, y: y.start, width: tiling.width, height: tiling.height };
  await store.bring(part);
  if (times) times.sendMs += store.takeSentMs();
  return part;
}

/** Keeps a stage's motion maps on the device, beside those that go to the CPU. */
export function keeping({ executor }: Session, size: MotionMaps, store: FrameStore): NonNullable<TileWork['store']> {
  const commands = new Commands(executor.gpu, executor.pipelines);
  return async (take, tile) => {
    const part = partOf(tile, size);
    if (!part) return;
    store.addMotion(commands, take, part);
    await commands.submit('keeping motion maps');
  };
}
