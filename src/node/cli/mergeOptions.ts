/** `deghost merge`'s options, checked as far as the command line alone allows. */
import { existsSync } from 'node:fs';
import { UsageError } from '../../errors.ts';
import { LOOK_NAMES } from '../../finish/looks.ts';
import type { LookName } from '../../finish/looks.ts';
import { COLOR_SPACES } from '../../image/colorSpace.ts';
import type { ColorSpace } from '../../image/colorSpace.ts';
import { MAX_FRAMES, MIN_FRAMES } from '../../image/frame.ts';
import { TONE_NAMES } from '../../image/toneMappings.ts';
import type { ToneName } from '../../image/toneMappings.ts';
import type { SoftwareChoice } from '../adapter.ts';
import { outputFormat } from '../writeImage.ts';
import { choiceOption, integerOption, numberOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { adapterOption, budgetOption, precisionOption } from './engineOptions.ts';
import { parseEv, parseTimes } from './exposureArgs.ts';
import { readResponseOption } from './responseOption.ts';
import type { ResponseChoice } from './responseOption.ts';

export interface MergeOptions {
  /** Pictures, in command-line order. */
  inputs: string[];
  output: string;
  /** The given exposures, in command-line order; undefined to read EXIF. */
  exposures: number[] | undefined;
  /** From 0 in exposure order; undefined for the middle. */
  reference: number | 'auto' | undefined;
  response: ResponseChoice | undefined;
  /**
   * The file of `--response auto:FILE`. If it exists, it is read and becomes `response`; else the estimate is saved in
   * it.
   */
  keepResponse: string | undefined;
  saveResponse: string | undefined;
  align: 'auto' | 'none' | 'homography' | 'mesh';
  /** Whether to leave out frames that do not belong to the bracket. */
  skipMisfits: boolean;
  /** Whether to cut the result to what all frames cover. */
  crop: boolean;
  strength: number | undefined;
  /** The working space: colours of the pictures are converted to it, and outputs are in it. */
  color: ColorSpace;
  weights: string | undefined;
  method: 'network' | 'merge';
  motion: string | undefined;
  motionIn: string | undefined;
  /** The file of a map of moments. */
  momentIn: string | undefined;
  preview: string | undefined;
  memoryBudget: number | undefined;
  exrType: 'half' | 'float';
  tiffType: 'half' | 'float';
  tone: LookName | ToneName;
  precision: 'f32' | 'f16';
  /** Whether to read tunings, and to tune if there is none. */
  tune: boolean;
  adapter: SoftwareChoice;
  json: boolean;
  profile: boolean;
  quiet: boolean;
}

/** @throws UsageError naming the option and the remedy. */
export function readMergeOptions(args: ParsedArgs): MergeOptions {
  const { values, flags, positionals: inputs } = args;
  const count = inputs.length;
  if (count === 0) throw new UsageError('no pictures given: `deghost merge IMG... -o OUT`');
  if (count < MIN_FRAMES)
    throw new UsageError(
      `1 picture given (${inputs[0]}), at least ${MIN_FRAMES} are needed: name all brackets of the scene`,
    );
  if (count > MAX_FRAMES)
    throw new UsageError(`${count} pictures given, at most ${MAX_FRAMES} are merged: leave some out`);
  if (values.output === undefined)
    throw new UsageError('no output given: add -o FILE with the extension .hdr, .exr, .tif, .dng, .npy, .png or .jpg');
  outputFormat(values.output);
  if (values.preview !== undefined && !['png', 'jpg'].includes(outputFormat(values.preview))) {
    throw new UsageError(
      `--preview is "${values.preview}": a preview is a finished picture, give it the extension .png or .jpg`,
    );
  }
  if (values.ev !== undefined && values.times !== undefined)
    throw new UsageError('--ev and --times are both given: give one of them');
  const method = choiceOption(args, 'method', ['network', 'merge'] as const, 'network');
  if (method === 'merge') {
    for (const option of ['weights', 'motion', 'strength'] as const) {
      if (values[option] !== undefined)
        throw new UsageError(
          `--${option} is given with --method merge, which uses no weights and finds no motion: leave one of them out`,
        );
    }
  }
  if (method === 'merge' && values['moment-in'] !== undefined && values['motion-in'] === undefined)
    throw new UsageError(
      '--moment-in is given with --method merge, which finds no motion and shows all moments at once: add ' +
        '--motion-in, or leave one of them out',
    );
  const align = choiceOption(args, 'align', ['auto', 'none', 'homography', 'mesh'] as const, 'auto');
  if (align === 'none' && flags.has('skip-misfits'))
    throw new UsageError('--skip-misfits is given with --align none, which finds no misfits: leave one of them out');
  const reference = values.reference === 'auto' ? 'auto' : integerOption(args, 'reference', 1, count, 'auto');
  const keepResponse = readKeptResponse(values.response);
  return {
    inputs,
    output: values.output,
    exposures:
      values.ev !== undefined
        ? parseEv(values.ev, count)
        : values.times !== undefined
          ? parseTimes(values.times, count)
          : undefined,
    reference: typeof reference === 'number' ? reference - 1 : reference,
    response:
      keepResponse === undefined
        ? readResponseOption(values.response)
        : existsSync(keepResponse)
          ? { file: keepResponse }
          : { name: 'auto' },
    keepResponse,
    saveResponse: values['save-response'],
    align,
    skipMisfits: flags.has('skip-misfits'),
    crop: flags.has('crop'),
    strength: numberOption(args, 'strength', 0, 1),
    color: choiceOption(args, 'color', COLOR_SPACES, 'srgb'),
    weights: values.weights,
    method,
    motion: values.motion,
    motionIn: values['motion-in'],
    momentIn: values['moment-in'],
    preview: values.preview,
    memoryBudget: budgetOption(args),
    tiffType: choiceOption(args, 'tiff-type', ['half', 'float'] as const, 'half'),
    tone: choiceOption(args, 'tone', [...LOOK_NAMES, ...TONE_NAMES] as const, 'natural'),
    exrType: choiceOption(args, 'exr-type', ['half', 'float'] as const, 'half'),
    precision: precisionOption(args),
    adapter: adapterOption(args),
    tune: !flags.has('no-tune'),
    json: flags.has('json'),
    profile: flags.has('profile'),
    quiet: flags.has('quiet'),
  };
}

/** `--response auto:FILE`: the file. */
function readKeptResponse(text: string | undefined): string | undefined {
  if (!text?.startsWith('auto:')) return undefined;
  const file = text.slice('auto:'.length);
  if (file === '') throw new UsageError('--response is "auto:", without a file: write --response auto:camera.json');
  return file;
}
