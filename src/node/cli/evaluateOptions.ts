/** `deghost evaluate`'s options, checked as far as the command line alone allows. */
import { existsSync } from 'node:fs';
import { UsageError } from '../../errors.ts';
import { MAX_FRAMES, MIN_FRAMES } from '../../image/frame.ts';
import type { SoftwareChoice } from '../adapter.ts';
import { METHODS } from '../evaluate/methods/index.ts';
import type { Method } from '../evaluate/methods/method.ts';
import type { Published } from '../evaluate/published.ts';
import { shown } from '../problems.ts';
import { integerOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { adapterOption, budgetOption, precisionOption } from './engineOptions.ts';
import { readResponseOption } from './responseOption.ts';
import type { ResponseChoice } from './responseOption.ts';

/** Rows of every evaluation. */
const OWN_ROWS = ['network', 'reference', 'merge', 'merge, difference', 'merge, S', 'merge, truth'];

/** cd/m^2 that a radiance of 1 is shown as: the HDR display of PU21's own examples. */
const DEFAULT_PEAK = 4000;

export interface EvaluateOptions {
  folders: string[];
  json: string | undefined;
  pictures: string | undefined;
  weights: string | undefined;
  /** From 0 in exposure order; undefined for the middle. */
  reference: number | undefined;
  response: ResponseChoice | undefined;
  /** Frames to use, from 0 in exposure order; undefined for all. */
  picks: number[] | undefined;
  /** Classical methods to compare with. */
  methods: readonly Method[];
  /** Others' pictures to judge. */
  published: readonly Published[];
  /** Whether everything stands still in stacks without still.json. */
  isStatic: boolean;
  /** Factor for the ground truth; undefined to fit it. */
  truthScale: number | undefined;
  peak: number;
  memoryBudget: number | undefined;
  adapter: SoftwareChoice;
  precision: 'f32' | 'f16';
  quiet: boolean;
}

/** @throws UsageError naming the option and the remedy. */
export function readEvaluateOptions(args: ParsedArgs): EvaluateOptions {
  const { values, flags, positionals: folders } = args;
  if (folders.length === 0)
    throw new UsageError('no folder given: `deghost evaluate DIR...`, where DIR is a stack or holds stacks');
  const reference = integerOption(args, 'reference', 1, MAX_FRAMES);
  const scale = values['truth-scale'];
  return {
    folders,
    json: values.json,
    pictures: values.pictures,
    weights: values.weights,
    reference: reference === undefined ? undefined : reference - 1,
    response: readResponseOption(values.response),
    picks: readPicks(values.frames),
    methods: readMethods(values.method),
    published: readPublished(values.candidate),
    isStatic: flags.has('static'),
    truthScale:
      scale === undefined || scale === 'fit' ? undefined : positive('truth-scale', scale, 'a positive number, or fit'),
    peak:
      values['peak-luminance'] === undefined
        ? DEFAULT_PEAK
        : positive('peak-luminance', values['peak-luminance'], 'cd/m^2, a positive number such as 4000'),
    memoryBudget: budgetOption(args),
    precision: precisionOption(args),
    adapter: adapterOption(args),
    quiet: flags.has('quiet'),
  };
}

function positive(option: string, text: string, expected: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`--${option} is "${text}": it must be ${expected}`);
  return value;
}

/** `khan,pece` as these methods. */
function readMethods(text: string | undefined): Method[] {
  if (text === undefined) return [];
  const names = text.split(',').map((name) => name.trim());
  return names.map((name, i) => {
    const method = METHODS.find((known) => known.name === name);
    if (!method)
      throw new UsageError(
        `--method is "${text}": "${name}" is not a method, choose from ` +
          METHODS.map((known) => known.name).join(', '),
      );
    if (names.indexOf(name) !== i) throw new UsageError(`--method is "${text}": ${name} is named twice, name it once`);
    return method;
  });
}

/** `yan19=DIR,wu18=DIR` as names and folders. */
function readPublished(text: string | undefined): Published[] {
  if (text === undefined) return [];
  const list = text.split(',').map((part): Published => {
    const at = part.indexOf('=');
    const [name, folder] = [part.slice(0, at).trim(), part.slice(at + 1)];
    if (at < 0 || name === '' || folder === '')
      throw new UsageError(`--candidate is "${text}": write a name and a folder of pictures, such as yan19=results`);
    if (!existsSync(folder)) throw new UsageError(`--candidate ${name}: no such folder: ${shown(folder)}`);
    return { name, folder };
  });
  list.forEach(({ name }, i) => {
    const isTaken = OWN_ROWS.includes(name) || METHODS.some((method) => method.name === name);
    if (isTaken || list.findIndex((other) => other.name === name) !== i)
      throw new UsageError(`--candidate is "${text}": there is a row ${name} already, choose another name`);
  });
  return list;
}

/** `1,3,5` as [0, 2, 4]. */
function readPicks(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  const picks = text.split(',').map((part) => (/^\s*\d{1,2}\s*$/.test(part) ? Number(part) - 1 : -1));
  const isGrowing = picks.every((pick, i) => pick >= 0 && pick < MAX_FRAMES && (i === 0 || pick > picks[i - 1]));
  if (!isGrowing || picks.length < MIN_FRAMES)
    throw new UsageError(
      `--frames is "${text}": write at least ${MIN_FRAMES} numbers of frames from 1, darkest first and growing, such ` +
        'as 1,3,5',
    );
  return picks;
}
