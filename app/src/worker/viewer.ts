/**
 * Draws the result on the page's canvas, with a device of its own, because the merge's device is opened and closed
 * independently.
 *
 * The picture is kept as `rgb9e5ufloat` with smaller copies of itself, 5.3 bytes a pixel, and uploaded in bands. The
 * canvas is half float, so that on a display of high dynamic range light above white is shown as such; where a browser
 * has no such canvas (Firefox 153), it has 8 bits and ends at white.
 */
import { GpuError, NoAdapterError } from '../../../src/errors.ts';
import type { DisplayAbility, View } from '../messages.ts';
import { placementOf } from '../../../src/finish/crop.ts';
import type { Placement } from '../../../src/finish/crop.ts';
import { LIVE_FINISH_BYTES } from '../../../src/finish/live.ts';
import type { LiveFinish } from '../../../src/finish/live.ts';
import { PRIMARIES, invert3, multiply3, rgbToXyz } from '../../../src/image/colorSpace.ts';
import type { ColorSpace } from '../../../src/image/colorSpace.ts';
import type { RadiancePicture } from '../../../src/finish/pictures.ts';
import { halve, packSharedExponent } from './sharedExponent.ts';
import { FINISH_BINDINGS, VIEWER_WGSL, VIEW_FLOATS } from './viewerShader.ts';

/** Pixels uploaded at once: 8 MiB. */
const BAND_PIXELS = 1 << 21;
const HALF_FLOAT: GPUTextureFormat = 'rgba16float';
/** A picture of which all is shown. */
const WHOLE: Placement = { origin: [0, 0], right: [1, 0], down: [0, 1] };

export interface Size {
  width: number;
  height: number;
}

/** A rectangle of the picture, in pixels. */
export interface Rect extends Size {
  x: number;
  y: number;
}

export class Viewer {
  readonly #device: GPUDevice;
  readonly #canvas: OffscreenCanvas;
  readonly #context: GPUCanvasContext;
  readonly #format: GPUTextureFormat;
  readonly #pipeline: GPURenderPipeline;
  readonly #uniforms: GPUBuffer;
  readonly #numbers: GPUBuffer;
  readonly #smooth: GPUSampler;
  readonly #exact: GPUSampler;
  /** Placeholder for missing textures. */
  readonly #nothing: GPUTexture;
  #merged: GPUTexture | undefined;
  #plain: GPUTexture | undefined;
  #motion: GPUTexture | undefined;
  #picture: Size = { width: 1, height: 1 };
  #colorSpace: ColorSpace = 'srgb';
  #canvasSpace: ColorSpace = 'srgb';
  #finish: LiveFinish | undefined;
  #view: View | undefined;
  #frame = 0;
  #closed = false;

  private constructor(
    device: GPUDevice,
    canvas: OffscreenCanvas,
    context: GPUCanvasContext,
    format: GPUTextureFormat,
    pipeline: GPURenderPipeline,
  ) {
    this.#device = device;
    this.#canvas = canvas;
    this.#context = context;
    this.#format = format;
    this.#pipeline = pipeline;
    this.#uniforms = device.createBuffer({
      label: 'view',
      size: VIEW_FLOATS * 4,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#numbers = device.createBuffer({
      label: 'finish numbers',
      size: LIVE_FINISH_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#smooth = device.createSampler({
      label: 'smooth',
      minFilter: 'linear',
      magFilter: 'linear',
      mipmapFilter: 'linear',
    });
    this.#exact = device.createSampler({ label: 'exact', minFilter: 'nearest', magFilter: 'nearest' });
    this.#nothing = device.createTexture({
      label: 'nothing',
      size: [1, 1],
      format: 'r8unorm',
      usage: GPUTextureUsage.TEXTURE_BINDING,
    });
  }

  /**
   * @param onLost called once, if the device is lost other than by `close`.
   * @throws NoAdapterError; GpuError.
   */
  static async create(canvas: OffscreenCanvas, onLost: () => void): Promise<Viewer> {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) throw new NoAdapterError('WebGPU offers no adapter');
    // Pictures may be wider than the 8192 pixels of the default limit.
    const device = await adapter.requestDevice({
      label: 'viewer',
      requiredLimits: { maxTextureDimension2D: adapter.limits.maxTextureDimension2D },
    });
    const context = canvas.getContext('webgpu') as GPUCanvasContext | null;
    if (!context) throw new GpuError('the browser gave no WebGPU canvas');
    const format = canvasFormat(context, device);
    const module = device.createShaderModule({ label: 'viewer', code: VIEWER_WGSL });
    const pipeline = await device.createRenderPipelineAsync({
      label: 'viewer',
      layout: 'auto',
      vertex: { module },
      fragment: { module, targets: [{ format }] },
    });
    const viewer = new Viewer(device, canvas, context, format, pipeline);
    void device.lost.then(() => viewer.#closed || onLost());
    return viewer;
  }

  /** Stays open as long as the viewer. */
  get device(): GPUDevice {
    return this.#device;
  }

  /**
   * Whether values above 1 and colours of Display P3 go to the display, if it can show them.
   * @returns whether this browser can show light above white at all.
   */
  setDisplay({ highRange, wideGamut }: DisplayAbility): boolean {
    this.#canvasSpace = wideGamut ? 'p3' : 'srgb';
    this.#context.configure({
      device: this.#device,
      format: this.#format,
      alphaMode: 'premultiplied',
      colorSpace: wideGamut ? 'display-p3' : 'srgb',
      toneMapping: { mode: highRange ? 'extended' : 'standard' },
    });
    this.#request();
    return this.#format === HALF_FLOAT && this.#context.getConfiguration?.()?.toneMapping?.mode === 'extended';
  }

  resize(width: number, height: number): void {
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#request();
  }

  show(view: View): void {
    this.#view = view;
    this.#request();
  }

  /**
   * Replaces the picture, and drops the plain merge, the motion and the finish of the one before. It is shown once it
   * has a finish.
   */
  async setPicture({ radiance, width, height, scale = 1, colorSpace = 'srgb' }: RadiancePicture): Promise<void> {
    this.clear();
    const size = { width, height };
    this.#picture = size;
    this.#colorSpace = colorSpace;
    this.#merged = await this.#guard('uploading the result', () => this.#upload('merged', radiance, size, scale));
  }

  /** Draws a part of the picture anew. @param radiance the whole picture's. */
  async setPart(radiance: Float32Array, rect: Rect, scale: number): Promise<void> {
    const texture = this.#merged;
    const { width, height } = this.#picture;
    // Of a picture larger than the largest texture, what is shown are its halves.
    const halvings = texture ? Math.round(Math.log2(width / texture.width)) : 0;
    if (!texture) return;
    await this.#guard('uploading a part', () => {
      const deepest = Math.min(halvings + texture.mipLevelCount, 8);
      const grid = 2 ** (deepest - 1);
      let [x, y] = [rect.x, rect.y].map((start) => Math.floor(start / grid) * grid);
      const [right, bottom] = [rect.x + rect.width, rect.y + rect.height].map((end) => Math.ceil(end / grid) * grid);
      let part = { rgb: radiance, width: Math.min(right, width) - x, height: Math.min(bottom, height) - y };
      part.rgb = new Float32Array(3 * part.width * part.height);
      for (let row = 0; row < part.height; row++) {
        const from = 3 * ((y + row) * width + x);
        part.rgb.set(radiance.subarray(from, from + 3 * part.width), 3 * row * part.width);
      }
      for (let level = -halvings; level < deepest - halvings; level++) {
        if (level >= 0)
          this.#device.queue.writeTexture(
            { texture, mipLevel: level, origin: [x, y] },
            packSharedExponent(part.rgb, 0, part.width * part.height, scale),
            { bytesPerRow: part.width * 4 },
            [part.width, part.height],
          );
        // Nothing is left of an odd last column.
        if (part.width < 2 || part.height < 2) break;
        part = halve(part.rgb, part.width, part.height);
        [x, y] = [x / 2, y / 2];
      }
    });
    this.#request();
  }

  /** How the picture is finished. The table stays the finisher's. */
  setFinish(finish: LiveFinish): void {
    this.#finish = finish;
    this.#device.queue.writeBuffer(this.#numbers, 0, finish.numbers);
    this.#request();
  }

  async setPlain(radiance: Float32Array, size: Size, scale: number): Promise<void> {
    this.#plain?.destroy();
    this.#plain = await this.#guard('uploading the plain merge', () => this.#upload('plain', radiance, size, scale));
    this.#request();
  }

  /**
   * Writes a part of the motion overlay, 0 to 255. A picture larger than the largest texture has no overlay, because
   * nobody could paint it exactly. Nor has a picture that could not be uploaded.
   */
  async setMotion(bytes: Uint8Array<ArrayBuffer>, rect: Rect): Promise<void> {
    if (!this.#merged || !this.#fits(this.#picture)) return;
    await this.#guard('uploading motion', () => {
      const { TEXTURE_BINDING, COPY_DST } = GPUTextureUsage;
      this.#motion ??= this.#device.createTexture({
        label: 'motion',
        size: [this.#picture.width, this.#picture.height],
        format: 'r8unorm',
        usage: TEXTURE_BINDING | COPY_DST,
      });
      const { x, y, width, height } = rect;
      if (width > 0 && height > 0)
        this.#device.queue.writeTexture({ texture: this.#motion, origin: [x, y] }, bytes, { bytesPerRow: width }, [
          width,
          height,
        ]);
    });
    this.#request();
  }

  /** Frees the picture and everything with it. */
  clear(): void {
    this.#merged?.destroy();
    this.#plain?.destroy();
    this.#motion?.destroy();
    this.#merged = this.#plain = this.#motion = this.#finish = undefined;
  }

  close(): void {
    this.#closed = true;
    this.clear();
    this.#device.destroy();
  }

  #fits({ width, height }: Size): boolean {
    return Math.max(width, height) <= this.#device.limits.maxTextureDimension2D;
  }

  /** The texture of a picture and its halves, from the first that the device can hold. */
  #upload(label: string, radiance: Float32Array, size: Size, scale: number): GPUTexture {
    let image = { rgb: radiance, ...size };
    while (!this.#fits(image)) image = halve(image.rgb, image.width, image.height);
    const levels = Math.floor(Math.log2(Math.max(image.width, image.height))) + 1;
    const texture = this.#device.createTexture({
      label,
      size: [image.width, image.height],
      mipLevelCount: levels,
      format: 'rgb9e5ufloat',
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    for (let level = 0; level < levels; level++) {
      const { rgb, width, height } = image;
      const rows = Math.max(1, Math.floor(BAND_PIXELS / width));
      for (let y = 0; y < height; y += rows) {
        const count = Math.min(rows, height - y);
        this.#device.queue.writeTexture(
          { texture, mipLevel: level, origin: [0, y] },
          packSharedExponent(rgb, y * width, (y + count) * width, scale),
          { bytesPerRow: width * 4 },
          [width, count],
        );
      }
      if (level + 1 < levels) image = halve(rgb, width, height);
    }
    return texture;
  }

  /** @throws GpuError where memory does not suffice, or WebGPU refuses. */
  async #guard<T>(what: string, work: () => T): Promise<T> {
    this.#device.pushErrorScope('out-of-memory');
    this.#device.pushErrorScope('validation');
    const result = work();
    const errors = await Promise.all([this.#device.popErrorScope(), this.#device.popErrorScope()]);
    const [invalid, memory] = errors;
    if (memory) throw new GpuError(`${what}: out of GPU memory (${memory.message.split('\n')[0]})`);
    if (invalid) throw new GpuError(`${what}: WebGPU validation error: ${invalid.message.split('\n')[0]}`);
    return result;
  }

  /** Draws before the next frame is shown, once. */
  #request(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const view = this.#view;
    const finish = this.#finish;
    if (this.#closed || !view || !this.#merged || !finish || this.#canvas.width === 0) return;
    const { width, height } = this.#canvas;
    const uniforms = new Float32Array(VIEW_FLOATS);
    const picture = this.#picture;
    const { origin, right, down } = view.crop ? placementOf(view.crop) : WHOLE;
    const shown = view.crop ?? picture;
    const divider = this.#plain ? (view.divider ?? -1) : -1;
    uniforms.set([width, height, view.centerX, view.centerY, picture.width, picture.height, shown.width, shown.height]);
    uniforms.set([...right, ...down, ...origin, view.zoom, divider, this.#motion ? view.overlay : 0], 8);
    const toCanvas = multiply3(invert3(rgbToXyz(PRIMARIES[this.#canvasSpace])), rgbToXyz(PRIMARIES[this.#colorSpace]));
    // Columns, each as a vec4.
    for (let column = 0; column < 3; column++)
      uniforms.set(
        [0, 3, 6].map((row) => toCanvas[row + column]),
        20 + 4 * column,
      );
    this.#device.queue.writeBuffer(this.#uniforms, 0, uniforms);
    const textures = [this.#merged, this.#plain ?? this.#nothing, this.#motion ?? this.#nothing];
    const group = this.#device.createBindGroup({
      label: 'viewer',
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: this.#uniforms } },
        // From 100 % on, pixels are shown as they are, unless they are turned.
        { binding: 1, resource: view.zoom >= 1 && !view.crop?.angle ? this.#exact : this.#smooth },
        ...textures.map((texture, i) => ({ binding: 2 + i, resource: texture.createView() })),
        { binding: FINISH_BINDINGS.numbers, resource: { buffer: this.#numbers } },
        { binding: FINISH_BINDINGS.table, resource: { buffer: finish.table } },
      ],
    });
    const encoder = this.#device.createCommandEncoder({ label: 'viewer' });
    const pass = encoder.beginRenderPass({
      colorAttachments: [
        {
          view: this.#context.getCurrentTexture().createView(),
          loadOp: 'clear',
          storeOp: 'store',
          clearValue: [0, 0, 0, 0],
        },
      ],
    });
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, group);
    pass.draw(3);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }
}

/** The best format that the canvas supports. */
function canvasFormat(context: GPUCanvasContext, device: GPUDevice): GPUTextureFormat {
  try {
    context.configure({ device, format: HALF_FLOAT });
    return HALF_FLOAT;
  } catch {
    return navigator.gpu.getPreferredCanvasFormat();
  }
}
