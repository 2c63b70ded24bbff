/**
 * Frames as callers give them, who may have no types. Each field is read once, so nothing that the caller changes later
 * but the samples themselves reaches a merge.
 */
import { OBJECT, TEXT, arrayOf, expect, wrongText } from '../checks.ts';
import { CancelledError, InputError, UsageError } from '../errors.ts';
import { MAX_FRAMES, MIN_FRAMES, checkFrame, checkFrameCount, frameLabel } from './frame.ts';
import type { Frame, FrameSource, Samples } from './frame.ts';

const SAMPLES = [Uint8Array, Uint8ClampedArray, Uint16Array, Float32Array];
const COVERAGE = [Uint8Array];

/** One frame's own fields; sizes and exposures are checked for the whole stack (`sortFrames`). */
function readFrame(given: unknown, index: number): FrameSource {
  const place = `frame ${index + 1}`;
  if (Object(given) !== given) throw new InputError(wrongText(place, given, OBJECT[0]));
  const { data, image, texture, buffer, width, height, exposure, name, coverage } = given as Frame &
    Record<string, unknown>;
  if (name !== undefined) expect(`${place}: name`, name, TEXT);
  const label = frameLabel({ exposure, name }, index);
  const shared = { exposure, name, width, height };
  if (data !== undefined)
    return {
      ...shared,
      data: arrayOf<Samples>(`${label}: data`, data, SAMPLES),
      ...(coverage !== undefined && { coverage: arrayOf(`${label}: coverage`, coverage, COVERAGE) }),
    };
  const [held] = Object.entries({ image, texture, buffer }).filter(([, value]) => value !== undefined);
  if (!held) throw new InputError(`${label} has no pixels: give it data, an image, a texture or a buffer`);
  if (!OBJECT[1](held[1])) throw new InputError(wrongText(`${label}: ${held[0]}`, held[1], OBJECT[0]));
  return { ...shared, [held[0]]: held[1] } as unknown as FrameSource;
}

/**
 * A stack as the caller gives it.
 * @throws UsageError; InputError naming the frame.
 */
export function readFrames(frames: readonly FrameSource[]): FrameSource[] {
  if (!Array.isArray(frames))
    throw new UsageError(wrongText('frames', frames, `an array of ${MIN_FRAMES} to ${MAX_FRAMES} frames`));
  checkFrameCount(frames.length);
  // Holes are read too.
  return Array.from(frames as unknown[], readFrame);
}

/**
 * Frames that must be arrays, in exposure order.
 * @param isExposed whether they need exposures.
 * @throws UsageError; InputError naming the frame.
 */
export function readArrays(frames: readonly Partial<Frame>[], isExposed: boolean): Frame[] {
  if (!Array.isArray(frames) || frames.length === 0)
    throw new UsageError(wrongText('frames', frames, 'an array of at least one frame'));
  const read = Array.from(frames as unknown[], readFrame) as Frame[];
  read.forEach((frame, i) => {
    const label = frameLabel(frame, i);
    if (!frame.data) throw new InputError(`${label} has no data, the samples of an array`);
    checkFrame(frame, i, read[0], isExposed);
    if (isExposed && frame.exposure < read[Math.max(0, i - 1)].exposure)
      throw new InputError(`${label}: exposure is ${frame.exposure}, less than the frame's before: sort the frames`);
  });
  return read;
}

/**
 * Checks that all arrays still are there: they are read until a merge ends.
 * @throws InputError naming one whose memory the caller has transferred meanwhile.
 */
export function checkKept(frames: readonly FrameSource[], motion: readonly Float32Array[] = []): void {
  const check = (what: string, array: ArrayLike<number> | undefined): void => {
    if (array?.length === 0)
      throw new InputError(`${what} was transferred or resized before the end: keep it as it is until then`);
  };
  frames.forEach((frame, k) => {
    if (!('data' in frame)) return;
    check(`${frameLabel(frame, k)}: data`, frame.data);
    check(`${frameLabel(frame, k)}: coverage`, frame.coverage);
  });
  motion.forEach((map, k) => check(`motion map ${k + 1}`, map));
}

/**
 * Runs `work`, which reads frames and maps. Whatever it makes of memory that was transferred meanwhile is refused.
 * @throws as checkKept, and what `work` throws.
 */
export async function whileKept<T>(
  frames: readonly FrameSource[],
  motion: readonly Float32Array[] | undefined,
  work: () => Promise<T>,
): Promise<T> {
  checkKept(frames, motion);
  try {
    const result = await work();
    checkKept(frames, motion);
    return result;
  } catch (error) {
    if (!(error instanceof CancelledError)) checkKept(frames, motion);
    throw error;
  }
}
