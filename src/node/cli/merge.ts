/**
 * `deghost merge`: what the command line alone tells is checked before the GPU is opened, and files appear only when the whole
 * merge has succeeded. While the pictures are being read the engine is being made (engine.ts).
 */
import { basename } from 'node:path';
import { CancelledError } from '../../errors.ts';
import { exposures as exifExposures } from '../../image/exif.ts';
import { chooseReference } from '../../image/chooseReference.ts';
import { middleFrame, sortFrames } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import type { DecodedImage } from '../../image/picture.ts';
import { parseResponse } from '../../image/response.ts';
import type { CameraResponse } from '../../image/response.ts';
import { readMotionMaps } from '../motionMaps.ts';
import { shown } from '../problems.ts';
import { readFileBytes, readFrameFiles } from '../readImage.ts';
import type { ParsedArgs } from './args.ts';
import { ComingEngine } from './engine.ts';
import type { CommandIo } from './io.ts';
import { readMergeOptions } from './mergeOptions.ts';
import type { MergeOptions } from './mergeOptions.ts';
import { checkOutputs, writeOutputs } from './mergeOutputs.ts';
import { announce, finish } from './mergeReport.ts';
import { ProgressView } from './progress.ts';
import { readWeights } from './weights.ts';

/** A stack as read: frames in exposure order, and where each came from. */
export interface Stack {
  frames: Frame[];
  width: number;
  height: number;
  /** `order[k]` is the command-line index of frame k. */
  order: number[];
  images: DecodedImage[];
}

export async function mergeCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const options = readMergeOptions(args);
  const { signal } = io;
  const started = performance.now();
  await checkOutputs(options);
  // With `auto` the reference is known once the pictures are; most often it is the middle frame.
  const guess = options.reference === 'auto' ? undefined : options.reference;
  let weights = options.method === 'network' ? await readWeights(options.weights, options.inputs.length, guess) : undefined;
  const response = await readResponse(options);
  stopIfAborted(signal);
  const coming = await ComingEngine.begin(options, weights, io);
  let failed = true;
  try {
    const checked = performance.now();
    const stack = await readStack(options, signal);
    const { frames, width, height } = stack;
    const choice = options.reference === 'auto' ? chooseReference(frames, response === 'linear') : undefined;
    const reference = choice?.reference ?? guess ?? middleFrame(frames.length);
    if (weights && choice && options.weights === undefined) {
      const better = await readWeights(undefined, frames.length, reference);
      if (better.path !== weights.path) coming.change((weights = better));
    }
    const motion = options.motionIn === undefined ? undefined : await readMotionMaps(options.motionIn, frames.length, width, height, reference);
    const read = performance.now();
    const { deghoster, info } = await coming.ready();
    stopIfAborted(signal);

    const opened = performance.now();
    const message = (text: string): void => void (options.quiet || io.stderr.write(`${text}\n`));
    announce({ options, stack, reference, choice, info, weights }, message);
    const view = new ProgressView(io.stderr);
    let result;
    try {
      result = await deghoster.merge(frames, {
        reference,
        response: response ?? defaultResponse(stack.images),
        motion,
        method: options.method,
        onProgress: options.quiet ? undefined : (event) => view.update(event),
        signal,
        profile: options.profile,
      });
    } finally {
      view.clear();
    }
    const merged = performance.now();
    const files = await writeOutputs(options, result, signal);
    const written = performance.now();
    const times = { readMs: opened - started, mergeMs: merged - opened, writeMs: written - merged };
    const profile = result.profile && {
      startMs: started,
      checkMs: checked - started,
      readMs: read - checked,
      engine: coming.times,
      waitMs: opened - read,
      merge: result.profile,
      writeMs: written - merged,
      files: files.times,
      totalMs: written,
    };
    finish({ options, stack, reference, choice, info, weights }, result, files, times, profile, io, message);
    failed = false;
  } finally {
    const closed = coming.close();
    // What went wrong is told at once, though a driver may be busy compiling.
    if (!failed) await closed;
  }
}

function stopIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new CancelledError();
}

/** 8-bit pictures carry their camera's tone curve; 16-bit ones and arrays come out of programs that know what they wrote. */
export function defaultResponse(images: readonly Pick<DecodedImage, 'bits' | 'format'>[]): 'auto' | 'gamma' {
  return images.every(({ bits, format }) => bits === 8 && format !== 'npy') ? 'auto' : 'gamma';
}

/** The response the options name, or undefined for the default. A file is at most a few hundred KiB of numbers. */
export async function readResponse({ response }: Pick<MergeOptions, 'response'>): Promise<'auto' | 'gamma' | 'linear' | CameraResponse | undefined> {
  if (response === undefined) return undefined;
  if ('name' in response) return response.name;
  const bytes = await readFileBytes(response.file, 1 << 20);
  return parseResponse(bytes.toString('utf8'), shown(response.file));
}

async function readStack(options: MergeOptions, signal: AbortSignal): Promise<Stack> {
  const images: DecodedImage[] = [];
  for await (const image of readFrameFiles(options.inputs, signal)) images.push(image);
  stopIfAborted(signal);
  const exposures = options.exposures ?? exifExposures(images.map(({ exif }, i) => ({ name: shown(options.inputs[i]), exif })));
  const short = options.inputs.map((path) => basename(path));
  const names = new Set(short).size === short.length ? short : options.inputs;
  const { frames, order } = sortFrames(images.map(({ data, width, height }, i) => ({ data, width, height, exposure: exposures[i], name: shown(names[i]) })));
  const { width, height } = frames[0];
  return { frames, width, height, order, images };
}
