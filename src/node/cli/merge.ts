/**
 * `deghost merge`: the command line is checked before the GPU is opened, and files appear only when the whole merge has
 * succeeded. The engine is prepared while the pictures are being read (engine.ts).
 */
import { basename, dirname } from 'node:path';
import { InputError, UsageError, throwIfCancelled } from '../../errors.ts';
import type { MergeResult } from '../../result.ts';
import { chooseReference } from '../../image/chooseReference.ts';
import { clippedColorsNote } from '../../image/decode/workingSpace.ts';
import { MIN_FRAMES, middleFrame } from '../../image/frame.ts';
import { stackResponse } from '../../image/stackResponse.ts';
import { expectDistinct } from '../files.ts';
import { readMomentMap } from '../momentMap.ts';
import { readMotionMaps } from '../motionMaps.ts';
import { shown } from '../problems.ts';
import type { ParsedArgs } from './args.ts';
import { bracketsOf } from './batchPlan.ts';
import { cropResult } from './crop.ts';
import type { CroppedResult } from './crop.ts';
import { EarlyOutput } from './earlyOutput.ts';
import { ONE_MERGE } from './enginePool.ts';
import type { EngineSource } from './enginePool.ts';
import { say } from './io.ts';
import type { CommandIo } from './io.ts';
import { readMergeOptions } from './mergeOptions.ts';
import { checkOutputs, writeOutputs } from './mergeOutputs.ts';
import { announce, finish } from './mergeReport.ts';
import { misfitLines, misfitsJson } from './misfits.ts';
import { readSortedStack } from './mergeStack.ts';
import type { Stack } from './mergeStack.ts';
import { ProgressView } from './progress.ts';
import { readResponse } from './responseOption.ts';
import { readWeights } from './weights.ts';
import { FileGroup } from '../writeFile.ts';

export async function mergeCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { inputs, exposures, output } = readMergeOptions(args);
  expectDistinct(inputs);
  if (exposures === undefined) await expectOneBracket(inputs, output, io.signal);
  return mergeStack(args, io, ONE_MERGE);
}

/** @throws InputError with the command that merges each, if the pictures are several brackets. */
async function expectOneBracket(inputs: readonly string[], output: string, signal: AbortSignal): Promise<void> {
  if (inputs.length < 2 * MIN_FRAMES) return;
  const brackets = await bracketsOf(inputs, signal);
  if (brackets.length < 2) return;
  const [, second] = brackets;
  throw new InputError(
    `the pictures are ${brackets.length} brackets: the exposures begin again with ${shown(basename(second[0]))}. ` +
      `Merge each with \`deghost batch ${inputs.map(shown).join(' ')} -o ${shown(dirname(output))}\`, or give --ev ` +
      'if they are one',
  );
}

/** Merges one stack with an engine from `engines`. */
export async function mergeStack(args: ParsedArgs, io: CommandIo, engines: EngineSource): Promise<void> {
  const options = readMergeOptions(args);
  const { signal } = io;
  const started = performance.now();
  await checkOutputs(options);
  // With `auto` the reference is known only when the pictures are read; most often it is the middle frame.
  const guess = options.reference === 'auto' ? undefined : options.reference;
  let weights =
    options.method === 'network' ? await readWeights(options.weights, options.inputs.length, guess) : undefined;
  if (options.motion !== undefined && weights?.config.ablation?.segmentation === 'none')
    throw new UsageError(
      `--motion is given, but ${shown(basename(weights.path))} is of a network without motion maps: leave it out`,
    );
  const chosenResponse = await readResponse(options.response);
  throwIfCancelled(signal);
  const coming = await engines.begin(options, weights, io);
  const group = new FileGroup();
  let early: EarlyOutput | undefined;
  let failed = true;
  try {
    const checked = performance.now();
    const reading = new ProgressView(io.stderr);
    const onRead = options.quiet ? undefined : reading.reading.bind(reading);
    const stack = await readSortedStack(options, signal, onRead).finally(() => reading.clear());
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
    const moment =
      options.momentIn === undefined ? undefined : await readMomentMap(options.momentIn, frames.length, width, height);
    const read = performance.now();
    const { info } = await coming.ready();
    throwIfCancelled(signal);

    const opened = performance.now();
    const message = (text: string): void => void (options.quiet || say(io, text));
    const colorNote = clippedColorsNote(images, (wider) => `--color ${wider} keeps more`);
    for (const note of [...stack.notes, responseNote, colorNote]) if (note !== undefined) message(`warning: ${note}`);
    announce({ options, stack, reference, choice, info, weights }, message);
    const view = new ProgressView(io.stderr);
    let result: CroppedResult;
    const output = EarlyOutput.of(options, stack.camera !== undefined, group);
    early = output;
    const merge = async (): Promise<MergeResult> =>
      (await coming.ready()).deghoster.merge(frames, {
        reference: options.reference,
        skipMisfits: options.skipMisfits,
        align: options.align,
        strength: options.strength,
        response,
        motion,
        moment,
        method: options.method,
        onProgress: options.quiet ? undefined : (event) => view.update(event),
        onRows: output && ((progress) => output.add(progress)),
        signal,
        profile: options.profile,
      });
    try {
      result = await merge().catch(async (error: unknown) => {
        // Without the misfits, too few frames are left for the shipped weights that were chosen for all.
        const isFewer = error instanceof InputError && error.problem === 'frame-count';
        if (!isFewer || !options.skipMisfits || options.weights !== undefined) throw error;
        coming.change((weights = await readWeights(undefined, MIN_FRAMES)));
        return merge();
      });
    } finally {
      view.clear();
    }
    const mergedStack = keptFrames(stack, result.order);
    // From here on, places are those among the frames that were merged.
    result = { ...result, order: result.order.map((_, k) => k) };
    if (options.crop) result = cropResult(result, mergedStack.frames);
    const merged = performance.now();
    const { exifBlock: exif } = stack.images[mergedStack.order[result.reference]];
    const files = await writeOutputs(
      options,
      { ...result, colorSpace: options.color, camera: stack.camera, exif },
      early,
      group,
      async () => (await coming.ready()).deghoster.device,
      signal,
    );
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
    for (const line of misfitLines(result.misfits, stack)) message(line);
    const context = {
      options,
      stack: mergedStack,
      reference: result.reference,
      choice: result.misfits.length === 0 ? choice : undefined,
      info,
      weights,
    };
    finish(context, result, files, times, profile, misfitsJson(result.misfits, stack, options), io, message);
    failed = false;
  } catch (error) {
    await early?.cancel(error);
    group.discard();
    throw error;
  } finally {
    await engines.end(coming, failed);
  }
}

/** The stack without the frames that a merge left out. @param kept places of the merged frames. */
function keptFrames(stack: Stack, kept: readonly number[]): Stack {
  return { ...stack, frames: kept.map((k) => stack.frames[k]), order: kept.map((k) => stack.order[k]) };
}

/** The pictures with the names of their frames. */
function named({ frames, order, images }: Stack) {
  const names = new Map(order.map((index, k) => [index, frames[k].name ?? `frame ${k + 1}`]));
  return images.map((image, i) => ({ ...image, name: names.get(i)! }));
}
