/** What `deghost merge`, `deghost plan` and `deghost tune` share about tunings: when to tune, and how to report it. */
import { CancelledError, GpuError, InputError } from '../../errors.ts';
import type { Target, Capabilities } from '../../kernels/target.ts';
import type { DType } from '../../kernels/tensor.ts';
import { readTuning, writeTuning } from '../../tune/cache.ts';
import type { TuneCache } from '../../tune/cache.ts';
import { stepClasses } from '../../tune/classes.ts';
import { tuneKey } from '../../tune/key.ts';
import type { TuneResult } from '../../tune/result.ts';
import { tune } from '../../tune/tune.ts';
import type { TuneProgress } from '../../tune/control.ts';
import type { NetworkConfig } from '../../weights/config.ts';
import type { AdapterInfo } from '../adapter.ts';
import { say } from './io.ts';
import { StatusLine, clock } from './progress.ts';
import type { ProgressOutput } from './progress.ts';

/** Most milliseconds that `deghost merge` spends on tuning for a new adapter. */
const MERGE_LIMIT_MS = 5000;
/** Largest share of a merge's work in kinds of steps that a tuning does not know: other weights have other kinds. */
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
 * The tuning for a merge: from the cache; on a GPU, missing kinds of steps are tuned now and saved. A software adapter
 * would take minutes, so there only `deghost tune` tunes.
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
    `first merge on ${info.name}${known ? ' with such weights' : ''}: finding its fastest kernels, for at ` +
      `most ${MERGE_LIMIT_MS / 1000} seconds (--no-tune skips this)`,
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
 * Kinds of steps with several implementations that a tuning does not know, if they are a large part of a merge with
 * these weights; otherwise none.
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

/** Writes a tuning to the cache. If that fails, the tuning is still used. */
export async function keep(cache: TuneCache, found: TuneResult, message: (text: string) => void): Promise<TuneResult> {
  try {
    return await writeTuning(cache, found);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    message(`the tuning is not saved: ${error.message}`);
    return found;
  }
}

/** The outcome of a tuning, in one line. */
export function foundText({ classes, unreached }: TuneResult): string {
  const better = classes.filter(({ chosen, fallback }) => chosen !== fallback).length;
  const rest = unreached.length > 0 ? `; ${unreached.length} not reached keep their defaults` : '';
  return (
    `${classes.length} kinds of steps timed, ${better} of them with another implementation than the ` + `default${rest}`
  );
}

/** A tuner's progress on stderr: on a terminal one line that is updated, elsewhere one line per kind of step. */
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
    else if (name !== this.#name) say({ stderr: this.#output }, text);
    this.#name = name;
  }

  clear(): void {
    this.#line.clear();
  }
}
