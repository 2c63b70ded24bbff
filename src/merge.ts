/**
 * One merge: the stages of a schedule, tile by tile.
 *
 * Motion maps of the whole picture come first, then the picture. What is between two tiles is on the CPU, but for frames and a result that
 * the caller wants on the device. When the device is lost it is opened once more, and the merge goes on with the tile that failed.
 */
import { CancelledError, DeviceLostError, InputError } from './errors.ts';
import type { Prepared } from './graph/executor.ts';
import type { DeviceFrame } from './graph/transfer.ts';
import type { Tile } from './graph/tile.ts';
import { responseTable } from './image/chooseResponse.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { frameSize, isEightBit } from './image/frame.ts';
import type { Frame, FrameSource } from './image/frame.ts';
import { patchGrid } from './image/responsePairs.ts';
import { cropMap, cutStack, pasteCore } from './image/stack.ts';
import type { MotionMaps } from './image/stack.ts';
import { RESPONSE, STACK } from './model/part.ts';
import { stageWork } from './model/schedule.ts';
import type { Schedule, Stage } from './model/schedule.ts';
import type { Session } from './session.ts';

/** How far a merge is. */
export interface Progress {
  stage: 'response' | 'compile' | 'segmentation' | 'fusion' | 'merge';
  /** Tiles of this stage that are done; within a tile it is a fraction. */
  done: number;
  /** Tiles of this stage. */
  total: number;
  /** Share of the whole merge's arithmetic that is done. */
  fraction: number;
}

/** What a merge is told while it runs, and how it tells. */
export interface MergeControl {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onDeviceLost?: (error: DeviceLostError) => void;
}

/** The picture as it grows: an array, or a buffer on the device, float32 `[height, width, 3]` both. */
export type Picture = { kind: 'array'; array: Float32Array<ArrayBuffer> } | { kind: 'buffer'; buffer: GPUBuffer | undefined };

function isDeviceFrame(frame: FrameSource): frame is DeviceFrame {
  return !('data' in frame);
}

export class Merge {
  readonly #session: Session;
  readonly #frames: readonly FrameSource[];
  readonly #control: MergeControl;
  #reopened = false;
  /** Whether a part of the result is on the device already, and would be lost with it. */
  #keptOnDevice = false;
  #peak = 0;

  /** @param frames sorted by exposure. */
  constructor(session: Session, frames: readonly FrameSource[], control: MergeControl) {
    this.#session = session;
    this.#frames = frames;
    this.#control = control;
    session.executor.resetPeak();
  }

  /** Most bytes of GPU buffers held at once. */
  get peakBytes(): number {
    return Math.max(this.#peak, this.#session.executor.peakBytes);
  }

  /** What a response is estimated from: of frames on the device, their patches alone, read back. */
  async patches(): Promise<Frame[]> {
    const read: Frame[] = [];
    for (const frame of this.#frames) read.push(isDeviceFrame(frame) ? await this.#again(() => this.#readPatches(frame)) : frame);
    return read;
  }

  /**
   * Runs a schedule.
   * @param motion maps in place of the network's own.
   * @returns the picture, and the maps at the picture's size.
   */
  async run(it: Schedule, response: ChosenResponse, motion: readonly Float32Array[] | undefined, picture: Picture): Promise<Float32Array[]> {
    const { width, height } = it;
    const { onProgress } = this.#control;
    onProgress?.({ stage: 'compile', done: 0, total: 1, fraction: 0 });
    await this.#again(() => this.#session.gpu.wait(Promise.all(it.stages.map((stage) => this.#session.executor.compile(stage.plan)))));
    const total = it.stages.reduce((sum, stage) => sum + stageWork(stage), 0);
    let before = 0;
    let maps: MotionMaps | undefined = motion && { maps: motion, width, height };
    for (const stage of it.stages) {
      const share = total ? stageWork(stage) / total : 1;
      const count = stage.tiling.tiles.length;
      const report = (done: number): void => onProgress?.({ stage: stage.name, done, total: count, fraction: before + (share * done) / count });
      if (stage.name === 'segmentation') {
        // Kept at the padded size: fusion sees what the U-Nets made of the padding, not its repeated edge.
        const made = this.#frames.map(() => new Float32Array(it.padded.width * it.padded.height));
        const targets = made.map((array) => ({ array, stride: 1, offset: 0 }));
        await this.#runStage(stage, undefined, response, report, async (prepared, tile) => {
          const values = await this.#session.executor.read(prepared, stage.plan.graph.outputs[0]);
          pasteCore(values, tile, stage.tiling.width, stage.tiling.height, it.padded, targets);
        });
        maps = { maps: made, ...it.padded };
      } else {
        const keep = picture.kind === 'array' ? this.#toArray(stage, it, picture.array) : this.#toBuffer(stage, it, picture);
        await this.#runStage(stage, maps, response, report, keep);
      }
      before += share;
    }
    return maps?.maps.map((map) => cropMap(map, maps.width, width, height)) ?? [];
  }

  #toArray(stage: Stage, size: { width: number; height: number }, array: Float32Array): (prepared: Prepared, tile: Tile) => Promise<void> {
    const targets = [0, 1, 2].map((offset) => ({ array, stride: 3, offset }));
    return async (prepared, tile) => {
      const values = await this.#session.executor.read(prepared, stage.plan.graph.outputs[0]);
      pasteCore(values, tile, stage.tiling.width, stage.tiling.height, size, targets);
    };
  }

  #toBuffer(stage: Stage, { width, height }: { width: number; height: number }, picture: { buffer: GPUBuffer | undefined }): (prepared: Prepared, tile: Tile) => Promise<void> {
    return async (prepared, { x, y }) => {
      const { device } = this.#session.gpu;
      picture.buffer ??= await this.#session.gpu.guard('allocating the result', () =>
        device.createBuffer({ label: 'radiance', size: width * height * 12, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST }),
      );
      const part = {
        left: x.coreStart - x.start,
        top: y.coreStart - y.start,
        width: Math.min(x.coreEnd, width) - x.coreStart,
        height: Math.min(y.coreEnd, height) - y.coreStart,
        x: x.coreStart,
        y: y.coreStart,
      };
      this.#keptOnDevice = true;
      if (part.width <= 0 || part.height <= 0) return;
      await this.#session.transfer.store(this.#session.executor.locate(prepared, stage.plan.graph.outputs[0]), stage.tiling.width, part, picture.buffer, width);
    };
  }

  /** Runs one stage over all its tiles; `keep` takes each result from the device. */
  async #runStage(stage: Stage, motion: MotionMaps | undefined, response: ChosenResponse, report: (done: number) => void, keep: (prepared: Prepared, tile: Tile) => Promise<void>): Promise<void> {
    const { tiling, plan } = stage;
    const { signal } = this.#control;
    const stack = new Float32Array(this.#frames.length * tiling.width * tiling.height * 4);
    const inputs = { [STACK]: stack, [RESPONSE]: responseTable(response.response) };
    const worked = plan.steps.map(() => 0);
    plan.steps.reduce((sum, step, i) => (worked[i] = sum + step.multiplyAdds), 0);
    const whole = Math.max(1, plan.multiplyAdds);
    let next = 0;
    await this.#again(async () => {
      const { executor } = this.#session;
      const prepared = await executor.prepare(plan);
      try {
        for (; next < tiling.tiles.length; next++) {
          if (signal?.aborted) throw new CancelledError();
          const tile = tiling.tiles[next];
          cutStack(this.#frames, motion, tile, tiling.width, tiling.height, stack);
          await executor.upload(prepared, inputs);
          await this.#loadColours(prepared, stage, tile);
          await executor.run(prepared, { signal, onStep: (step) => report(next + (step > 0 ? worked[step - 1] / whole : 0)) });
          await keep(prepared, tile);
          report(next + 1);
        }
      } finally {
        executor.release(prepared);
      }
    });
  }

  /** Copies the colours of frames that are not arrays into the uploaded stack. */
  async #loadColours(prepared: Prepared, { plan, tiling }: Stage, tile: Tile): Promise<void> {
    const { buffer, first } = this.#session.executor.locate(prepared, plan.graph.nodes.findIndex((node) => node.op === 'input' && node.name === STACK));
    const grid = { x: tile.x.start, y: tile.y.start, width: tiling.width, height: tiling.height, cell: 1, step: 1 };
    for (const [k, frame] of this.#frames.entries()) {
      if (isDeviceFrame(frame)) await this.#session.transfer.load(frame, grid, { buffer, first: first + k * tiling.width * tiling.height });
    }
  }

  /** A frame's patches as a small picture, whose own patches they are. */
  async #readPatches(frame: DeviceFrame): Promise<Frame> {
    const { width, height } = frameSize(frame);
    const { step, cols, rows } = patchGrid(width, height);
    const [w, h] = [cols * Math.min(3, width), rows * Math.min(3, height)];
    const values = await this.#session.transfer.read(frame, { x: 0, y: 0, width: w, height: h, cell: 3, step });
    const scale = isEightBit(frame) ? 255 : 1;
    const data = isEightBit(frame) ? new Uint8Array(w * h * 3) : new Float32Array(w * h * 3);
    for (let i = 0; i < w * h; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = scale === 1 ? values[4 * i + c] : Math.round(values[4 * i + c] * scale);
    return { data, width: w, height: h, exposure: frame.exposure, name: frame.name };
  }

  /** Does something with the device; if the device is lost on the way, once more with another, which is opened once a merge. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isLostToo = this.#keptOnDevice || this.#frames.some((frame) => 'texture' in frame || 'buffer' in frame);
      if (!(error instanceof DeviceLostError) || this.#reopened || !this.#session.canReopen || isLostToo) throw error;
      this.#reopened = true;
      this.#control.onDeviceLost?.(error);
      this.#peak = this.#session.executor.peakBytes;
      await this.#session.reopen();
      return work();
    }
  }
}

/** A buffer result has to fit one buffer of the device. @throws InputError naming both values. */
export function checkBufferSize(width: number, height: number, device: GPUDevice): void {
  const bytes = width * height * 12;
  if (bytes > device.limits.maxBufferSize) {
    throw new InputError(`a result of ${width}x${height} takes a buffer of ${bytes} bytes, the device's largest has ${device.limits.maxBufferSize}: merge to an array`);
  }
}
