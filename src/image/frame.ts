/**
 * A bracketed stack: a list of frames of one size with their exposures. The pixels are on the CPU or already on the
 * device.
 */
import { textOf } from '../checks.ts';
import { InputError } from '../errors.ts';
import type { InputErrorOptions } from '../errors.ts';

/** Samples of a picture: 8-bit, 16-bit (0..65535) or float in [0,1]. */
export type Samples = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

/** What every frame has, wherever its pixels are. */
export interface Exposed {
  /**
   * Exposure: seconds times ISO/100 over f-number squared, or any quantity proportional to it. Only ratios matter.
   * Positive and finite.
   */
  exposure: number;
  /** A name for messages, such as a file name. */
  name?: string;
}

/** One exposure of the scene, as an array. */
export interface Frame extends Exposed {
  /** Gamma-encoded RGB, interleaved: `[height, width, 3]`. */
  data: Samples;
  width: number;
  height: number;
  /** Where 0, the frame has no data; the others count alone, `[height, width]`. Absent if it has data everywhere. */
  coverage?: Uint8Array;
}

/**
 * One exposure as a picture that the browser decoded, 8 bits per channel; its alpha is ignored. The ImageBitmap is
 * uploaded tile by tile and never closed.
 */
export interface ImageFrame extends Exposed {
  image: ImageBitmap;
}

/**
 * One exposure as a texture on the merging device, gamma-encoded RGB; its alpha is ignored, values outside [0,1] are
 * clamped. The texture is two-dimensional, with usage TEXTURE_BINDING and one of `TEXTURE_FORMATS`.
 */
export interface TextureFrame extends Exposed {
  texture: GPUTexture;
}

/**
 * One exposure as a buffer on the merging device: float32, gamma-encoded RGB, interleaved `[height, width, 3]`; values
 * outside [0,1] are clamped. Usage STORAGE.
 */
export interface BufferFrame extends Exposed {
  buffer: GPUBuffer;
  width: number;
  height: number;
}

/** One exposure of the scene, in any form that a merge takes. */
export type FrameSource = Frame | ImageFrame | TextureFrame | BufferFrame;

/**
 * Texture formats that a merge reads. Formats that end in -srgb are not among them, because loading would decode their
 * values: create the texture without -srgb.
 */
export const TEXTURE_FORMATS: readonly GPUTextureFormat[] = [
  'rgba8unorm',
  'bgra8unorm',
  'rgb10a2unorm',
  'rgba16float',
  'rgba32float',
];

/** Anything with a size: a frame of any form, or a picture that becomes one. */
type Sized = { width: number; height: number } | Pick<ImageFrame, 'image'> | Pick<TextureFrame, 'texture'>;

/** Width and height of a frame in pixels. */
export function frameSize(frame: Sized): { width: number; height: number } {
  const { width, height } = 'image' in frame ? frame.image : 'texture' in frame ? frame.texture : frame;
  return { width, height };
}

/** Anything with pixels: a frame of any form, or a picture that becomes one. */
export type Pixels =
  | Pick<Frame, 'data'>
  | Pick<ImageFrame, 'image'>
  | Pick<TextureFrame, 'texture'>
  | Pick<BufferFrame, 'buffer'>;

/** Whether samples have 8 bits. */
export function isEightBit(frame: Pixels): boolean {
  if ('data' in frame) return frame.data instanceof Uint8Array || frame.data instanceof Uint8ClampedArray;
  return 'image' in frame || ('texture' in frame && frame.texture.format.endsWith('8unorm'));
}

/** Fewest frames one merge takes. */
export const MIN_FRAMES = 2;
/** Most frames one merge takes. */
export const MAX_FRAMES = 16;

/** The largest sample value of a frame's type: 255, 65535 or 1. */
export function maxSample(data: Samples): number {
  if (data instanceof Float32Array) return 1;
  return data instanceof Uint16Array ? 65535 : 255;
}

/** The name of a frame in messages. */
export function frameLabel(frame: Exposed, index: number): string {
  return frame.name ?? `frame ${index + 1}`;
}

/** Checks that a picture has the size of the stack's first. @throws InputError naming both. */
export function checkSameSize(picture: Sized, name: string, first: Sized, firstName: string): void {
  const [{ width, height }, whole] = [frameSize(picture), frameSize(first)];
  if (width !== whole.width || height !== whole.height)
    throw new InputError(
      `${name} is ${width}x${height} but ${firstName} is ${whole.width}x${whole.height}: all frames must have one size`,
    );
}

/** Checks that a frame's pixels match its declared type and size. */
function checkPixels(frame: FrameSource, fail: (what: string) => never): void {
  const { width, height } = frameSize(frame);
  const expected = width * height * 3;
  if ('data' in frame && frame.data.length !== expected)
    fail(
      `${frame.data.length} samples, ${width}x${height} RGB needs ${expected}` +
        `${frame.data.length === 0 ? ' (transferred arrays are empty)' : ''}`,
    );
  if ('data' in frame && frame.coverage && frame.coverage.length !== width * height)
    fail(`${frame.coverage.length} values of coverage, ${width}x${height} needs ${width * height}`);
  if ('buffer' in frame) {
    const { buffer } = frame;
    if (buffer.size < expected * 4)
      fail(`a buffer of ${buffer.size} bytes, ${width}x${height} RGB in float32 needs ${expected * 4}`);
    if (!(buffer.usage & GPUBufferUsage.STORAGE))
      fail(`its buffer has usage ${buffer.usage}, without STORAGE: create it with GPUBufferUsage.STORAGE`);
  }
  if ('texture' in frame) {
    const { texture } = frame;
    if (!TEXTURE_FORMATS.includes(texture.format))
      fail(`a texture of format ${texture.format}, one of ${TEXTURE_FORMATS.join(', ')} is read`);
    if (texture.dimension !== '2d' || texture.sampleCount !== 1)
      fail(`a ${texture.dimension} texture of ${texture.sampleCount} samples, a 2d one of 1 sample is read`);
    if (!(texture.usage & GPUTextureUsage.TEXTURE_BINDING))
      fail(
        `its texture has usage ${texture.usage}, without TEXTURE_BINDING: create it with ` +
          'GPUTextureUsage.TEXTURE_BINDING',
      );
  }
}

/**
 * Checks a frame of a stack.
 * @param isExposed whether it must have an exposure.
 * @throws InputError naming the frame, both values and the remedy.
 */
export function checkFrame(frame: FrameSource, index: number, first: FrameSource, isExposed = true): void {
  const name = frameLabel(frame, index);
  const fail = (what: string, options?: InputErrorOptions): never => {
    throw new InputError(`${name}: ${what}`, options);
  };
  const { width, height } = frameSize(frame);
  for (const [side, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 1) fail(`${side} is ${textOf(value)}, it must be a positive integer`);
  }
  checkSameSize(frame, name, first, frameLabel(first, 0));
  checkPixels(frame, fail);
  const { exposure } = frame;
  if (isExposed && (!Number.isFinite(exposure) || exposure <= 0))
    fail(`exposure is ${textOf(exposure)}, it must be positive and finite`, {
      problem: 'exposure',
      remedy: 'set it',
    });
}

/** @throws InputError for too few or too many frames. */
export function checkFrameCount(count: number): void {
  if (count < MIN_FRAMES)
    throw new InputError(`${count} frame given, at least ${MIN_FRAMES} are needed: pass brackets of the same scene`);
  if (count > MAX_FRAMES)
    throw new InputError(`${count} frames given, at most ${MAX_FRAMES} are supported: leave some out`);
}

/** Most that exposures may differ: inverse ratios too are normal numbers of float32, which kernels compute in. */
const MOST_RATIO = 2 ** 126;

/**
 * Checks a stack and returns its frames sorted by exposure, shortest first; frames of equal exposure keep their order.
 * @returns `order[i]` is the input index of sorted frame i.
 * @throws InputError naming the frame, both values and the remedy.
 */
export function sortFrames<F extends FrameSource>(frames: readonly F[]): { frames: F[]; order: number[] } {
  checkFrameCount(frames.length);
  const [first] = frames;
  frames.forEach((frame, i) => checkFrame(frame, i, first));
  if (frames.every((frame) => frame.exposure === first.exposure)) {
    throw new InputError(`all ${frames.length} frames have the same exposure (${first.exposure})`, {
      problem: 'equal-exposures',
      remedy: 'pass brackets of different exposure, or set the true ones',
    });
  }
  const order = frames.map((_, i) => i).sort((a, b) => frames[a].exposure - frames[b].exposure || a - b);
  const [least, most] = [frames[order[0]].exposure, frames[order[order.length - 1]].exposure];
  if (most / least > MOST_RATIO)
    throw new InputError(`exposures are from ${least} to ${most}, they may differ by a factor of 2^126`, {
      problem: 'exposure',
      remedy: 'set the true ones',
    });
  return { frames: order.map((i) => frames[i]), order };
}

/** The default reference frame: the middle exposure, the lower middle of an even number (spec: Conventions). */
export function middleFrame(count: number): number {
  return Math.floor((count - 1) / 2);
}
