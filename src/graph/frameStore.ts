/**
 * Frames and motion maps on the device, as they are: samples of 8, 16 or 32 bits, and maps of floats. Tiles are cut
 * from them there.
 *
 * If whole frames fit, they go up once per merge. If not, the store holds the pixels of one tile, and those of the next
 * are packed into a staging buffer while the GPU works.
 */
import type { Gpu } from '../device.ts';
import type { FrameSource } from '../image/frame.ts';
import { frameSize } from '../image/frame.ts';
import type { MotionMaps } from '../image/motion.ts';
import { rowGrid } from '../kernels/rows.ts';
import { CUT } from '../kernels/stack.ts';
import type { SampleBits } from '../kernels/stack.ts';
import type { Commands } from './commands.ts';
import type { DeviceBuffers } from './deviceBuffers.ts';
import type { Part, Take } from './results.ts';

/** How often a store that holds tiles has each of their pixels: to cut from, and in its staging buffer. */
export const TILE_COPIES = 2;

/** Bytes of a pixel of each array of frames: samples and coverage. */
export function pixelBytes(frames: readonly FrameSource[]): number[] {
  return frames.flatMap((frame) =>
    'data' in frame ? [3 * frame.data.BYTES_PER_ELEMENT, ...(frame.coverage ? [1] : [])] : [],
  );
}

interface Size {
  width: number;
  height: number;
}

/** A part of a picture in pixels. */
interface Box extends Size {
  x: number;
  y: number;
}

/** An array of pixels, or a box of it, in a buffer of the device. */
class Held {
  readonly buffer: GPUBuffer;
  readonly pixelBytes: number;
  readonly width: number;
  readonly height: number;
  /** Where the array lies in the picture. */
  readonly x: number;
  readonly y: number;
  /** The box that is there, in the picture. */
  box: Box;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /**
   * @param tile the largest box to hold; undefined for all.
   * @param isMade whether all pixels will be made on the device, and need not be sent.
   */
  constructor(
    memory: DeviceBuffers,
    what: string,
    array: ArrayBufferView,
    { width, height, x = 0, y = 0 }: Size & Partial<Box>,
    tile: Size | undefined,
    isMade = false,
  ) {
    this.#bytes = new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
    [this.width, this.height, this.x, this.y] = [width, height, x, y];
    this.pixelBytes = array.byteLength / (width * height);
    this.box = tile ? { x, y, width: 0, height: 0 } : { x, y, width, height };
    this.buffer = memory.create(
      what,
      words((tile ? tile.width * tile.height : width * height) * this.pixelBytes),
      GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      tile || isMade ? undefined : this.#bytes,
    );
  }

  /** Whether pixels of a tile are missing; those outside the picture repeat its edge and need not be there. */
  lacks(tile: Box): boolean {
    const { box } = this;
    const { x, y, width, height } = this.#within(tile);
    return x < box.x || y < box.y || x + width > box.x + box.width || y + height > box.y + box.height;
  }

  #within(tile: Box): Box {
    const [endX, endY] = [this.x + this.width, this.y + this.height];
    const x = Math.min(tile.x, endX - 1);
    const y = Math.min(tile.y, endY - 1);
    const width = Math.max(1, Math.min(endX, tile.x + tile.width) - x);
    const height = Math.max(1, Math.min(endY, tile.y + tile.height) - y);
    return { x, y, width, height };
  }

  /** Packs a tile's pixels, which the caller brings to the buffer. @returns their bytes. */
  pack(to: Uint8Array, tile: Box): number {
    this.box = this.#within(tile);
    const { x, y, width, height } = this.box;
    const bytes = this.#bytes;
    const [row, pitch] = [width * this.pixelBytes, this.width * this.pixelBytes];
    const start = (y - this.y) * pitch + (x - this.x) * this.pixelBytes;
    if (row === pitch) to.set(bytes.subarray(start, start + height * row));
    else for (let j = 0; j < height; j++) to.set(bytes.subarray(start + j * pitch, start + j * pitch + row), j * row);
    return height * row;
  }
}

/** A number of bytes, rounded up to whole words. */
function words(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

/** What one frame has in a store. */
interface Stored {
  isWarped?: boolean;
  samples?: Held;
  coverage?: Held;
  map?: Held;
}

/** Where a tile lies in the picture, though its last rows and columns may lie outside, and where it goes. */
export interface CutTarget extends Box {
  /** The stack, and its first vec4. */
  buffer: GPUBuffer;
  first: number;
}

/**
 * A whole frame on the device: interleaved RGB of 8, 16 or 32 bits, packed into words, and a byte of coverage a pixel.
 */
export interface HeldFrame {
  samples: GPUBuffer;
  bits: number;
  coverage: GPUBuffer | undefined;
}

export class FrameStore {
  /** The device that it is on. */
  readonly gpu: Gpu;
  /** The largest tile that it holds pixels of; undefined if it holds all. */
  readonly tile: Size | undefined;
  readonly #memory: DeviceBuffers;
  readonly #size: Size;
  readonly #frames: Stored[];
  readonly #none: GPUBuffer;
  #staging: GPUBuffer | undefined;
  #sentMs = 0;
  #motion: MotionMaps | undefined;

  /**
   * @param isWarped which frames are resampled into the tiles after they were cut.
   * @param tile the largest tile that will be cut, if no more than its pixels are to be held.
   */
  static create(
    gpu: Gpu,
    memory: DeviceBuffers,
    frames: readonly FrameSource[],
    isWarped: (frame: number) => boolean,
    tile: Size | undefined,
  ): Promise<FrameStore> {
    return memory.attempt('allocating frames', () => new FrameStore(gpu, memory, frames, isWarped, tile));
  }

  private constructor(
    gpu: Gpu,
    memory: DeviceBuffers,
    frames: readonly FrameSource[],
    isWarped: (frame: number) => boolean,
    tile: Size | undefined,
  ) {
    this.gpu = gpu;
    this.#memory = memory;
    this.#size = frameSize(frames[0]);
    this.tile = tile;
    this.#none = memory.create('no rows', 16, GPUBufferUsage.STORAGE);
    const from = performance.now();
    this.#frames = frames.map((frame, k) => {
      // Of a frame that is resampled another part than the tile's is needed.
      if (!('data' in frame) || (tile && isWarped(k))) return {};
      const { data, coverage } = frame;
      return {
        isWarped: isWarped(k),
        samples: new Held(memory, `frame ${k + 1}`, data, this.#size, tile),
        ...(coverage && { coverage: new Held(memory, `coverage ${k + 1}`, coverage, this.#size, tile) }),
      };
    });
    this.#sentMs = performance.now() - from;
  }

  /** Sets the maps W_k, or none. What is set already stays. */
  async setMotion(motion: MotionMaps | undefined): Promise<void> {
    if (motion !== this.#motion) await this.#holdMotion(motion);
  }

  /**
   * Sets maps that are made on the device: they hold nothing until `addMotion` has run for every tile. Only for a store
   * that holds all.
   */
  async makeMotion(motion: MotionMaps): Promise<void> {
    await this.#holdMotion(motion, true);
  }

  async #holdMotion(motion: MotionMaps | undefined, isMade = false): Promise<void> {
    this.#motion = undefined;
    for (const stored of this.#frames) {
      if (stored.map) this.#memory.destroy(stored.map.buffer);
      stored.map = undefined;
    }
    if (!motion) return;
    const from = performance.now();
    const maps = await this.#memory.attempt('allocating motion maps', () =>
      motion.maps.map((map, k) => new Held(this.#memory, `map ${k + 1}`, map, motion, this.tile, isMade)),
    );
    this.#sentMs += performance.now() - from;
    for (const [k, stored] of this.#frames.entries()) stored.map = maps[k];
    this.#motion = motion;
  }

  /** Adds the commands that copy a part of a tile's maps, one a channel, to where they are kept. */
  addMotion(commands: Commands, take: Take, part: Part): void {
    // What the CPU takes of the same maps is looked at there.
    for (const [k, { map }] of this.#frames.entries())
      take(commands, part, [k, 1], map!.buffer, this.#none, {
        base: part.y * map!.width + part.x,
        pixelStep: 1,
        rowStep: map!.width,
        channelStep: 0,
      });
  }

  /** CPU milliseconds of handing pixels to the device, since the last call. */
  takeSentMs(): number {
    const ms = this.#sentMs;
    this.#sentMs = 0;
    return ms;
  }

  /** Brings the pixels of a tile that are not there yet. @throws GpuError; DeviceLostError. */
  async bring(tile: Box): Promise<void> {
    const all = this.#frames.flatMap(({ samples, coverage, map }) => [samples, coverage, map]);
    const lacking = all.filter((held) => held !== undefined).filter((held) => held.lacks(tile));
    if (lacking.length === 0) return;
    // The pixels of the last tile must have been copied from it: then that tile is being computed.
    const staging = await this.#stagingOf(all.reduce((sum, held) => sum + (held?.buffer.size ?? 0), 0));
    await this.gpu.wait(staging.mapAsync(GPUMapMode.WRITE));
    await this.gpu.guard('uploading frames', () => {
      const from = performance.now();
      const memory = new Uint8Array(staging.getMappedRange());
      let end = 0;
      const copies = lacking.map((held) => {
        const at = end;
        const size = words(held.pack(memory.subarray(at), tile));
        end += size;
        return { held, at, size };
      });
      staging.unmap();
      this.#sentMs += performance.now() - from;
      const encoder = this.gpu.device.createCommandEncoder({ label: 'frames' });
      for (const { held, at, size } of copies) encoder.copyBufferToBuffer(staging, at, held.buffer, 0, size);
      this.gpu.device.queue.submit([encoder.finish()]);
    });
  }

  /** The staging buffer, of at least some bytes. */
  async #stagingOf(size: number): Promise<GPUBuffer> {
    if (this.#staging && this.#staging.size < size) {
      this.#memory.destroy(this.#staging);
      this.#staging = undefined;
    }
    this.#staging ??= await this.#memory.attempt('allocating frames', () =>
      this.#memory.create('frames staging', size, GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC),
    );
    return this.#staging;
  }

  /** Adds the commands that cut a tile whose pixels are there. */
  cut(commands: Commands, tile: CutTarget): void {
    const { width, height } = this.#size;
    for (const [k, stored] of this.#frames.entries()) {
      const { map } = stored;
      const { samples, coverage } = stored.isWarped ? {} : stored;
      const { box } = samples ?? {};
      const bits = (samples ? (8 * samples.pixelBytes) / 3 : 0) as SampleBits;
      commands.add(
        CUT[bits],
        {
          first: tile.first + k * tile.width * tile.height,
          pitch: tile.width,
          x: tile.x,
          y: tile.y,
          last_x: width - 1,
          last_y: height - 1,
          box_x: box?.x ?? 0,
          box_y: box?.y ?? 0,
          box_width: box?.width ?? 0,
          use_coverage: coverage ? 1 : 0,
          map_last_x: map ? map.x + map.width - 1 : -1,
          map_last_y: map ? map.y + map.height - 1 : -1,
          map_x: map?.box.x ?? 0,
          map_y: map?.box.y ?? 0,
          map_width: map?.box.width ?? 0,
        },
        [tile.buffer, ...[samples, coverage, map].map((held) => held?.buffer ?? this.#none)],
        rowGrid(tile.width, tile.height),
      );
    }
  }

  /** The samples of every frame, all of them arrays, and the box of pixels that is there. */
  samples(): { buffers: readonly GPUBuffer[]; box: Box } {
    return {
      buffers: this.#frames.map(({ samples }) => samples!.buffer),
      box: this.#frames[0].samples!.box,
    };
  }

  /** A whole frame, if this store holds it. */
  frame(k: number): HeldFrame | undefined {
    const { samples, coverage } = this.#frames[k];
    if (this.tile || !samples) return undefined;
    return { samples: samples.buffer, bits: (8 * samples.pixelBytes) / 3, coverage: coverage?.buffer };
  }

  dispose(): void {
    for (const { samples, coverage, map } of this.#frames)
      for (const held of [samples, coverage, map]) if (held) this.#memory.destroy(held.buffer);
    this.#memory.destroy(this.#none);
    if (this.#staging) this.#memory.destroy(this.#staging);
  }
}
