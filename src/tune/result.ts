/**
 * What tuning found: for each class of steps the implementations, their times, and the one to take. Plain data, so that
 * it can be kept as JSON.
 *
 * A **class** is all steps that run with one implementation (`Step.shapeClass`), or, where a kernel has one way only,
 * all steps of one program. One step of a class is timed, the largest of a tile, and stands for all.
 */
import type { Choices } from '../kernels/target.ts';
import type { DType } from '../kernels/tensor.ts';

/** One way to compute a class, timed or thrown out. */
export interface Candidate {
  /** Empty where there is one way only. */
  implementation: string;
  /** Median milliseconds of the step that was timed. Null when it was not: `error` says why. */
  ms: number | null;
  /** Why it is not taken: it does not compile, or does not agree with the others. */
  error?: string;
}

/** What was measured for one class of steps, and the variant to take. */
export interface TunedClass {
  name: string;
  /** Whether the kernel has implementations: then time follows multiply-adds, else bytes. */
  isTuned: boolean;
  /** Share of a merge's multiply-adds. */
  share: number;
  /** Of the step that was timed. */
  multiplyAdds: number;
  bytes: number;
  /** The implementation that is taken without tuning, and the one to take. */
  fallback: string;
  chosen: string;
  candidates: readonly Candidate[];
}

/** What tuning found for one adapter and precision. */
export interface TuneResult {
  format: typeof FORMAT;
  /** What it holds for (key.ts). */
  key: string;
  /** The adapter, for people. */
  adapter: string;
  precision: DType;
  /** When, ISO 8601. */
  date: string;
  /** Whether times are the GPU's own; else they are wall time. */
  timestamps: boolean;
  /** Pixels of the tile whose steps were timed. */
  tile: { width: number; height: number };
  classes: readonly TunedClass[];
  /** Classes that were not reached before the limit or the cancelling: they keep their defaults. */
  unreached: readonly string[];
  /** What ended it early, if anything did. */
  stopped?: 'limit' | 'cancelled';
}

/** Of the data's form: another form is not read. */
export const FORMAT = 'deghost tuning 1';

/** The choices that differ from the defaults. Choices stay as they are. */
export function choicesOf(tuning: TuneResult | Choices): Choices {
  if (!('classes' in tuning)) return tuning;
  return new Map(
    tuning.classes.filter(({ chosen, fallback }) => chosen !== fallback).map(({ name, chosen }) => [name, chosen]),
  );
}

/**
 * 1e9 floating-point operations a second, a multiply-add being two; undefined where nothing is multiplied or no time is
 * known.
 */
export function candidateGflops({ multiplyAdds }: TunedClass, { ms }: Candidate): number | undefined {
  return ms && multiplyAdds ? (2 * multiplyAdds) / ms / 1e6 : undefined;
}

/** 1e9 bytes a second, every tensor counted once. */
export function candidateGbps({ bytes }: TunedClass, { ms }: Candidate): number | undefined {
  return ms && bytes ? bytes / ms / 1e6 : undefined;
}

/**
 * An earlier result with a later one over it: what the later one did not treat is kept, as of the earlier. @param later
 * of the same key.
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
    candidates.every(isCandidate)
  );
}

/** Whether something read from a cache is a result: caches are files that anything may have written. */
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
    classes.every(isClass) &&
    Array.isArray(unreached) &&
    unreached.every(isText) &&
    (stopped === undefined || stopped === 'limit' || stopped === 'cancelled')
  );
}
