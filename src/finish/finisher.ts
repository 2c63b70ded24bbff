/**
 * Finishes one picture on a device: its proxy once, then a grid of local curves for each change of settings, and rows
 * of the picture through it. Radiance stays with the caller and goes to the device in bands.
 */
import { DEVICE, FUNCTION, expect, oneOf, readOptions, whole } from '../checks.ts';
import { Gpu } from '../device.ts';
import { InputError, UsageError, throwIfCancelled } from '../errors.ts';
import { Commands } from '../graph/commands.ts';
import { Pipelines } from '../graph/pipelines.ts';
import { PRIMARIES, rgbToXyz } from '../image/colorSpace.ts';
import { flatGrid } from '../kernels/flat.ts';
import { APPLY, APPLY_PROXY, applyCount } from './applyPrograms.ts';
import type { FinishedKind } from './applyPrograms.ts';
import { placementOf, readCrop } from './crop.ts';
import type { Crop } from './pictures.ts';
import { finishNumbers } from './curves.ts';
import { readFinish, readLight, readRadiance } from './finishChecks.ts';
import { GRID_LOW, GRID_NODES, gridFor } from './grid.ts';
import type { GridSize } from './grid.ts';
import { CURVES, PROXY, SPREAD, ownWeight } from './gridPrograms.ts';
import { BINS, BIN_STEP, COUNTED, HISTOGRAM } from './histogramProgram.ts';
import type { LiveFinish } from './live.ts';
import { lightStatistics, lookSettings } from './looks.ts';
import type { LightStatistics, LookName } from './looks.ts';
import type { FinishHistogram, FinishOptions, FinishPreview, FinishedSamples, RadiancePicture } from './pictures.ts';
import { completeSettings } from './settings.ts';
import type { FinishSettings } from './settings.ts';

const KIND = /* @__PURE__ */ oneOf('codes', 'linear');
/** Most pixels that are on the device at once. */
const BAND_PIXELS = 1 << 20;
const PIXEL_BYTES = 12;
const COUNT_BYTES = 4 * BINS * COUNTED.length;

type Buffers = Record<
  'radiance' | 'finished' | 'readback' | 'proxy' | 'samples' | 'counts' | 'sums' | 'table' | 'live',
  GPUBuffer
>;

/** A picture on its way to a display: settings may change as often as one likes. */
export class Finisher {
  readonly #gpu: Gpu;
  readonly #commands: Commands;
  readonly #picture: Required<RadiancePicture>;
  readonly #size: GridSize;
  readonly #buffers: Buffers;
  #statistics: LightStatistics | undefined;
  #disposed = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(gpu: Gpu, picture: Required<RadiancePicture>, size: GridSize, buffers: Buffers) {
    // Types forbid it; JavaScript does not.
    if (!(gpu instanceof Gpu)) throw new UsageError('new Finisher: await Finisher.create');
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
   * @throws UsageError; InputError; CancelledError; GpuError; DeviceLostError.
   */
  static async create(
    device: GPUDevice,
    picture: RadiancePicture,
    options: Pick<FinishOptions, 'onProgress' | 'signal'> = {},
  ): Promise<Finisher> {
    expect('device', device, DEVICE);
    const read = readRadiance('finish', picture);
    const control = readFinish('Finisher.create', options);
    const { width, height } = read;
    const gpu = Gpu.of(device);
    const size = gridFor(width, height);
    const { proxyWidth, proxyHeight, columns, rows } = size;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const nodes = columns * rows * GRID_NODES;
    const proxyBytes = 16 * proxyWidth * proxyHeight;
    const bandPixels = Math.max(
      bandRows(size, width, height) * width,
      Math.min(BAND_PIXELS, width * height),
      proxyWidth * proxyHeight,
    );
    const bandBytes = 4 * Math.ceil((PIXEL_BYTES / 4) * (bandPixels + 3));
    const buffers = await gpu.guard('allocating a picture to finish', (own) => {
      const make = (label: string, bytes: number, usage: number): GPUBuffer =>
        own(device.createBuffer({ label: `finish ${label}`, size: bytes, usage }));
      return {
        radiance: make('radiance', bandBytes, STORAGE | COPY_DST),
        finished: make('rows', bandBytes, STORAGE | COPY_SRC),
        readback: make('readback', Math.max(bandBytes, proxyBytes, COUNT_BYTES), MAP_READ | COPY_DST),
        proxy: make('proxy', proxyBytes, STORAGE | COPY_SRC),
        samples: make('samples', proxyBytes, STORAGE),
        counts: make('counts', COUNT_BYTES, STORAGE | COPY_SRC | COPY_DST),
        sums: make('sums', 8 * nodes, STORAGE),
        table: make('table', 4 * nodes, STORAGE | COPY_SRC),
        live: make('live table', 4 * nodes, STORAGE | COPY_DST),
      };
    });
    const finisher = new Finisher(gpu, read, size, buffers);
    try {
      await finisher.#read(control);
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
   * @throws UsageError, also once this is disposed; CancelledError; GpuError; DeviceLostError.
   */
  async finish<K extends FinishedKind>(
    kind: K,
    settings: Partial<FinishSettings>,
    options: FinishOptions = {},
  ): Promise<FinishedSamples[K]> {
    const read = readFinish('finish', options);
    const { width, height } = this.#part(read);
    const count = 3 * width * height;
    const samples = kind === 'codes' ? new Uint8Array(count) : new Float32Array(count);
    await this.finishRows(kind, settings, (rows, from) => samples.set(rows, from), read);
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
    expect('kind', kind, KIND);
    expect('use', use, FUNCTION);
    const complete = completeSettings(settings);
    const read = readFinish('finish', options);
    const part = this.#part(read);
    return this.#next(() => this.#finish(kind, complete, use, read, part));
  }

  /**
   * The picture small, at most 512 pixels a side: means of its blocks, finished. A call takes no upload of the picture.
   * @throws as `finish`.
   */
  preview(settings: Partial<FinishSettings>): Promise<FinishPreview> {
    const complete = completeSettings(settings);
    const { block, proxyWidth: width, proxyHeight: height } = this.#size;
    return this.#next(async () => {
      const { proxy, finished, table } = this.#buffers;
      const finish = this.#curves(complete, 0);
      const count = width * height;
      const params = { width, count, top: 0, place: placeNumbers(block), finish };
      this.#commands.add(APPLY_PROXY, params, [proxy, table, finished], flatGrid(applyCount(count)));
      const codes = await this.#take('finishing a preview', finished, 4 * Math.ceil((3 * count) / 4));
      return { codes: new Uint8Array(codes, 0, 3 * count), width, height };
    });
  }

  /**
   * How the picture's light is spread, and how it is shown: of a sample, a pixel of each block.
   * @throws as `finish`.
   */
  histogram(
    settings: Partial<FinishSettings>,
    options: Pick<FinishOptions, 'headroom'> = {},
  ): Promise<FinishHistogram> {
    const complete = completeSettings(settings);
    const { headroom = 0 } = readFinish('histogram', options);
    const { block, proxyWidth: width, proxyHeight: height } = this.#size;
    return this.#next(async () => {
      const { samples, table, counts } = this.#buffers;
      const finish = this.#curves(complete, headroom);
      const count = width * height;
      this.#commands.add(HISTOGRAM, { width, count, block, finish }, [samples, table, counts], flatGrid(count));
      const taken = new Uint32Array(
        await this.#take('counting light', counts, COUNT_BYTES, (encoder) => encoder.clearBuffer(counts)),
      );
      const shares = COUNTED.map((name, i): [string, Float32Array] => [
        name,
        Float32Array.from(taken.subarray(i * BINS, (i + 1) * BINS), (value) => value / count),
      ]);
      return {
        from: GRID_LOW,
        step: BIN_STEP,
        ...(Object.fromEntries(shares) as Record<(typeof COUNTED)[number], Float32Array>),
      };
    });
  }

  /**
   * Prepares settings for a shader that includes `liveFinishWgsl`. When the promise resolves, the work that fills the
   * table is in the device's queue: what is submitted later sees it.
   * @throws as `finish`.
   */
  live(settings: Partial<FinishSettings>, options: Pick<FinishOptions, 'headroom'> = {}): Promise<LiveFinish> {
    const complete = completeSettings(settings);
    const { headroom = 0 } = readFinish('live', options);
    return this.#next(async () => {
      const { table, live } = this.#buffers;
      this.#curves(complete, headroom);
      await this.#commands.submit('preparing a live picture', (encoder) =>
        encoder.copyBufferToBuffer(table, 0, live, 0, table.size),
      );
      const { colorSpace } = this.#picture;
      return { numbers: Float32Array.from(finishNumbers(complete, 1, colorSpace, this.#size, headroom)), table: live };
    });
  }

  /** Reads rows again, whose radiance has changed. Looks stay as the whole picture was. @throws as `create`. */
  refresh(part: { top: number; height: number }): Promise<void> {
    const rule = whole(0, this.#picture.height);
    const { top, height } = readOptions('refresh', part, { top: rule, height: rule }, ['top', 'height']);
    return this.#next(async () => {
      for (const [first, rows] of this.#bands())
        if (first < top + height && top < first + rows) await this.#readRows(first, rows);
    });
  }

  /** Frees everything on the device, which stays open. Calls that run or wait reject with a UsageError. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const buffer of Object.values(this.#buffers)) buffer.destroy();
  }

  /** One after another: the buffers are shared. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(async () => {
      try {
        this.#expectOpen();
        return await work();
      } catch (error) {
        this.#expectOpen();
        throw error;
      }
    });
    // Without its result, which would stay until the next call.
    const end = (): void => undefined;
    this.#queue = next.then(end, end);
    return next;
  }

  #expectOpen(): void {
    if (this.#disposed) throw new UsageError('this Finisher is disposed: create another');
  }

  /** What is finished: all, or a cut. @throws UsageError */
  #part({ cut }: Pick<FinishOptions, 'cut'>): Required<RadiancePicture> {
    if (!cut) return this.#picture;
    const { width, height } = readCrop(cut.crop, this.#picture);
    return { ...this.#picture, width, height, radiance: readLight('crop', cut.radiance, width, height) };
  }

  /** Adds what fills the table. @returns the numbers of the settings. */
  #curves(settings: FinishSettings, headroom: number): number[] {
    const { scale, colorSpace } = this.#picture;
    const { proxyWidth, proxyHeight, cell, columns, rows } = this.#size;
    const { proxy, sums, table } = this.#buffers;
    const finish = finishNumbers(settings, scale, colorSpace, this.#size, headroom);
    const grid = { columns, rows, finish };
    const add = this.#commands.add.bind(this.#commands);
    add(SPREAD, { width: proxyWidth, height: proxyHeight, cell, ...grid }, [proxy, sums], [columns, rows, 1]);
    add(CURVES, { ...grid, own: ownWeight(cell) }, [sums, table], [columns, rows, 1]);
    return finish;
  }

  /** Each band's first row, and its rows. @param rows whole blocks by default. */
  *#bands(
    { width, height }: RadiancePicture = this.#picture,
    rows = bandRows(this.#size, width, height),
  ): Generator<[top: number, count: number]> {
    for (let top = 0; top < height; top += rows) yield [top, Math.min(rows, height - top)];
  }

  #upload(top: number, count: number, { radiance, width } = this.#picture): void {
    // A view of transferred memory cannot be made.
    if (radiance.length === 0) throw new InputError('finish: the radiance was transferred: keep it');
    const band = radiance.subarray(3 * top * width, 3 * (top + count) * width) as Float32Array<ArrayBuffer>;
    this.#gpu.device.queue.writeBuffer(this.#buffers.radiance, 0, band);
  }

  /** Submits what was added, and reads the first bytes of a buffer. @param more is done before, within `Gpu.guard`. */
  async #take(
    what: string,
    from: GPUBuffer,
    bytes: number,
    more?: (encoder: GPUCommandEncoder) => void,
  ): Promise<ArrayBuffer> {
    const { readback } = this.#buffers;
    await this.#commands.submit(what, (encoder) => {
      encoder.copyBufferToBuffer(from, 0, readback, 0, bytes);
      more?.(encoder);
    });
    return this.#gpu.read(readback, (range) => range.slice(0), bytes);
  }

  /** The proxy, and its statistics. */
  async #read({ onProgress, signal }: FinishOptions): Promise<void> {
    const { height, scale, colorSpace } = this.#picture;
    const { proxyWidth, proxyHeight } = this.#size;
    const { proxy } = this.#buffers;
    for (const [top, rows] of this.#bands()) {
      throwIfCancelled(signal);
      onProgress?.(top / height);
      await this.#readRows(top, rows);
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

  /** Rows of the proxy and of the samples. */
  async #readRows(top: number, rows: number): Promise<void> {
    const { width } = this.#picture;
    const { block, proxyWidth } = this.#size;
    const { radiance, proxy, samples } = this.#buffers;
    const proxyRows = Math.ceil(rows / block);
    const params = { width, rows, block, proxy_width: proxyWidth, proxy_rows: proxyRows };
    const first = (top / block) * proxyWidth;
    this.#commands.add(PROXY, { ...params, first }, [radiance, proxy, samples], flatGrid(proxyWidth * proxyRows));
    await this.#commands.submit('reading a picture to finish', () => this.#upload(top, rows));
  }

  async #finish<K extends FinishedKind>(
    kind: K,
    settings: FinishSettings,
    use: (rows: FinishedSamples[K], from: number) => void,
    { onProgress, signal, headroom = 0, cut }: FinishOptions,
    part: Required<RadiancePicture>,
  ): Promise<void> {
    throwIfCancelled(signal);
    const { width, height } = part;
    const place = placeNumbers(1, cut?.crop);
    const { radiance, finished, table } = this.#buffers;
    const finish = this.#curves(settings, headroom);
    // A cut has no blocks.
    const bandOf = cut ? Math.max(1, Math.floor(BAND_PIXELS / width)) : undefined;
    for (const [top, bandRows] of this.#bands(part, bandOf)) {
      throwIfCancelled(signal);
      onProgress?.(top / height);
      const count = bandRows * width;
      const params = { width, count, top, place, finish };
      this.#commands.add(APPLY[kind], params, [radiance, table, finished], flatGrid(applyCount(count)));
      const samples = 3 * count;
      const bytes = kind === 'codes' ? samples : 4 * samples;
      const upload = (): void => this.#upload(top, bandRows, part);
      const taken = await this.#take('finishing rows', finished, 4 * Math.ceil(bytes / 4), upload);
      const band = kind === 'codes' ? new Uint8Array(taken, 0, samples) : new Float32Array(taken);
      use(band as FinishedSamples[K], 3 * top * width);
    }
    onProgress?.(1);
  }
}

/** Where pixels lie in the picture, for APPLY. @param block pixels of the picture along each of theirs. */
function placeNumbers(block: number, crop?: Crop): number[] {
  if (!crop) return [block, 0, 0, block, 0, 0, 0, 0];
  const { origin, right, down } = placementOf(crop);
  return [...right, ...down, ...origin, 0, 0];
}

/** Rows of a band: whole blocks. */
function bandRows({ block }: GridSize, width: number, height: number): number {
  return Math.min(Math.ceil(height / block), Math.max(1, Math.floor(BAND_PIXELS / (width * block)))) * block;
}
