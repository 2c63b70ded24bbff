/**
 * The result of tuning: for each class of steps the implementations, their times, and the one to use. It is plain data,
 * so that it can be stored as JSON.
 *
 * A **class** is all steps that run with the same implementation (`Step.shapeClass`), or, if a kernel has only one
 * implementation, all steps of one program. Only the largest step of a class in a tile is timed, and represents all.
 */
import { kindOf, wrongText } from '../checks.ts';
import { UsageError } from '../errors.ts';
import type { Choices } from '../kernels/target.ts';
import type { DType } from '../kernels/tensor.ts';

/** One implementation of a class, timed or rejected. */
export interface Candidate {
  /** Empty if there is only one implementation. */
  implementation: string;
  /** Median milliseconds of the step that was timed. Null when it was not: `error` says why. */
  ms: number | null;
  /** Why it was rejected: it does not compile, or disagrees with the others. */
  error?: string;
}

/** The measurements for one class of steps, and the implementation to use. */
export interface TunedClass {
  name: string;
  /** Whether the kernel has several implementations: then time is proportional to multiply-adds, else to bytes. */
  isTuned: boolean;
  /** Share of a merge's multiply-adds. */
  share: number;
  /** Of the step that was timed. */
  multiplyAdds: number;
  bytes: number;
  /** The implementation used without tuning, and the one to use. */
  fallback: string;
  chosen: string;
  candidates: readonly Candidate[];
}

/** The result of tuning for one adapter and precision. */
export interface TuneResult {
  format: typeof FORMAT;
  /** What the tuning is valid for (key.ts). */
  key: string;
  /** The adapter's readable name. */
  adapter: string;
  precision: DType;
  /** Date and time of the tuning, ISO 8601. */
  date: string;
  /** Whether times are GPU timestamps; otherwise they are wall time. */
  timestamps: boolean;
  /** Pixels of the tile whose steps were timed; of the largest, if there were several. */
  tile: { width: number; height: number };
  classes: readonly TunedClass[];
  /** Classes that were not reached before the limit or the cancellation: they keep their defaults. */
  unreached: readonly string[];
  /** What ended the tuning early, if anything. */
  stopped?: 'limit' | 'cancelled';
}

/** Version of the data format; other versions are not read. */
export const FORMAT = 'deghost tuning 1';

/** The choices that differ from the defaults. Choices are returned unchanged. @throws UsageError for anything else. */
export function choicesOf(tuning: TuneResult | Choices): Choices {
  if (kindOf(tuning) === 'Map') return tuning as Choices;
  const { classes } = Object(tuning) as TuneResult;
  if (!Array.isArray(classes) || !classes.every((one) => isText(one?.name) && isText(one.chosen)))
    throw new UsageError(wrongText('tuning', tuning, 'what tune gives, or a Map of choices'));
  return new Map(
    (classes as TuneResult['classes'])
      .filter(({ chosen, fallback }) => chosen !== fallback)
      .map(({ name, chosen }) => [name, chosen]),
  );
}

/**
 * 1e9 floating-point operations per second, where a multiply-add counts as two; undefined if nothing is multiplied or
 * no time is known.
 */
export function candidateGflops({ multiplyAdds }: TunedClass, { ms }: Candidate): number | undefined {
  return ms && multiplyAdds ? (2 * multiplyAdds) / ms / 1e6 : undefined;
}

/** 1e9 bytes per second, counting every tensor once. */
export function candidateGbps({ bytes }: TunedClass, { ms }: Candidate): number | undefined {
  return ms && bytes ? bytes / ms / 1e6 : undefined;
}

/**
 * Merges a later result over an earlier one: classes that the later one did not time keep the earlier figures. @param
 * later a result of the same key.
 */
export function joinResults(earlier: TuneResult | undefined, later: TuneResult): TuneResult {
  if (!earlier || earlier.key !== later.key) return later;
  const fresh = new Set(later.classes.map(({ name }) => name));
  const classes = [...later.classes, ...earlier.classes.filter(({ name }) => !fresh.has(name))];
  const known = new Set(classes.map(({ name }) => name));
  const unreached = [...new Set([...later.unreached, ...earlier.unreached])].filter((name) => !known.has(name));
  return { ...later, classes, unreached };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length < 1000;
const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0 && Number.isFinite(value);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isCandidate(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.implementation) &&
    (value.ms === null || isCount(value.ms)) &&
    (value.error === undefined || isText(value.error))
  );
}

function isClass(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value.candidates)) return false;
  const { name, isTuned, share, multiplyAdds, bytes, fallback, chosen, candidates } = value;
  return (
    isText(name) &&
    typeof isTuned === 'boolean' &&
    [share, multiplyAdds, bytes].every(isCount) &&
    isText(fallback) &&
    isText(chosen) &&
    Array.from(candidates).every(isCandidate)
  );
}

/** Whether a value from a cache is a result: any program may have written a cache file. */
export function isTuneResult(value: unknown): value is TuneResult {
  if (!isObject(value) || value.format !== FORMAT || !isObject(value.tile)) return false;
  const { key, adapter, precision, date, timestamps, tile, classes, unreached, stopped } = value;
  return (
    isText(key) &&
    isText(adapter) &&
    (precision === 'f32' || precision === 'f16') &&
    isText(date) &&
    !Number.isNaN(Date.parse(date)) &&
    typeof timestamps === 'boolean' &&
    isCount(tile.width) &&
    isCount(tile.height) &&
    Array.isArray(classes) &&
    Array.from(classes).every(isClass) &&
    Array.isArray(unreached) &&
    Array.from(unreached).every(isText) &&
    (stopped === undefined || stopped === 'limit' || stopped === 'cancelled')
  );
}
