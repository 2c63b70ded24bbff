/** Checks what callers of a Deghoster give, before anything runs (options.ts has the types). */
import type { AlignOption } from './align/types.ts';
import {
  ANY,
  BOOLEAN,
  DEVICE,
  FUNCTION,
  POSITIVE,
  PRECISION,
  SIGNAL,
  arrayOf,
  expect,
  from,
  oneOf,
  readOptions,
  whole,
  wrongText,
} from './checks.ts';
import { InputError, UsageError } from './errors.ts';
import { MAX_FRAMES, MIN_FRAMES, frameLabel, frameSize, middleFrame, sortFrames } from './image/frame.ts';
import type { FrameSource } from './image/frame.ts';
import { firstOutside } from './image/picture.ts';
import { readFrames } from './image/readFrames.ts';
import { readResponse } from './image/chooseResponse.ts';
import { openPlatformDevice } from './device.ts';
import type { DeghosterOptions, MergeOptions, PlanOptions, PrepareOptions } from './options.ts';
import type { Choices } from './kernels/target.ts';
import { choicesOf } from './tune/result.ts';

/** The frame size that `prepare` assumes by default: pictures of this size and larger are cut into the same tiles. */
const EXPECTED = { width: 6000, height: 4000 };

/** Most pixels of a side, and of a picture, that merges are planned for: lists of tiles grow with them. */
const MOST_SIDE = 2 ** 18;
const MOST_PIXELS = 2 ** 30;

const ALIGN_WORDS: readonly unknown[] = ['auto', 'none', 'homography', 'mesh'];
const METHOD = /* @__PURE__ */ oneOf('network', 'merge');
const SIDE = /* @__PURE__ */ whole(1, MOST_SIDE);

/** @throws UsageError */
export function readDeghosterOptions(given: DeghosterOptions) {
  const {
    device = openPlatformDevice,
    tuning,
    ...options
  } = readOptions('Deghoster.create', given, {
    weights: ANY,
    momentWeights: ANY,
    device: [`${DEVICE[0]} or a function that opens one`, (value) => FUNCTION[1](value) || DEVICE[1](value)],
    precision: PRECISION,
    tuning: ANY,
    memoryBudget: [`${POSITIVE[0]} of bytes`, POSITIVE[1]],
  });
  const choices: Choices | undefined = tuning === undefined ? undefined : choicesOf(tuning);
  const open =
    typeof device === 'function'
      ? async () => {
          const opened = await device();
          expect('what the device function opened', opened, DEVICE);
          return opened;
        }
      : device;
  return { ...options, device: open, choices };
}

const PLANNED = { width: SIDE, height: SIDE, method: METHOD, motion: BOOLEAN };

/** What `plan` plans for, with its defaults. @throws UsageError */
export function readPlanOptions(given: PlanOptions): Required<PlanOptions> {
  const rules = { ...PLANNED, frames: whole(MIN_FRAMES, MAX_FRAMES), reference: ANY };
  const read = readOptions('plan', given, rules, ['width', 'height', 'frames']);
  const { width, height, frames, reference = middleFrame(frames), method = 'network', motion = false } = read;
  if (width * height > MOST_PIXELS)
    throw new UsageError(`width and height are ${width} and ${height}, at most ${MOST_PIXELS} pixels are planned for`);
  expect('reference', reference, whole(0, frames - 1));
  return { width, height, frames, reference, method, motion };
}

/** What `prepare` prepares for, as a plan. @throws UsageError */
export function readPrepareOptions(
  frames: number,
  given: PrepareOptions,
): { planned: Required<PlanOptions>; signal?: AbortSignal } {
  const { signal, ...options } = readOptions('prepare', given, { ...PLANNED, signal: SIGNAL });
  return { planned: readPlanOptions({ ...EXPECTED, ...options, frames }), signal };
}

/** A stack and how to merge it: read once, and checked but for the samples. */
export interface MergeRequest extends Omit<MergeOptions, 'reference' | 'align' | 'motion'> {
  /** In exposure order. */
  frames: FrameSource[];
  /** Input index of each frame. */
  order: number[];
  /** From 0 in exposure order; undefined for `auto`. */
  reference?: number;
  /** Whether somebody chose it. */
  isReferenceGiven: boolean;
  align: AlignOption;
  motion?: readonly Float32Array[];
}

/** @throws InputError naming the frame or map; UsageError. */
export function readMerge(input: readonly FrameSource[], given: MergeOptions): MergeRequest {
  const { frames, order } = sortFrames(readFrames(input));
  const {
    reference,
    align = 'auto',
    response,
    motion,
    moment,
    ...options
  } = readOptions('merge', given, {
    reference: ANY,
    align: ANY,
    skipMisfits: BOOLEAN,
    strength: from(0, 1),
    response: ANY,
    motion: ANY,
    moment: ANY,
    method: METHOD,
    onProgress: FUNCTION,
    onRows: FUNCTION,
    signal: SIGNAL,
    onDeviceLost: FUNCTION,
    profile: BOOLEAN,
  });
  const request: MergeRequest = {
    ...options,
    frames,
    order,
    reference: reference === 'auto' ? undefined : readReference(reference, frames.length),
    isReferenceGiven: typeof reference === 'number',
    align: readAlign(align),
    response: readResponse(response),
    motion: motion === undefined ? undefined : readMotion(motion, frames),
    moment: moment === undefined ? undefined : arrayOf('moment', moment, [Uint8Array]),
  };
  if (options.skipMisfits && (align === 'none' || typeof align === 'object'))
    throw new UsageError(
      `skipMisfits is given with align ${align === 'none' ? '"none"' : '{ matrices }'}, which finds no misfits: ` +
        'leave one of them out',
    );
  return request;
}

function readAlign(align: AlignOption): AlignOption {
  if (ALIGN_WORDS.includes(align)) return align;
  const { matrices } = Object(align) as { matrices: readonly (readonly number[])[] };
  if (!Array.isArray(matrices))
    throw new UsageError(wrongText('align', align, `"${ALIGN_WORDS.join('", "')}" or { matrices }`));
  // The wrong number of numbers is enough to be refused for.
  return {
    matrices: Array.from(matrices, (matrix) => {
      const { length } = Object(matrix) as ArrayLike<number>;
      return length === 9 ? Array.from({ length }, (_, i) => matrix[i]) : new Array<number>(length >>> 0);
    }),
  };
}

function readReference(reference: number | undefined, count: number): number {
  if (reference === undefined) return middleFrame(count);
  if (!whole(0, count - 1)[1](reference))
    throw new InputError(
      wrongText('reference', reference, `"auto" or one of 0..${count - 1} (frames in exposure order)`),
    );
  // Not -0.
  return reference + 0;
}

function readMotion(motion: readonly Float32Array[], frames: readonly FrameSource[]): readonly Float32Array[] {
  if (!Array.isArray(motion)) throw new UsageError(wrongText('motion', motion, 'an array of a Float32Array a frame'));
  if (motion.length !== frames.length)
    throw new InputError(
      `${motion.length} motion maps for ${frames.length} frames: pass a map for each frame in exposure order`,
    );
  const { width, height } = frameSize(frames[0]);
  return Array.from(motion as unknown[], (given, k) => {
    const map = arrayOf(`motion map ${k + 1}`, given, [Float32Array]);
    if (map.length !== width * height)
      throw new InputError(`motion map ${k + 1} has ${map.length} values, ${width}x${height} needs ${width * height}`);
    return map;
  });
}

/**
 * Checks all values of float frames and of maps, which are in [0,1].
 * @throws InputError naming the value.
 */
export function checkValues({ frames, motion = [] }: MergeRequest): void {
  frames.forEach((frame, k) => {
    if (!('data' in frame) || !(frame.data instanceof Float32Array)) return;
    const bad = firstOutside(frame.data);
    if (bad >= 0)
      throw new InputError(
        `${frameLabel(frame, k)}: sample ${bad} is ${frame.data[bad]}, float samples must be in [0,1]: scale the ` +
          'picture first',
      );
  });
  motion.forEach((map, k) => {
    const bad = firstOutside(map);
    if (bad >= 0) throw new InputError(`motion map ${k + 1}: value ${bad} is ${map[bad]}, it must be in [0,1]`);
  });
}
