/**
 * Moves pixels from the caller's GPU objects to the engine's tiles without going through the CPU.
 *
 * `load` copies a grid of a frame's pixels into a stack, from a texture, a buffer or an ImageBitmap. An ImageBitmap is
 * uploaded in blocks of at most BLOCK x BLOCK, so that a picture of any size needs little memory and fits the texture
 * size that every device has.
 */
import type { Gpu } from '../device.ts';
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, flatGrid } from '../kernels/flat.ts';
import { Program, writes } from '../kernels/program.ts';
import type { Binding, Bindings } from '../kernels/program.ts';
import { Pipelines } from './pipelines.ts';
import type { BufferFrame, ImageFrame, TextureFrame } from '../image/frame.ts';
import { frameSize } from '../image/frame.ts';

/** A frame whose pixels are not an array. */
export type DeviceFrame = ImageFrame | TextureFrame | BufferFrame;

/**
 * Which pixels of a picture to copy: cell (i, j) of `width` x `height` is pixel
 * `start + floor(i / cell) * step + i % cell`, or the last pixel if that is outside the picture. A tile has cell and
 * step 1; the patches that a response is estimated from have cell 3 and a larger step.
 */
export interface Grid {
  x: number;
  y: number;
  width: number;
  height: number;
  cell: number;
  step: number;
}

/** The pixel that a grid's cell shows, along one axis of a picture of `length` pixels. */
function pixelOf({ cell, step }: Grid, start: number, i: number, length: number): number {
  return Math.min(start + Math.floor(i / cell) * step + (i % cell), length - 1);
}

/** Cells whose pixels span at most `pixels`: whole groups of them, at least one. */
function cellsOf(pixels: number, { cell, step }: Grid): number {
  return Math.max(1, Math.floor(pixels / step)) * cell;
}

/** A range of a buffer of vec4f, from element `first` on. */
export interface Target {
  buffer: GPUBuffer;
  first: number;
}

/** Side of the blocks that ImageBitmaps are uploaded in: well below 8192, which every device has. */
const BLOCK = 2048;

/**
 * The part of a grid to copy (`width` x `height` cells from `left`, `top` on), which pixels its cells show, and where
 * they lie.
 */
const PARAMS = {
  // Index of the first cell in vec4s, and cells per row there.
  first: 'u32',
  pitch: 'u32',
  left: 'u32',
  top: 'u32',
  width: 'u32',
  height: 'u32',
  x: 'u32',
  y: 'u32',
  cell: 'u32',
  step: 'u32',
  last_x: 'u32',
  last_y: 'u32',
  // The picture's pixel at the texture's origin.
  origin_x: 'u32',
  origin_y: 'u32',
  // For buffers: floats per row, and the float that the binding starts at.
  row: 'u32',
  base: 'u32',
} as const;
type Params = Record<keyof typeof PARAMS, number>;

function program(what: string, bindings: Bindings, body: string): Program {
  return new Program({
    label: `transfer ${what}`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    params: PARAMS,
    bindings,
    body: FLAT_INDEX + body,
  });
}

/** Copies over a grid; `load_pixel(x, y)` is the source's. W, the fourth component, stays unchanged. */
const load = (what: string, source: Binding, loadPixel: string): Program =>
  program(
    what,
    { stack: writes({ dtype: 'f32' }), source },
    `
${loadPixel}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.width * params.height) { return; }
  let i = params.left + index % params.width;
  let j = params.top + index / params.width;
  let x = min(params.x + (i / params.cell) * params.step + i % params.cell, params.last_x);
  let y = min(params.y + (j / params.cell) * params.step + j % params.cell, params.last_y);
  let at = params.first + j * params.pitch + i;
  let rgb = load_pixel(x, y);
  // NaN counts as 0. Its bits tell it: compilers may take it that no float is NaN.
  let isNan = (bitcast<vec3u>(rgb) & vec3u(0x7fffffffu)) > vec3u(0x7f800000u);
  stack[at] = vec4f(select(clamp(rgb, vec3f(0.0), vec3f(1.0)), vec3f(0.0), isNan), stack[at].w);
}`,
  );

const FROM_TEXTURE = load(
  'of a texture',
  { access: 'read', type: 'texture_2d<f32>', isTexture: true },
  `
fn load_pixel(x: u32, y: u32) -> vec3f {
  return textureLoad(source, vec2u(x - params.origin_x, y - params.origin_y), 0).rgb;
}`,
);

const FROM_BUFFER = load(
  'of a buffer',
  { access: 'read', type: 'array<f32>' },
  `
fn load_pixel(x: u32, y: u32) -> vec3f {
  let at = y * params.row + 3u * x - params.base;
  return vec3f(source[at], source[at + 1u], source[at + 2u]);
}`,
);

export class Transfer {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  #params: GPUBuffer | undefined;
  #block: GPUTexture | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#pipelines = new Pipelines(gpu);
  }

  dispose(): void {
    this.#params?.destroy();
    this.#block?.destroy();
    this.#params = this.#block = undefined;
  }

  /**
   * Copies the colours of a grid of pixels to `target`, whose fourth components stay unchanged. @throws GpuError;
   * DeviceLostError.
   */
  async load(frame: DeviceFrame, grid: Grid, target: Target): Promise<void> {
    const { width, height } = frameSize(frame);
    const common = {
      ...grid,
      first: target.first,
      pitch: grid.width,
      last_x: width - 1,
      last_y: height - 1,
      origin_x: 0,
      origin_y: 0,
      row: 3 * width,
      base: 0,
    };
    const whole = { left: 0, top: 0, width: grid.width, height: grid.height };
    if ('texture' in frame)
      return this.#dispatch(
        FROM_TEXTURE,
        { ...common, ...whole },
        target.buffer,
        frame.texture.createView({
          dimension: '2d',
          baseMipLevel: 0,
          mipLevelCount: 1,
          baseArrayLayer: 0,
          arrayLayerCount: 1,
        }),
      );
    if ('buffer' in frame) {
      // Rows per block: as many as one binding holds.
      const rows = Math.floor(
        (this.#gpu.maxBinding - this.#gpu.device.limits.minStorageBufferOffsetAlignment) / (12 * width),
      );
      const cells = cellsOf(rows, grid);
      for (let top = 0; top < grid.height; top += cells) {
        const part = { ...whole, top, height: Math.min(cells, grid.height - top) };
        const { offset, size, base } = this.#rows(
          pixelOf(grid, grid.y, top, height),
          pixelOf(grid, grid.y, top + part.height - 1, height),
          width,
        );
        await this.#dispatch(FROM_BUFFER, { ...common, ...part, base }, target.buffer, {
          buffer: frame.buffer,
          offset,
          size,
        });
      }
      return;
    }
    const cells = cellsOf(BLOCK, grid);
    for (let top = 0; top < grid.height; top += cells) {
      for (let left = 0; left < grid.width; left += cells) {
        const part = {
          left,
          top,
          width: Math.min(cells, grid.width - left),
          height: Math.min(cells, grid.height - top),
        };
        const x0 = pixelOf(grid, grid.x, left, width);
        const y0 = pixelOf(grid, grid.y, top, height);
        const size = [
          pixelOf(grid, grid.x, left + part.width - 1, width) - x0 + 1,
          pixelOf(grid, grid.y, top + part.height - 1, height) - y0 + 1,
        ] as const;
        const block = await this.#upload(frame, x0, y0, size);
        await this.#dispatch(
          FROM_TEXTURE,
          { ...common, ...part, origin_x: x0, origin_y: y0 },
          target.buffer,
          block.createView(),
        );
      }
    }
  }

  /**
   * Reads a grid of pixels back, as `[height, width, 4]`; the fourth component is 0. @throws GpuError; DeviceLostError
   */
  async read(frame: DeviceFrame, grid: Grid): Promise<Float32Array> {
    const { device } = this.#gpu;
    const size = grid.width * grid.height * 16;
    const [cells, readback] = await this.#gpu.guard('allocating patches', (own) => [
      own(device.createBuffer({ label: 'patches', size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC })),
      own(
        device.createBuffer({
          label: 'patches readback',
          size,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        }),
      ),
    ]);
    try {
      await this.load(frame, grid, { buffer: cells, first: 0 });
      await this.#gpu.guard('reading patches', () => {
        const encoder = device.createCommandEncoder({ label: 'patches readback' });
        encoder.copyBufferToBuffer(cells, 0, readback, 0, size);
        device.queue.submit([encoder.finish()]);
      });
      return await this.#gpu.read(readback, (range) => new Float32Array(range.slice(0)));
    } finally {
      cells.destroy();
      readback.destroy();
    }
  }

  /**
   * The byte range of some rows of an interleaved f32 picture, starting at an offset that can be bound: pictures may be
   * larger than a binding.
   */
  #rows(first: number, last: number, width: number): { offset: number; size: number; base: number } {
    const align = this.#gpu.device.limits.minStorageBufferOffsetAlignment;
    const offset = Math.floor((first * 12 * width) / align) * align;
    return { offset, size: (last + 1) * 12 * width - offset, base: offset / 4 };
  }

  async #upload(
    frame: ImageFrame,
    x: number,
    y: number,
    [width, height]: readonly [number, number],
  ): Promise<GPUTexture> {
    const { device } = this.#gpu;
    await this.#gpu.guard(`uploading ${frame.name ?? 'a frame'}`, (own) => {
      this.#block ??= own(
        device.createTexture({
          label: 'image block',
          size: [BLOCK, BLOCK],
          format: 'rgba8unorm',
          usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
        }),
        () => (this.#block = undefined),
      );
      device.queue.copyExternalImageToTexture(
        { source: frame.image, origin: [x, y] },
        { texture: this.#block, colorSpace: 'srgb', premultipliedAlpha: false },
        [width, height],
      );
    });
    return this.#block!;
  }

  async #dispatch(program: Program, values: Params, first: GPUBuffer, second: GPUBindingResource): Promise<void> {
    const { device } = this.#gpu;
    const { label } = program;
    const { layout, pipeline } = this.#pipelines.get(program);
    const workgroups = flatGrid(values.width * values.height);
    this.#gpu.check?.({ program, params: values, workgroups }, [first, second]);
    const compiled = await this.#gpu.wait(pipeline);
    await this.#gpu.guard(label, (own) => {
      const packed = program.pack(values);
      this.#params ??= own(
        device.createBuffer({
          label: 'transfer params',
          size: packed.byteLength,
          usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
        }),
        () => (this.#params = undefined),
      );
      device.queue.writeBuffer(this.#params, 0, packed);
      const entries = [{ buffer: this.#params }, { buffer: first }, second].map((resource, binding) => ({
        binding,
        resource,
      }));
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass();
      pass.setPipeline(compiled);
      pass.setBindGroup(0, device.createBindGroup({ label, layout, entries }));
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
      device.queue.submit([encoder.finish()]);
    });
  }
}
