/**
 * What a bracketed stack is: a list of frames of one size with their exposures.
 */
import { InputError } from '../errors.ts';

/** Samples of a picture: 8-bit, 16-bit (0..65535) or float in [0,1]. */
export type Samples = Uint8Array | Uint8ClampedArray | Uint16Array | Float32Array;

/** One exposure of the scene. */
export interface Frame {
  /** Gamma-encoded RGB, interleaved: `[height, width, 3]`. */
  data: Samples;
  width: number;
  height: number;
  /**
   * Exposure: seconds times ISO/100 over f-number squared, or any quantity proportional to it. Only ratios matter.
   * Positive and finite.
   */
  exposure: number;
  /** Shown in messages: a file name, say. */
  name?: string;
}

/** Fewest and most frames one merge takes. */
export const MIN_FRAMES = 2;
export const MAX_FRAMES = 16;

/** The largest sample value of a frame's type: 255, 65535 or 1. */
export function maxSample(data: Samples): number {
  if (data instanceof Float32Array) return 1;
  return data instanceof Uint16Array ? 65535 : 255;
}

function label(frame: Frame, index: number): string {
  return frame.name ?? `frame ${index + 1}`;
}

/**
 * Checks a stack and returns its frames sorted by exposure, shortest first; frames of equal exposure keep their order.
 * @returns `order[i]` is the input index of sorted frame i.
 * @throws InputError naming the frame, both values and the remedy.
 */
export function sortFrames(frames: readonly Frame[]): { frames: Frame[]; order: number[] } {
  if (frames.length < MIN_FRAMES) throw new InputError(`${frames.length} frame given, at least ${MIN_FRAMES} are needed: pass brackets of the same scene`);
  if (frames.length > MAX_FRAMES) throw new InputError(`${frames.length} frames given, at most ${MAX_FRAMES} are supported: leave some out`);
  const first = frames[0];
  frames.forEach((frame, i) => {
    const name = label(frame, i);
    for (const [side, value] of [['width', frame.width], ['height', frame.height]] as const) {
      if (!Number.isInteger(value) || value < 1) throw new InputError(`${name}: ${side} is ${value}, it must be a positive integer`);
    }
    if (frame.width !== first.width || frame.height !== first.height) {
      throw new InputError(`${name} is ${frame.width}x${frame.height} but ${label(first, 0)} is ${first.width}x${first.height}: all frames must have one size`);
    }
    const expected = frame.width * frame.height * 3;
    if (frame.data.length !== expected) throw new InputError(`${name}: ${frame.data.length} samples, ${frame.width}x${frame.height} RGB needs ${expected}`);
    if (!(frame.exposure > 0) || !Number.isFinite(frame.exposure)) {
      throw new InputError(`${name}: exposure is ${frame.exposure}, it must be positive and finite: give the exposures with --ev or --times`);
    }
  });
  if (frames.every((frame) => frame.exposure === first.exposure)) {
    throw new InputError(`all ${frames.length} frames have the same exposure (${first.exposure}): pass brackets of different exposure, or give the true ones with --ev or --times`);
  }
  const order = frames.map((_, i) => i).sort((a, b) => frames[a].exposure - frames[b].exposure || a - b);
  return { frames: order.map((i) => frames[i]), order };
}

/** The default reference frame: the middle exposure, the lower middle of an even number (spec: Conventions). */
export function middleFrame(count: number): number {
  return Math.floor((count - 1) / 2);
}
