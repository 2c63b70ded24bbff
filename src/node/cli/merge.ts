/**
 * `deghost merge`: the command line is checked before the GPU is opened, and files appear only when the whole merge has
 * succeeded. The engine is prepared while the pictures are being read (engine.ts).
 */
import { throwIfCancelled } from '../../errors.ts';
import { chooseReference } from '../../image/chooseReference.ts';
import { clippedColorsNote } from '../../image/decode/workingSpace.ts';
import { middleFrame } from '../../image/frame.ts';
import { stackResponse } from '../../image/stackResponse.ts';
import { readMotionMaps } from '../motionMaps.ts';
import type { ParsedArgs } from './args.ts';
import { cropResult } from './crop.ts';
import type { CroppedResult } from './crop.ts';
import { ComingEngine } from './engine.ts';
import type { CommandIo } from './io.ts';
import { readMergeOptions } from './mergeOptions.ts';
import { checkOutputs, writeOutputs } from './mergeOutputs.ts';
import { announce, finish } from './mergeReport.ts';
import { readStack } from './mergeStack.ts';
import type { Stack } from './mergeStack.ts';
import { ProgressView } from './progress.ts';
import { readResponse } from './responseOption.ts';
import { readWeights } from './weights.ts';

export async function mergeCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const options = readMergeOptions(args);
  const { signal } = io;
  const started = performance.now();
  await checkOutputs(options);
  // With `auto` the reference is known only when the pictures are read; most often it is the middle frame.
  const guess = options.reference === 'auto' ? undefined : options.reference;
  let weights =
    options.method === 'network' ? await readWeights(options.weights, options.inputs.length, guess) : undefined;
  const chosenResponse = await readResponse(options.response);
  throwIfCancelled(signal);
  const coming = await ComingEngine.begin(options, weights, io);
  let failed = true;
  try {
    const checked = performance.now();
    const stack = await readStack(options, signal);
    const { frames, width, height, images } = stack;
    const { response, note: responseNote } = stackResponse(named(stack), chosenResponse);
    const choice = options.reference === 'auto' ? chooseReference(frames, response === 'linear') : undefined;
    const reference = choice?.reference ?? guess ?? middleFrame(frames.length);
    if (weights && choice && options.weights === undefined) {
      const better = await readWeights(undefined, frames.length, reference);
      if (better.path !== weights.path) coming.change((weights = better));
    }
    const motion =
      options.motionIn === undefined
        ? undefined
        : await readMotionMaps(options.motionIn, frames.length, width, height, reference);
    const read = performance.now();
    const { deghoster, info } = await coming.ready();
    throwIfCancelled(signal);

    const opened = performance.now();
    const message = (text: string): void => void (options.quiet || io.stderr.write(`${text}\n`));
    const colorNote = clippedColorsNote(images, (wider) => `--color ${wider} keeps more`);
    for (const note of [responseNote, colorNote]) if (note !== undefined) message(`warning: ${note}`);
    announce({ options, stack, reference, choice, info, weights }, message);
    const view = new ProgressView(io.stderr);
    let result: CroppedResult;
    try {
      result = await deghoster.merge(frames, {
        reference,
        align: options.align,
        strength: options.strength,
        response,
        motion,
        method: options.method,
        onProgress: options.quiet ? undefined : (event) => view.update(event),
        signal,
        profile: options.profile,
      });
    } finally {
      view.clear();
    }
    if (options.crop) result = cropResult(result, frames);
    const merged = performance.now();
    const { exifBlock: exif } = stack.images[stack.order[reference]];
    const files = await writeOutputs(options, { ...result, colorSpace: options.color, exif }, signal);
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
    // Errors are reported at once, even if a driver is still compiling.
    if (!failed) await closed;
  }
}

/** The pictures with the names of their frames. */
function named({ frames, order, images }: Stack) {
  const names = new Map(order.map((index, k) => [index, frames[k].name ?? `frame ${k + 1}`]));
  return images.map((image, i) => ({ ...image, name: names.get(i)! }));
}
