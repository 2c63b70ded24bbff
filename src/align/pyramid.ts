/** A frame's pyramid of features on the GPU, built from a frame of any form, band by band where the frame is large. */
import type { Gpu } from '../device.ts';
import type { Transfer } from '../graph/transfer.ts';
import { throwIfCancelled } from '../errors.ts';
import { frameSize } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { flatGrid } from '../kernels/flat.ts';
import type { Commands } from '../graph/commands.ts';
import { pyramidBytes, rowsNeeded } from './bands.ts';
import type { Bands } from './bands.ts';
import type { Size } from './homography.ts';
import { VEC4_BITS } from './pixels.ts';
import { HALVE, LUMA, NORMALIZE, normalizeGroups } from './pyramidPrograms.ts';

/** What a builder builds. */
export interface PyramidOptions {
  bands: Bands;
  /** Whether samples are linear light. */
  linear: boolean;
}

/** Builds pyramids of one size. It owns the buffers that it needs for that. */
export class PyramidBuilder {
  readonly #gpu: Gpu;
  readonly #transfer: () => Promise<Transfer>;
  readonly #commands: Commands;
  readonly #bands: Bands;
  readonly #linear: boolean;
  #buffers: GPUBuffer[] = [];

  constructor(on: { gpu: Gpu; transfer(): Promise<Transfer> }, commands: Commands, { bands, linear }: PyramidOptions) {
    this.#gpu = on.gpu;
    this.#transfer = () => on.transfer();
    this.#commands = commands;
    this.#bands = bands;
    this.#linear = linear;
  }

  /** Allocates a pyramid. The caller destroys it. */
  allocate(): Promise<GPUBuffer> {
    return this.#gpu.guard('allocating a pyramid', (own) =>
      own(
        this.#gpu.device.createBuffer({
          label: 'pyramid',
          size: pyramidBytes(this.#bands.levels),
          usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
        }),
      ),
    );
  }

  /** Computes a frame's pyramid. @throws CancelledError; GpuError; DeviceLostError. */
  async build(frame: FrameSource, pyramid: GPUBuffer, signal?: AbortSignal): Promise<void> {
    if (this.#buffers.length === 0)
      this.#buffers = await this.#gpu.guard('allocating bands', (own) =>
        this.#bands.buffers.map((size) =>
          own(
            this.#gpu.device.createBuffer({
              label: 'align band',
              size,
              usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
            }),
          ),
        ),
      );
    const [samples, coverage, luma, , ...halvings] = this.#buffers;
    const { levels, sizes, rows: band } = this.#bands;
    const [finest] = levels;
    for (let top = 0; top < finest.height; top += band) {
      throwIfCancelled(signal);
      const needed = rowsNeeded(sizes, top, Math.min(finest.height, top + band));
      const bits = await this.#load(frame, needed[0], samples, coverage);
      const { width } = sizes[0];
      const rows = needed[0][1] - needed[0][0];
      this.#commands.add(
        LUMA,
        {
          width,
          rows,
          bits,
          linear: this.#linear ? 1 : 0,
          use_coverage: 'coverage' in frame && frame.coverage ? 1 : 0,
          first: halvings.length === 0 ? needed[0][0] * width : 0,
        },
        [samples, coverage, halvings[0] ?? luma],
        flatGrid(width * rows),
      );
      for (let i = 1; i < needed.length; i++) {
        const isLast = i === needed.length - 1;
        const [a, b] = needed[i];
        this.#halve(halvings[i - 1], isLast ? luma : halvings[i], {
          ...this.#halving(sizes[i - 1], sizes[i]),
          // A band's rows are written from the start of its buffer on.
          top: a,
          rows: b - a,
          first: isLast ? 0 : -a * sizes[i].width,
          from_first: 0,
          from_top: needed[i - 1][0],
        });
      }
      await this.#commands.submit('luma of a frame');
    }
    throwIfCancelled(signal);
    this.#features(pyramid);
    await this.#commands.submit('features of a frame');
  }

  /** The levels below the finest, and the features of all. */
  #features(pyramid: GPUBuffer): void {
    const { levels, lumaFirst } = this.#bands;
    const [, , ...luma] = this.#buffers;
    for (const [i, level] of levels.entries()) {
      const { width, height, first } = level;
      if (i > 0)
        this.#halve(luma[(i - 1) % 2], luma[i % 2], {
          ...this.#halving(levels[i - 1], level),
          top: 0,
          rows: height,
          first: lumaFirst[i],
          from_first: lumaFirst[i - 1],
          from_top: 0,
        });
      const params = { width, height, from_first: lumaFirst[i], first };
      this.#commands.add(NORMALIZE, params, [luma[i % 2], pyramid], normalizeGroups(level));
    }
  }

  #halving(from: Size, to: Size): Record<'width' | 'from_width' | 'from_height', number> {
    return { width: to.width, from_width: from.width, from_height: from.height };
  }

  #halve(from: GPUBuffer, to: GPUBuffer, params: Record<string, number>): void {
    this.#commands.add(HALVE, params, [from, to], flatGrid(params.width * params.rows));
  }

  /**
   * Brings rows of a frame to the GPU.
   * @returns bits of a sample, as the luma program reads them.
   */
  async #load(
    frame: FrameSource,
    [first, end]: [number, number],
    samples: GPUBuffer,
    coverage: GPUBuffer,
  ): Promise<number> {
    const { width } = frameSize(frame);
    const rows = end - first;
    if (!('data' in frame)) {
      const grid = { x: 0, y: first, width, height: rows, cell: 1, step: 1 };
      await (await this.#transfer()).load(frame, grid, { buffer: samples, first: 0 });
      return VEC4_BITS;
    }
    const { data } = frame;
    const bits = 8 * data.BYTES_PER_ELEMENT;
    await this.#write(samples, data.subarray(3 * width * first, 3 * width * end));
    if ('coverage' in frame && frame.coverage)
      await this.#write(coverage, (frame.coverage as Uint8Array).subarray(width * first, width * end));
    return bits;
  }

  /** Writes bytes, whose number need not be a multiple of four. */
  async #write(buffer: GPUBuffer, data: ArrayBufferView): Promise<void> {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const whole = bytes.length & ~3;
    await this.#gpu.guard('uploading a frame', () => {
      const { queue } = this.#gpu.device;
      if (whole > 0) queue.writeBuffer(buffer, 0, bytes, 0, whole);
      if (bytes.length > whole) {
        const rest = new Uint8Array(4);
        rest.set(bytes.subarray(whole));
        queue.writeBuffer(buffer, whole, rest);
      }
    });
  }

  dispose(): void {
    for (const buffer of this.#buffers) buffer.destroy();
    this.#buffers = [];
  }
}
