/**
 * Finishes one picture on a device: its proxy once, then a grid of local curves for each change of settings, and rows
 * of the picture through it. Radiance stays with the caller and goes to the device in bands.
 */
import { Gpu } from '../device.ts';
import { InputError, UsageError, throwIfCancelled } from '../errors.ts';
import { Commands } from '../graph/commands.ts';
import { Pipelines } from '../graph/pipelines.ts';
import { PRIMARIES, rgbToXyz } from '../image/colorSpace.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { flatGrid } from '../kernels/flat.ts';
import { APPLY, applyCount } from './applyPrograms.ts';
import type { FinishedKind } from './applyPrograms.ts';
import { finishNumbers } from './curves.ts';
import { GRID_NODES, gridFor } from './grid.ts';
import type { GridSize } from './grid.ts';
import { CURVES, PROXY, SPREAD, ownWeight } from './gridPrograms.ts';
import { lightStatistics, lookSettings } from './looks.ts';
import type { LightStatistics, LookName } from './looks.ts';
import { completeSettings } from './settings.ts';
import type { FinishSettings } from './settings.ts';

/** A picture to finish: the part of a merge's result that this needs. */
export interface RadiancePicture {
  /** Linear RGB, interleaved `[height, width, 3]`; negative values count as 0. */
  radiance: Float32Array;
  width: number;
  height: number;
  /** Radiance times this is 1 at the reference frame's white; 1 by default. */
  scale?: number;
  /** `srgb` by default. */
  colorSpace?: ColorSpace;
}

/** How a picture is finished. Every field has a default. */
export interface FinishOptions {
  /** EV above white that the display shows, from 0 to 8, for `linear`; 0 by default: 1 is the most. */
  headroom?: number;
  /** Called with the share of the work that is done, from 0 to 1. */
  onProgress?: (fraction: number) => void;
  signal?: AbortSignal;
}

/** A finished picture's samples by kind. */
export interface FinishedSamples {
  /** 8-bit codes under sRGB's curve. */
  codes: Uint8Array<ArrayBuffer>;
  /** Display-linear: 1 is white. */
  linear: Float32Array<ArrayBuffer>;
}

/** Most EV above white. */
const MOST_HEADROOM = 8;
/** Most pixels that are on the device at once. */
const BAND_PIXELS = 1 << 20;
const PIXEL_BYTES = 12;

type Buffers = Record<'radiance' | 'finished' | 'readback' | 'proxy' | 'sums' | 'table', GPUBuffer>;

/** A picture on its way to a display: settings may change as often as one likes. */
export class Finisher {
  readonly #gpu: Gpu;
  readonly #commands: Commands;
  readonly #picture: RadiancePicture;
  readonly #size: GridSize;
  readonly #buffers: Buffers;
  #statistics: LightStatistics | undefined;
  #disposed = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(gpu: Gpu, picture: RadiancePicture, size: GridSize, buffers: Buffers) {
    this.#gpu = gpu;
    this.#commands = new Commands(gpu, new Pipelines(gpu));
    this.#picture = picture;
    this.#size = size;
    this.#buffers = buffers;
  }

  /**
   * Reads a picture's light.
   * @param device stays open.
   * @param picture its radiance must not change as long as it is finished.
   * @throws InputError; CancelledError; GpuError; DeviceLostError.
   */
  static async create(
    device: GPUDevice,
    picture: RadiancePicture,
    options: Omit<FinishOptions, 'headroom'> = {},
  ): Promise<Finisher> {
    const { width, height, radiance, scale = 1 } = picture;
    if (!(width >= 1 && height >= 1) || radiance.length !== 3 * width * height)
      throw new InputError(
        `finish: ${radiance.length} values for ${width}x${height}: RGB needs ${3 * width * height}, at least one pixel`,
      );
    if (!(scale > 0 && scale < Infinity))
      throw new InputError(`finish: the scale is ${scale}, it must be positive and finite`);
    const gpu = new Gpu(device);
    const size = gridFor(width, height);
    const { proxyWidth, proxyHeight, columns, rows } = size;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const nodes = columns * rows * GRID_NODES;
    const proxyBytes = 16 * proxyWidth * proxyHeight;
    const bandBytes = 4 * Math.ceil((PIXEL_BYTES / 4) * (bandRows(size, width, height) * width + 3));
    const buffers = await gpu.guard('allocating a picture to finish', () => {
      const make = (label: string, bytes: number, usage: number): GPUBuffer =>
        device.createBuffer({ label: `finish ${label}`, size: bytes, usage });
      return {
        radiance: make('radiance', bandBytes, STORAGE | COPY_DST),
        finished: make('rows', bandBytes, STORAGE | COPY_SRC),
        readback: make('readback', Math.max(bandBytes, proxyBytes), MAP_READ | COPY_DST),
        proxy: make('proxy', proxyBytes, STORAGE | COPY_SRC),
        sums: make('sums', 8 * nodes, STORAGE),
        table: make('table', 4 * nodes, STORAGE),
      };
    });
    const finisher = new Finisher(gpu, picture, size, buffers);
    try {
      await finisher.#read(options);
    } catch (error) {
      finisher.dispose();
      throw error;
    }
    return finisher;
  }

  /** A look's settings for this picture. @throws UsageError for an unknown name. */
  settingsOf(look: LookName): FinishSettings {
    return lookSettings(look, this.#statistics);
  }

  /**
   * The finished picture.
   * @param settings those of `settingsOf`, or one's own; what is missing has its default.
   * @throws UsageError; CancelledError; GpuError; DeviceLostError.
   */
  async finish<K extends FinishedKind>(
    kind: K,
    settings: Partial<FinishSettings>,
    options: FinishOptions = {},
  ): Promise<FinishedSamples[K]> {
    const count = 3 * this.#picture.width * this.#picture.height;
    const samples = kind === 'codes' ? new Uint8Array(count) : new Float32Array(count);
    await this.finishRows(kind, settings, (rows, from) => samples.set(rows, from), options);
    return samples as FinishedSamples[K];
  }

  /**
   * The finished picture, rows at a time.
   * @param use gets rows from the top on, and the place of their first sample in the picture.
   * @throws as `finish`; whatever `use` throws.
   */
  finishRows<K extends FinishedKind>(
    kind: K,
    settings: Partial<FinishSettings>,
    use: (rows: FinishedSamples[K], from: number) => void,
    options: FinishOptions = {},
  ): Promise<void> {
    const complete = completeSettings(settings);
    // One after another: the buffers are shared.
    const next = this.#queue.then(() => this.#finish(kind, complete, use, options));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  /** Frees everything on the device, which stays open. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of Object.values(this.#buffers)) buffer.destroy();
  }

  /** Rows of a band, and each band's first row. */
  *#bands(): Generator<[top: number, count: number]> {
    const { width, height } = this.#picture;
    const rows = bandRows(this.#size, width, height);
    for (let top = 0; top < height; top += rows) yield [top, Math.min(rows, height - top)];
  }

  #upload(top: number, count: number): void {
    const { radiance, width } = this.#picture;
    const band = radiance.subarray(3 * top * width, 3 * (top + count) * width) as Float32Array<ArrayBuffer>;
    this.#gpu.device.queue.writeBuffer(this.#buffers.radiance, 0, band);
  }

  /** Submits what was added, and reads the first bytes of a buffer. */
  async #take(what: string, from: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    const { readback } = this.#buffers;
    await this.#commands.submit(what, (encoder) => encoder.copyBufferToBuffer(from, 0, readback, 0, bytes));
    await this.#gpu.wait(readback.mapAsync(GPUMapMode.READ, 0, bytes));
    const taken = readback.getMappedRange(0, bytes).slice(0);
    readback.unmap();
    return taken;
  }

  /** The proxy, and its statistics. */
  async #read({ onProgress, signal }: FinishOptions): Promise<void> {
    const { width, height, scale = 1, colorSpace = 'srgb' } = this.#picture;
    const { block, proxyWidth, proxyHeight } = this.#size;
    const { radiance, proxy } = this.#buffers;
    for (const [top, rows] of this.#bands()) {
      throwIfCancelled(signal);
      onProgress?.(top / height);
      this.#upload(top, rows);
      const proxyRows = Math.ceil(rows / block);
      const params = { width, rows, block, proxy_width: proxyWidth, proxy_rows: proxyRows };
      this.#commands.add(
        PROXY,
        { ...params, first: (top / block) * proxyWidth },
        [radiance, proxy],
        flatGrid(proxyWidth * proxyRows),
      );
      await this.#commands.submit('reading a picture to finish');
    }
    const pixels = new Float32Array(await this.#take('reading a proxy', proxy, 16 * proxyWidth * proxyHeight));
    const luma = rgbToXyz(PRIMARIES[colorSpace]).slice(3, 6);
    this.#statistics = lightStatistics(
      (function* () {
        for (let i = 0; i < pixels.length; i += 4)
          yield scale * (luma[0] * pixels[i] + luma[1] * pixels[i + 1] + luma[2] * pixels[i + 2]);
      })(),
    );
    onProgress?.(1);
  }

  async #finish<K extends FinishedKind>(
    kind: K,
    settings: FinishSettings,
    use: (rows: FinishedSamples[K], from: number) => void,
    { onProgress, signal, headroom = 0 }: FinishOptions,
  ): Promise<void> {
    if (!(headroom >= 0 && headroom <= MOST_HEADROOM))
      throw new UsageError(`finish: headroom is ${headroom}, it must be from 0 to ${MOST_HEADROOM}`);
    throwIfCancelled(signal);
    const { width, height, scale = 1, colorSpace = 'srgb' } = this.#picture;
    const { proxyWidth, proxyHeight, cell, columns, rows } = this.#size;
    const { radiance, finished, proxy, sums, table } = this.#buffers;
    const finish = finishNumbers(settings, scale, colorSpace, this.#size, headroom);
    const grid = { columns, rows, finish };
    const add = this.#commands.add.bind(this.#commands);
    add(SPREAD, { width: proxyWidth, height: proxyHeight, cell, ...grid }, [proxy, sums], [columns, rows, 1]);
    add(CURVES, { ...grid, own: ownWeight(cell) }, [sums, table], [columns, rows, 1]);
    for (const [top, bandRows] of this.#bands()) {
      throwIfCancelled(signal);
      onProgress?.(top / height);
      this.#upload(top, bandRows);
      const count = bandRows * width;
      add(APPLY[kind], { width, count, top, finish }, [radiance, table, finished], flatGrid(applyCount(count)));
      const samples = 3 * count;
      const bytes = kind === 'codes' ? samples : 4 * samples;
      const taken = await this.#take('finishing rows', finished, 4 * Math.ceil(bytes / 4));
      const band = kind === 'codes' ? new Uint8Array(taken, 0, samples) : new Float32Array(taken);
      use(band as FinishedSamples[K], 3 * top * width);
    }
    onProgress?.(1);
  }
}

/** Rows of a band: whole blocks. */
function bandRows({ block }: GridSize, width: number, height: number): number {
  return Math.min(Math.ceil(height / block), Math.max(1, Math.floor(BAND_PIXELS / (width * block)))) * block;
}
