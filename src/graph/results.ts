/**
 * Brings tiles' results to the CPU, or into a buffer: the part that a tile contributes, without padded channels, in the
 * layout that is wanted. What is left for the CPU is to copy rows.
 */
import type { Gpu } from '../device.ts';
import { DeghostError } from '../errors.ts';
import { rowGrid } from '../kernels/rows.ts';
import { TAKE } from '../kernels/stack.ts';
import { Commands } from './commands.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import { READBACKS, resultBytes } from './edges.ts';
import type { Pipelines } from './pipelines.ts';
import type { Plan } from './plan.ts';
import type { GpuClock } from './timestamps.ts';

/** A part of a tile, and where it lies in the picture. */
export interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
  x: number;
  y: number;
}

/** A tile's result on the device: NC4HW4 from vec4 `first` on. */
export interface TileResult {
  buffer: GPUBuffer;
  first: number;
  width: number;
  height: number;
}

/** An array of floats on the device: where a part begins, and floats from a pixel, a row and a channel to the next. */
export interface FloatLayout {
  base: number;
  pixelStep: number;
  rowStep: number;
  channelStep: number;
}

/** Thrown where a result is NaN or infinite: whoever runs the stage finds out where that began. */
export class UnfitResult extends DeghostError {
  constructor() {
    super('gpu', 'a result is NaN or infinite');
  }
}

/**
 * Adds the command that brings some channels of a part of a tile's result to an array.
 * @param unfit becomes 1 if one is not finite.
 */
export type Take = (
  commands: Commands,
  part: Part,
  channels: readonly [first: number, count: number],
  to: GPUBuffer | GPUBufferBinding,
  unfit: GPUBuffer,
  layout: FloatLayout,
) => void;

/** Copies from a result on the device. */
export function takeFrom(tile: TileResult): Take {
  return (commands, { left, top, width, height }, [channel, channels], to, unfit, layout) =>
    commands.add(
      TAKE,
      {
        first: tile.first,
        pitch: tile.width,
        block: tile.width * tile.height,
        channel,
        channels,
        left,
        top,
        width,
        base: layout.base,
        pixel_step: layout.pixelStep,
        row_step: layout.rowStep,
        channel_step: layout.channelStep,
      },
      [tile.buffer, to, unfit],
      rowGrid(width, height),
    );
}

/** How results lie in memory: pixel by pixel, or channel by channel. */
export type ResultLayout = 'pixels' | 'planes';

/** The flag that TAKE sets. */
export function createUnfit(memory: DeviceBuffers): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  return memory.create('unfit', 4, STORAGE | COPY_SRC | COPY_DST);
}

/** The buffers that a plan's results go through. */
export class Results {
  readonly #gpu: Gpu;
  readonly #memory: DeviceBuffers;
  readonly #commands: Commands;
  readonly #packed: GPUBuffer;
  readonly #unfit: GPUBuffer;
  readonly #readbacks: readonly GPUBuffer[];

  /** @throws as `Gpu.guard`. */
  static create(gpu: Gpu, memory: DeviceBuffers, pipelines: Pipelines, plan: Plan): Promise<Results> {
    return memory.attempt('allocating results', () => new Results(gpu, memory, pipelines, resultBytes(plan)));
  }

  private constructor(gpu: Gpu, memory: DeviceBuffers, pipelines: Pipelines, bytes: number) {
    this.#gpu = gpu;
    this.#memory = memory;
    this.#commands = new Commands(gpu, pipelines);
    this.#packed = memory.create('result', bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC);
    this.#unfit = createUnfit(memory);
    this.#readbacks = Array.from({ length: READBACKS }, (_, i) =>
      memory.create(`readback ${i}`, bytes + 4, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
    );
  }

  /** Submits the copy of a part to a readback buffer. @throws GpuError; DeviceLostError. */
  async send(
    slot: number,
    take: Take,
    part: Part,
    channels: number,
    layout: ResultLayout,
    clock: GpuClock | undefined,
  ): Promise<void> {
    const { width, height } = part;
    const steps =
      layout === 'pixels'
        ? { pixelStep: channels, rowStep: channels * width, channelStep: 1 }
        : { pixelStep: 1, rowStep: width, channelStep: width * height };
    take(this.#commands, part, [0, channels], this.#packed, this.#unfit, { base: 0, ...steps });
    const bytes = 4 * channels * width * height;
    await this.#commands.submit(
      'taking a result',
      (encoder) => {
        encoder.copyBufferToBuffer(this.#packed, 0, this.#readbacks[slot], 0, bytes);
        encoder.copyBufferToBuffer(this.#unfit, 0, this.#readbacks[slot], bytes, 4);
        encoder.clearBuffer(this.#unfit);
      },
      clock,
    );
  }

  /**
   * Waits for a part that was sent, and passes its floats to `use`, which must not keep them after it returns. @throws
   * DeviceLostError; UnfitResult.
   */
  async take(slot: number, floats: number, use: (values: Float32Array<ArrayBuffer>) => void): Promise<void> {
    const buffer = this.#readbacks[slot];
    const take = (range: ArrayBuffer): void => {
      if (new Uint32Array(range, 4 * floats)[0] !== 0) throw new UnfitResult();
      use(new Float32Array(range, 0, floats));
    };
    return this.#gpu.read(buffer, take, 4 * floats + 4);
  }

  dispose(): void {
    for (const buffer of [this.#packed, this.#unfit, ...this.#readbacks]) this.#memory.destroy(buffer);
  }
}
