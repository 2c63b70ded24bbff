/**
 * `deghost tune`: times every implementation on this machine's adapter, prints a table, and saves the fastest for
 * merges and plans.
 */
import { CancelledError, UsageError } from '../../errors.ts';
import { shown } from '../../shown.ts';
import { openWithMatrices } from '../matrices.ts';
import { MAX_FRAMES, MIN_FRAMES } from '../../image/frame.ts';
import { candidateGbps, candidateGflops } from '../../tune/result.ts';
import type { TuneResult } from '../../tune/result.ts';
import { tune } from '../../tune/tune.ts';
import { requestAdapter } from '../adapter.ts';
import { currentFiles } from '../files.ts';
import { FileTuneCache } from '../tuneCache.ts';
import { integerOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { columns } from './columns.ts';
import { adapterOption, precisionOption } from './engineOptions.ts';
import { TUNING_ROLE } from './mergeOutputs.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';
import { TuneView, foundText, keep } from './tuning.ts';
import { readWeights } from './weights.ts';

export async function tuneCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, flags, positionals } = args;
  if (positionals.length > 0)
    throw new UsageError(
      `"${positionals[0]}" is given to deghost tune, which takes options alone: see \`deghost tune --help\``,
    );
  const frames = integerOption(args, 'frames', MIN_FRAMES, MAX_FRAMES) ?? 3;
  const precision = precisionOption(args);
  const limitMs = limitOption(values.limit);
  const { only } = values;
  const quiet = flags.has('quiet');
  const cache = new FileTuneCache({ warn: (text) => say(io, text) });
  const files = currentFiles();
  if (values.weights !== undefined) files?.reads('the weights', values.weights);
  files?.writes(TUNING_ROLE, cache.path, true);
  const weights = await readWeights(values.weights, frames);
  const { adapter, info } = await requestAdapter({ software: adapterOption(args) });
  const device = await openWithMatrices(adapter);
  const view = new TuneView(io.stderr);
  try {
    if (!quiet) {
      const slow = info.software ? ' (software adapter: its driver takes seconds for each implementation)' : '';
      say(io, `tuning for merges of ${frames} frames in ${precision} on ${info.name}${slow}`);
    }
    let found: TuneResult;
    try {
      const filter = only === undefined ? undefined : (name: string): boolean => name.includes(only);
      found = await tune({
        device,
        config: weights.config,
        frames,
        precision,
        limitMs,
        filter,
        signal: io.signal,
        onProgress: quiet ? undefined : (event) => view.update(event),
      });
    } finally {
      view.clear();
    }
    if (only !== undefined && found.classes.length + found.unreached.length === 0)
      throw new UsageError(
        `--only is "${only}": no kind of step has that in its name; see the first column without --only`,
      );
    const isCancelled = found.stopped === 'cancelled';
    const problems: string[] = [];
    if (found.classes.length > 0) await keep(cache, found, (text) => problems.push(text));
    // At most one JSON object: after a cancellation that is the error.
    if (!flags.has('json')) io.stdout.write(`${tuneText(found)}\n`);
    else if (!isCancelled) io.stdout.write(json({ ...found, cache: cache.path }));
    if (isCancelled)
      throw new CancelledError(
        found.classes.length > 0
          ? (problems[0] ?? `cancelled: the results so far are saved in ${cache.path}`)
          : 'cancelled',
      );
    if (!quiet)
      say(
        io,
        found.classes.length > 0
          ? (problems[0] ?? `saved in ${cache.path}`)
          : 'nothing was timed within the limit: raise --limit',
      );
  } finally {
    device.destroy();
  }
}

function limitOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,6}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= 0)) throw new UsageError(`--limit is "${text}": write seconds, such as 60 or 2.5`);
  return seconds * 1000;
}

/** The result as a readable table. */
export function tuneText(found: TuneResult): string {
  const rows = [['kind of step', 'share', 'implementation', '', 'ms', 'GFLOP/s', 'GB/s']];
  for (const kind of found.classes) {
    for (const [i, candidate] of kind.candidates.entries()) {
      const { implementation, ms, error } = candidate;
      const mark = !kind.isTuned ? '' : implementation === kind.chosen ? '*' : '';
      const note = kind.isTuned && implementation === kind.fallback ? 'default' : '';
      rows.push([
        i > 0 ? '' : kind.name,
        i > 0 ? '' : `${(100 * kind.share).toFixed(1)} %`,
        `${mark.padEnd(1)} ${implementation || '(one way)'}`,
        error ?? note,
        ms?.toFixed(ms < 10 ? 3 : 1) ?? '-',
        candidateGflops(kind, candidate)?.toFixed(1) ?? '-',
        candidateGbps(kind, candidate)?.toFixed(2) ?? '-',
      ]);
    }
  }
  const lines = columns(rows, (c) => [0, 2, 3].includes(c));
  const by = found.timestamps ? "the adapter's timestamps" : 'wall time: the adapter has no timestamps';
  return [
    `${found.adapter}, ${found.precision}: the largest step of each kind in a tile of at most ` +
      `${found.tile.width}x${found.tile.height}, by ${by}`,
    ...(found.classes.length > 0 ? lines : []),
    `* taken. ${foundText(found)}${found.unreached.length > 0 ? `: ${found.unreached.join(', ')}` : ''}`,
  ]
    .map(shown)
    .join('\n');
}
