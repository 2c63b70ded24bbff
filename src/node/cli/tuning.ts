/** What `deghost merge`, `deghost plan` and `deghost tune` share about tunings: who tunes when, and how it is told. */
import { CancelledError, GpuError, InputError } from '../../errors.ts';
import type { Target, Capabilities } from '../../kernels/target.ts';
import type { DType } from '../../kernels/tensor.ts';
import { readTuning, writeTuning } from '../../tune/cache.ts';
import type { TuneCache } from '../../tune/cache.ts';
import { stepClasses } from '../../tune/classes.ts';
import { tuneKey } from '../../tune/key.ts';
import type { TuneResult } from '../../tune/result.ts';
import { tune } from '../../tune/tune.ts';
import type { TuneProgress } from '../../tune/tune.ts';
import type { NetworkConfig } from '../../weights/config.ts';
import type { AdapterInfo } from '../adapter.ts';
import { StatusLine, clock } from './progress.ts';
import type { ProgressOutput } from './progress.ts';

/** Milliseconds that `deghost merge` spends at most on an adapter that it meets for the first time. */
const MERGE_LIMIT_MS = 5000;
/** Share of a merge's work that may be of kinds which a tuning does not know: other weights have other kinds. */
const MOST_UNKNOWN = 0.2;

export interface MergeTuning {
  device: GPUDevice;
  capabilities: Capabilities;
  info: AdapterInfo;
  config: NetworkConfig;
  frames: number;
  precision: DType;
  cache: TuneCache;
  message: (text: string) => void;
  signal: AbortSignal;
  /** For tests. */
  tuner?: typeof tune;
}

/**
 * The tuning to merge with: what the cache has; on a GPU, what it lacks is found now and kept. A software adapter would
 * take minutes, so that one waits for `deghost tune`.
 * @throws CancelledError; DeviceLostError
 */
export async function tuningForMerge({
  device,
  capabilities,
  info,
  config,
  frames,
  precision,
  cache,
  message,
  signal,
  tuner = tune,
}: MergeTuning): Promise<TuneResult | undefined> {
  const known = await readTuning(cache, tuneKey(device.adapterInfo, { capabilities, precision }));
  if (info.software) return known;
  const unknown = known && unknownKinds(known, config, frames, { capabilities, precision });
  if (unknown?.size === 0) return known;
  message(
    `first merge on ${info.name}${known ? ' with such weights' : ''}: finding its fastest kernels, for ` +
      `${MERGE_LIMIT_MS / 1000} seconds at most (--no-tune skips this)`,
  );
  try {
    const found = await tuner({
      device,
      config,
      frames,
      precision,
      limitMs: MERGE_LIMIT_MS,
      signal,
      filter: unknown && ((name) => unknown.has(name)),
    });
    if (found.stopped === 'cancelled') throw new CancelledError();
    message(`${foundText(found)}${found.unreached.length > 0 ? '; `deghost tune` does the rest' : ''}`);
    if (found.classes.length === 0) return known;
    return await keep(cache, found, message);
  } catch (error) {
    if (!(error instanceof GpuError)) throw error;
    message(`not tuned: ${error.message}`);
    return known;
  }
}

/**
 * Kinds of steps with implementations that a tuning does not know, where they are a large part of a merge with these
 * weights.
 */
function unknownKinds(known: TuneResult, config: NetworkConfig, frames: number, target: Target): Set<string> {
  const names = new Set(known.classes.map(({ name }) => name));
  const unknown = stepClasses(config, frames, known.tile, target).filter(
    ({ name, implementations }) => implementations.length > 1 && !names.has(name),
  );
  return new Set(
    unknown.reduce((sum, { share }) => sum + share, 0) > MOST_UNKNOWN ? unknown.map(({ name }) => name) : [],
  );
}

/** Writes what was found to the cache; where that cannot be written, what was found counts all the same. */
export async function keep(cache: TuneCache, found: TuneResult, message: (text: string) => void): Promise<TuneResult> {
  try {
    return await writeTuning(cache, found);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message(`the tuning is not kept: ${error.message}`);
    return found;
  }
}

/** What a tuning came to, in a line. */
export function foundText({ classes, unreached }: TuneResult): string {
  const better = classes.filter(({ chosen, fallback }) => chosen !== fallback).length;
  const rest = unreached.length > 0 ? `; ${unreached.length} not reached keep their defaults` : '';
  return (
    `${classes.length} kinds of steps timed, ${better} of them with another implementation than the ` + `default${rest}`
  );
}

/** A tuner's progress on stderr: one line that changes on a terminal, a line a kind of steps elsewhere. */
export class TuneView {
  readonly #output: ProgressOutput;
  readonly #line: StatusLine;
  readonly #begun = performance.now();
  #name = '';

  constructor(output: ProgressOutput) {
    this.#output = output;
    this.#line = new StatusLine(output);
  }

  update({ done, total, name, implementation }: TuneProgress): void {
    const text = `${done + 1}/${total}  ${name}`;
    if (this.#output.isTTY)
      this.#line.show(`${clock((performance.now() - this.#begun) / 1000)}  ${text}: ${implementation ?? 'timing'}`);
    else if (name !== this.#name) this.#output.write(`${text}\n`);
    this.#name = name;
  }

  clear(): void {
    this.#line.clear();
  }
}
