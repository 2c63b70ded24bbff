/**
 * Brings warped frames into the tiles of a merge: a frame is resampled on the GPU, straight into the tile's stack. A
 * frame that is not there whole goes there as it is, box by box, as far as the tile shows it.
 */
import type { Gpu } from '../device.ts';
import type { HeldFrame } from '../graph/frameStore.ts';
import type { Target, Transfer } from '../graph/transfer.ts';
import { multiply3 } from '../image/colorSpace.ts';
import { frameSize } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { flatGrid } from '../kernels/flat.ts';
import { sampleBytes } from './bands.ts';
import { Commands } from '../graph/commands.ts';
import type { AlignDevice } from './estimate.ts';
import { apply } from './homography.ts';
import type { Size } from './homography.ts';
import type { Mesh, Warp } from './types.ts';
import { VEC4_BITS } from './pixels.ts';
import { LOBES, WARP } from './warpPrograms.ts';

/**
 * Side of the blocks that the picture is warped in. Coordinates count from a block's corner, so that f32 is fine enough
 * in pictures of any size, and a pixel comes out the same in whichever tile it is.
 */
const BLOCK = 256;
/** Side of the largest box of a frame: a block's with a tenth more, turned by 8 degrees. Larger boxes are halved. */
const BOX_SIDE = 336;
const BOX_PIXELS = BOX_SIDE ** 2;
/** More than f32 can be off by, in pixels. */
const ROUNDING = 0.01;
/** Nodes of the largest mesh: a grid of 32-pixel cells on 1.5 megapixels, twice over. */
const MOST_NODES = 4096;

/** Bytes of the buffers that warping frames takes. */
function sizesFor(frames: readonly FrameSource[]): Record<'box' | 'coverage' | 'shifts', number> {
  return {
    box: BOX_PIXELS * Math.max(...frames.map(sampleBytes)),
    coverage: frames.some((frame) => 'coverage' in frame && frame.coverage) ? BOX_PIXELS : 4,
    shifts: 8 * MOST_NODES,
  };
}

/** All of them, with the params. */
export function warperBytes(frames: readonly FrameSource[]): number {
  return Object.values(sizesFor(frames)).reduce((a, b) => a + b, 512);
}

/** A part of the reference, or of a frame, in pixels. */
interface Box extends Size {
  x: number;
  y: number;
}

/** Where a tile's pixels lie in the picture: `width` x `height` of them, from `x`, `y` on. */
export type TileBox = Box;

export class Warper {
  /** The device that it warps on. */
  readonly gpu: Gpu;
  readonly #transfer: () => Promise<Transfer>;
  readonly #commands: Commands;
  readonly #sizes: ReturnType<typeof sizesFor>;
  readonly #staging: Uint8Array<ArrayBuffer>;
  #buffers: Record<'box' | 'coverage' | 'shifts', GPUBuffer> | undefined;
  #mesh: Mesh | undefined;

  /** @param frames what may be warped. */
  constructor(on: AlignDevice, frames: readonly FrameSource[]) {
    this.gpu = on.gpu;
    this.#transfer = () => on.transfer();
    this.#commands = new Commands(on.gpu, on.pipelines);
    this.#sizes = sizesFor(frames);
    this.#staging = new Uint8Array(this.#sizes.box);
  }

  /**
   * Writes a frame's colours, as the reference sees them, to `target`. Fourth components stay unchanged, but become
   * NO_DATA where the frame has no data.
   * @param tile may reach beyond the picture; its last row and column repeat there.
   * @param held the frame, if it is on the device whole.
   * @throws GpuError; DeviceLostError.
   */
  async load(frame: FrameSource, warp: Warp, tile: TileBox, target: Target, held?: HeldFrame): Promise<void> {
    await this.#prepare(warp.mesh);
    const { width, height } = frameSize(frame);
    const whole = { x: 0, y: 0, width, height };
    for (const y of parts(tile.y, tile.height, height)) {
      for (const x of parts(tile.x, tile.width, width)) {
        const part = { x: x.start, y: y.start, width: x.length, height: y.length };
        if (held) this.#add(frame, warp, tile, target, part, whole, held);
        else await this.#part(frame, warp, tile, target, part);
      }
    }
    if (held) await this.#commands.submit('warping a frame');
  }

  dispose(): void {
    for (const buffer of Object.values(this.#buffers ?? {})) buffer.destroy();
    this.#buffers = undefined;
  }

  /** Allocates what every warp needs, and uploads a mesh that is not there yet. */
  async #prepare(mesh: Mesh | undefined): Promise<void> {
    const { device } = this.gpu;
    this.#buffers ??= await this.gpu.guard('allocating for warps', (own) => {
      const make = (what: 'box' | 'coverage' | 'shifts'): GPUBuffer =>
        own(
          device.createBuffer({
            label: `warp ${what}`,
            size: this.#sizes[what],
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
          }),
        );
      return { box: make('box'), coverage: make('coverage'), shifts: make('shifts') };
    });
    if (!mesh || mesh === this.#mesh) return;
    const { shifts } = this.#buffers;
    await this.gpu.guard('uploading a mesh', () =>
      device.queue.writeBuffer(shifts, 0, mesh.shifts as Float32Array<ArrayBuffer>),
    );
    this.#mesh = mesh;
  }

  /** Warps a part of a tile, given in the picture's pixels, in halves if it needs too large a box of the frame. */
  async #part(frame: FrameSource, warp: Warp, tile: TileBox, target: Target, part: Box): Promise<void> {
    const picture = frameSize(frame);
    const box = boxOf(warp, picture, part);
    if (box.width * box.height > BOX_PIXELS && part.width * part.height > 1) {
      const isWide = part.width >= part.height;
      const [width, height] = isWide ? [part.width >> 1, part.height] : [part.width, part.height >> 1];
      await this.#part(frame, warp, tile, target, { ...part, width, height });
      return this.#part(frame, warp, tile, target, {
        x: part.x + (isWide ? width : 0),
        y: part.y + (isWide ? 0 : height),
        width: isWide ? part.width - width : width,
        height: isWide ? height : part.height - height,
      });
    }
    const bits = await this.#upload(frame, box);
    this.#add(frame, warp, tile, target, part, box, { samples: this.#buffers!.box, bits, coverage: undefined });
    await this.#commands.submit('warping a part of a frame');
  }

  /** Adds the command that warps a part of a tile. @param box the part of the frame that `source` holds. */
  #add(
    frame: FrameSource,
    warp: Warp,
    tile: TileBox,
    target: Target,
    part: Box,
    box: Box,
    { samples, bits, coverage = this.#buffers!.coverage }: HeldFrame,
  ): void {
    const picture = frameSize(frame);
    const block = { x: blockStart(part.x, picture.width), y: blockStart(part.y, picture.height) };
    const middle = apply(warp.matrix, block.x + BLOCK / 2, block.y + BLOCK / 2);
    const anchor = { x: Math.round(middle[0]), y: Math.round(middle[1]) };
    // From pixels of the block to the reference's, by the homography, to the frame's beside the anchor.
    const matrix = multiply3(translation(-anchor.x, -anchor.y), multiply3(warp.matrix, translation(block.x, block.y)));
    const { columns = 0, rows = 0 } = warp.mesh ?? {};
    const { shifts } = this.#buffers!;
    this.#commands.add(
      WARP,
      {
        first: target.first + (part.y - tile.y) * tile.width + part.x - tile.x,
        pitch: tile.width,
        width: part.width,
        height: part.height,
        left: part.x - block.x,
        top: part.y - block.y,
        last_x: picture.width - 1 - block.x,
        last_y: picture.height - 1 - block.y,
        low_x: -anchor.x,
        low_y: -anchor.y,
        high_x: picture.width - 1 - anchor.x,
        high_y: picture.height - 1 - anchor.y,
        box_x: box.x - anchor.x,
        box_y: box.y - anchor.y,
        box_width: box.width,
        box_height: box.height,
        bits,
        use_coverage: 'coverage' in frame && frame.coverage ? 1 : 0,
        columns,
        rows,
        mesh_x: ((block.x + 0.5) * columns) / picture.width - 0.5,
        mesh_y: ((block.y + 0.5) * rows) / picture.height - 0.5,
        mesh_step_x: columns / picture.width,
        mesh_step_y: rows / picture.height,
        matrix: [0, 3, 6].flatMap((i) => [...matrix.slice(i, i + 3), 0]),
      },
      [target.buffer, samples, coverage, shifts],
      flatGrid(part.width * part.height),
    );
  }

  /** Brings a box of a frame to the GPU. @returns bits of a sample, as the program reads them. */
  async #upload(frame: FrameSource, box: Box): Promise<number> {
    const { box: samples, coverage: covered } = this.#buffers!;
    if (!('data' in frame)) {
      await (await this.#transfer()).load(frame, { ...box, cell: 1, step: 1 }, { buffer: samples, first: 0 });
      return VEC4_BITS;
    }
    const { data, coverage, width } = frame;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    await this.#write(samples, bytes, 3 * data.BYTES_PER_ELEMENT, box, width);
    if (coverage) await this.#write(covered, coverage, 1, box, width);
    return 8 * data.BYTES_PER_ELEMENT;
  }

  /** Uploads a box of a picture of some bytes a pixel. */
  async #write(to: GPUBuffer, bytes: Uint8Array, pixelBytes: number, box: Box, width: number): Promise<void> {
    const length = box.width * pixelBytes;
    for (let y = 0; y < box.height; y++) {
      const at = ((box.y + y) * width + box.x) * pixelBytes;
      this.#staging.set(bytes.subarray(at, at + length), y * length);
    }
    const size = Math.ceil((box.height * length) / 4) * 4;
    await this.gpu.guard('uploading a part of a frame', () =>
      this.gpu.device.queue.writeBuffer(to, 0, this.#staging, 0, size),
    );
  }
}

function translation(x: number, y: number): number[] {
  return [1, 0, x, 0, 1, y, 0, 0, 1];
}

/** Where the block of a pixel begins, along one axis. Pixels beyond the picture belong to its last block. */
function blockStart(at: number, pictureLength: number): number {
  return Math.floor(Math.min(at, pictureLength - 1) / BLOCK) * BLOCK;
}

/** A tile's pixels along one axis, cut where blocks begin. */
function parts(from: number, length: number, pictureLength: number): { start: number; length: number }[] {
  const cut: { start: number; length: number }[] = [];
  for (let start = from; start < from + length; ) {
    const next = blockStart(start, pictureLength) + BLOCK;
    const end = next >= pictureLength ? from + length : Math.min(next, from + length);
    cut.push({ start, length: end - start });
    start = end;
  }
  return cut;
}

/** The part of a frame that some pixels of the reference need, the filter's taps included. */
function boxOf({ matrix, mesh }: Warp, { width, height }: Size, part: Box): Box {
  const most = mesh ? mesh.shifts.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) : 0;
  const [xs, ys] = [
    [Math.min(part.x, width - 1) - most, Math.min(part.x + part.width, width) - 1 + most],
    [Math.min(part.y, height - 1) - most, Math.min(part.y + part.height, height) - 1 + most],
  ];
  const corners = xs.flatMap((x) => ys.map((y) => apply(matrix, x, y)));
  const span = (axis: 0 | 1, length: number): [number, number] => {
    const values = corners.map((corner) => corner[axis]);
    const inside = (v: number): number => Math.min(length - 1, Math.max(0, v));
    const first = Math.floor(inside(Math.min(...values) - ROUNDING)) - LOBES + 1;
    const last = Math.floor(inside(Math.max(...values) + ROUNDING)) + LOBES;
    return [inside(first), inside(last) + 1];
  };
  const [[x, right], [y, bottom]] = [span(0, width), span(1, height)];
  return { x, y, width: right - x, height: bottom - y };
}
