/**
 * Brings warped frames into the tiles of a merge: the part of a frame that a tile shows goes to the GPU as it is, and
 * is resampled there, straight into the tile's stack.
 */
import type { Gpu } from '../device.ts';
import type { Pipelines } from '../graph/pipelines.ts';
import type { Target } from '../graph/transfer.ts';
import { multiply3 } from '../image/colorSpace.ts';
import { frameSize } from '../image/frame.ts';
import type { FrameSource } from '../image/frame.ts';
import { flatGrid } from '../kernels/flat.ts';
import type { ParamValues, Program } from '../kernels/program.ts';
import { apply } from './homography.ts';
import type { Size } from './homography.ts';
import type { Mesh, Warp } from './types.ts';
import { LOBES, WARP_BUFFER, WARP_TEXTURE } from './warpPrograms.ts';

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

/** Bytes of the buffers that warping takes, and of the texture for ImageBitmaps. */
function sizesFor(frames: readonly FrameSource[]): Record<'box' | 'coverage' | 'shifts' | 'params' | 'image', number> {
  const most = (bytes: (frame: FrameSource) => number): number => Math.max(16, ...frames.map(bytes));
  return {
    box: most((frame) => ('data' in frame ? 3 * frame.data.BYTES_PER_ELEMENT * BOX_PIXELS : 0)),
    coverage: most((frame) => ('coverage' in frame && frame.coverage ? BOX_PIXELS : 0)),
    shifts: 8 * MOST_NODES,
    params: 256,
    image: most((frame) => ('image' in frame ? 4 * BOX_PIXELS : 0)),
  };
}

/** Bytes of everything on the GPU that warping frames takes. */
export function warperBytes(frames: readonly FrameSource[]): number {
  return Object.values(sizesFor(frames)).reduce((a, b) => a + b, 0);
}

/** A part of the reference, or of a frame, in pixels. */
interface Box extends Size {
  x: number;
  y: number;
}

/** Where a tile's pixels lie in the picture: `width` x `height` of them, from `x`, `y` on. */
export type TileBox = Box;

export class Warper {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  readonly #sizes: ReturnType<typeof sizesFor>;
  readonly #staging: Uint8Array<ArrayBuffer>;
  #made: { params: GPUBuffer; box: GPUBuffer; coverage: GPUBuffer; shifts: GPUBuffer } | undefined;
  #block: GPUTexture | undefined;
  #mesh: Mesh | undefined;

  /** @param frames what may be warped. */
  constructor(gpu: Gpu, pipelines: Pipelines, frames: readonly FrameSource[]) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
    this.#sizes = sizesFor(frames);
    this.#staging = new Uint8Array(this.#sizes.box);
  }

  /** The device that it warps on. */
  get gpu(): Gpu {
    return this.#gpu;
  }

  /**
   * Writes a frame's colours, as the reference sees them, to `target`. Fourth components stay unchanged, but become
   * NO_DATA where the frame has no data.
   * @param tile may reach beyond the picture; its last row and column repeat there.
   * @throws GpuError; DeviceLostError.
   */
  async load(frame: FrameSource, warp: Warp, tile: TileBox, target: Target): Promise<void> {
    await this.#prepare(warp.mesh);
    const { width, height } = frameSize(frame);
    for (const y of parts(tile.y, tile.height, height))
      for (const x of parts(tile.x, tile.width, width))
        await this.#part(frame, warp, tile, target, { x: x.start, y: y.start, width: x.length, height: y.length });
  }

  dispose(): void {
    for (const made of [...Object.values(this.#made ?? {}), this.#block]) made?.destroy();
    this.#made = this.#block = undefined;
  }

  /** Allocates what every warp needs, and uploads a mesh that is not there yet. */
  async #prepare(mesh: Mesh | undefined): Promise<void> {
    const { device } = this.#gpu;
    const { STORAGE, COPY_DST, UNIFORM } = GPUBufferUsage;
    this.#made ??= await this.#gpu.guard('allocating for warps', () => {
      const make = (what: 'params' | 'box' | 'coverage' | 'shifts', usage = STORAGE): GPUBuffer =>
        device.createBuffer({ label: `warp ${what}`, size: this.#sizes[what], usage: usage | COPY_DST });
      return { params: make('params', UNIFORM), box: make('box'), coverage: make('coverage'), shifts: make('shifts') };
    });
    if (!mesh || mesh === this.#mesh) return;
    const { shifts } = this.#made;
    await this.#gpu.guard('uploading a mesh', () =>
      device.queue.writeBuffer(shifts, 0, mesh.shifts as Float32Array<ArrayBuffer>),
    );
    this.#mesh = mesh;
  }

  /** Warps a part of a tile, given in the picture's pixels, in halves if it needs too large a box of the frame. */
  async #part(frame: FrameSource, warp: Warp, tile: TileBox, target: Target, part: Box): Promise<void> {
    const picture = frameSize(frame);
    const box = boxOf(warp, picture, part);
    if (!this.#fits(frame, box) && part.width * part.height > 1) {
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
    const source = await this.#source(frame, box, picture);
    const block = { x: blockStart(part.x, picture.width), y: blockStart(part.y, picture.height) };
    const middle = apply(warp.matrix, block.x + BLOCK / 2, block.y + BLOCK / 2);
    const anchor = { x: Math.round(middle[0]), y: Math.round(middle[1]) };
    // From pixels of the block to the reference's, by the homography, to the frame's beside the anchor.
    const matrix = multiply3(translation(-anchor.x, -anchor.y), multiply3(warp.matrix, translation(block.x, block.y)));
    const { columns = 0, rows = 0 } = warp.mesh ?? {};
    await this.#dispatch(
      source.program,
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
        box_x: source.box.x - anchor.x,
        box_y: source.box.y - anchor.y,
        ...source.params,
        columns,
        rows,
        mesh_x: ((block.x + 0.5) * columns) / picture.width - 0.5,
        mesh_y: ((block.y + 0.5) * rows) / picture.height - 0.5,
        mesh_step_x: columns / picture.width,
        mesh_step_y: rows / picture.height,
        matrix: [0, 3, 6].flatMap((i) => [...matrix.slice(i, i + 3), 0]),
      },
      target.buffer,
      source.binding,
    );
  }

  /** Whether a box of a frame fits the buffers at hand. */
  #fits(frame: FrameSource, { width, height }: Box): boolean {
    if ('texture' in frame) return true;
    if ('image' in frame) return width <= BOX_SIDE && height <= BOX_SIDE;
    if ('buffer' in frame) {
      const { maxBinding, device } = this.#gpu;
      return height * 12 * frame.width + device.limits.minStorageBufferOffsetAlignment <= maxBinding;
    }
    return width * height <= BOX_PIXELS;
  }

  /** Brings a box of a frame to the GPU, unless it is there already. */
  async #source(
    frame: FrameSource,
    box: Box,
    { width }: Size,
  ): Promise<{ program: Program; params: ParamValues; binding: GPUBindingResource; box: Box }> {
    const { device } = this.#gpu;
    const none = { bits: 32, row: 0, base: 0, coverage_row: 0 };
    if ('texture' in frame) {
      const binding = frame.texture.createView({
        dimension: '2d',
        baseMipLevel: 0,
        mipLevelCount: 1,
        baseArrayLayer: 0,
        arrayLayerCount: 1,
      });
      return { program: WARP_TEXTURE, params: none, binding, box: { ...box, x: 0, y: 0 } };
    }
    if ('buffer' in frame) {
      const align = device.limits.minStorageBufferOffsetAlignment;
      const start = box.y * 12 * width;
      const offset = Math.floor(start / align) * align;
      return {
        program: WARP_BUFFER,
        params: { ...none, row: 3 * width, base: (start - offset) / 4 },
        binding: { buffer: frame.buffer, offset, size: (box.y + box.height) * 12 * width - offset },
        box: { ...box, x: 0 },
      };
    }
    if ('image' in frame) {
      await this.#gpu.guard(`uploading ${frame.name ?? 'a frame'}`, () => {
        this.#block ??= device.createTexture({
          label: 'warp block',
          size: [BOX_SIDE, BOX_SIDE],
          format: 'rgba8unorm',
          usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
        });
        device.queue.copyExternalImageToTexture(
          { source: frame.image, origin: [box.x, box.y] },
          { texture: this.#block, colorSpace: 'srgb', premultipliedAlpha: false },
          [box.width, box.height],
        );
      });
      return { program: WARP_TEXTURE, params: none, binding: this.#block!.createView(), box };
    }
    const { data, coverage } = frame;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    await this.#write(this.#made!.box, bytes, 3 * data.BYTES_PER_ELEMENT, box, width);
    if (coverage) await this.#write(this.#made!.coverage, coverage, 1, box, width);
    return {
      program: WARP_BUFFER,
      params: {
        bits: 8 * data.BYTES_PER_ELEMENT,
        row: 3 * box.width,
        base: 0,
        coverage_row: coverage ? box.width : 0,
      },
      binding: { buffer: this.#made!.box },
      box,
    };
  }

  /** Uploads a box of a picture of some bytes a pixel. */
  async #write(to: GPUBuffer, bytes: Uint8Array, pixelBytes: number, box: Box, width: number): Promise<void> {
    const length = box.width * pixelBytes;
    for (let y = 0; y < box.height; y++) {
      const at = ((box.y + y) * width + box.x) * pixelBytes;
      this.#staging.set(bytes.subarray(at, at + length), y * length);
    }
    const size = Math.ceil((box.height * length) / 4) * 4;
    await this.#gpu.guard('uploading a part of a frame', () =>
      this.#gpu.device.queue.writeBuffer(to, 0, this.#staging, 0, size),
    );
  }

  async #dispatch(program: Program, values: ParamValues, stack: GPUBuffer, source: GPUBindingResource): Promise<void> {
    const { device } = this.#gpu;
    const { label } = program;
    const { layout, pipeline } = this.#pipelines.get(program);
    const compiled = await this.#gpu.wait(pipeline);
    const { params, coverage, shifts } = this.#made!;
    await this.#gpu.guard(label, () => {
      device.queue.writeBuffer(params, 0, program.pack(values));
      const resources = [{ buffer: params }, { buffer: stack }, source, { buffer: coverage }, { buffer: shifts }];
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      pass.setPipeline(compiled);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          label,
          layout,
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
      pass.dispatchWorkgroups(...flatGrid(Number(values.width) * Number(values.height)));
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
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
