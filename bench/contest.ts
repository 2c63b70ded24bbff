/**
 * The contest: engines take turns on the same work, one run each per round, so that a change of the machine's load
 * affects all of them alike. A result is compared before anything is timed; a wrong one is timed too, and marked.
 */
import { waitWithPauses } from '../src/pollingPauses.ts';
import { largestDifference } from './compare.ts';
import { NotInstalled, OWN, sizeText } from './engine.ts';
import type { Contestant, Engine, EngineContext, Planes, Session, Work } from './engine.ts';
import { peakBytes, resetPeak } from './gpuMemory.ts';
import { median, spread } from './timing.ts';

export type Status = 'right' | 'wrong' | 'unchecked' | 'failed' | 'not installed' | 'not run';

/** An engine's figures for some work. */
export interface Row {
  id: string;
  engine: string;
  version?: string;
  adapter?: string;
  size: string;
  status: Status;
  /** Why it failed or did not run; what to know of an engine that ran. */
  note?: string;
  /** Largest difference from the judge. */
  error?: number;
  /** Its result is what the others were compared with. */
  judge?: boolean;
  /** Milliseconds to prepare and to run once, compilation included. */
  firstMs?: number;
  /** Of the runs after the first. */
  runs?: number;
  ms?: number;
  spread?: number;
  gflops?: number;
  /**
   * The median of runs during which the thread that waits paused (src/pollingPauses.ts), where an engine does not do so
   * itself.
   */
  pausedMs?: number;
  /** Most GPU bytes its device held. */
  peakBytes?: number;
}

export interface ContestRules {
  /** Most runs after the first. */
  runs: number;
  /**
   * Seconds an engine may take for one work; no run is started that would exceed them, except the first and one after
   * it.
   */
  limit: number;
  /** Largest difference from the judge of a right result. */
  tolerance: number;
  /** Bytes of the host's memory that an engine may take. */
  memory: number;
  /**
   * Whether other engines on the adapter run some more rounds with deghost's pauses: on software adapters a waiting
   * thread takes one of the processors that compute.
   */
  pauses?: boolean;
}

/** An engine that could be opened, or why not. */
export interface Entrant {
  id: string;
  name: string;
  engine?: Engine;
  status?: Status;
  note?: string;
  /** Milliseconds a pixel in its last contest, to predict the next. */
  msPerPixel?: number;
}

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n')[0].slice(0, 200);

/** Opens contestants one after another; one that cannot be opened keeps its place in the tables. */
export async function enter(
  contestants: readonly Contestant[],
  context: EngineContext,
  report: (text: string) => void,
): Promise<Entrant[]> {
  const entrants: Entrant[] = [];
  const missing = new Map<string, string[]>();
  for (const { id, name, open } of contestants) {
    try {
      const engine = await open(context);
      report(`${name} ${engine.version} on ${engine.adapter}${engine.note ? `; ${engine.note}` : ''}`);
      entrants.push({ id, name, engine });
    } catch (error) {
      const status = error instanceof NotInstalled ? 'not installed' : 'failed';
      if (error instanceof NotInstalled) missing.set(error.message, [...(missing.get(error.message) ?? []), name]);
      else report(`${name} cannot be opened: ${oneLine(error)}`);
      entrants.push({ id, name, status, note: oneLine(error) });
    }
  }
  for (const [remedy, names] of missing) report(`not installed: ${names.join('; ')} (${remedy})`);
  return entrants;
}

/** Runs of others with pauses. */
const PAUSED_RUNS = 3;

/** How long an engine may take to release its work. */
const RELEASE_SECONDS = 30;

interface Started {
  entrant: Entrant;
  row: Row;
  session: Session;
  samples: number[];
  spentMs: number;
}

/**
 * Waits for some work, or gives up: an engine that never answers must not stop the others. Work that it left running
 * continues.
 */
function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000)),
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Runs one contest.
 * @param judge id of the entrant whose result the others are compared with; if that entrant did not run, the first that
 * did.
 * @param operations floating-point operations of the work.
 */
export async function contest(
  entrants: readonly Entrant[],
  work: Work,
  input: readonly Planes[],
  operations: number,
  judge: string,
  rules: ContestRules,
  report: (row: Row) => void,
): Promise<Row[]> {
  const size = sizeText(work);
  const pixels = work.width * work.height;
  const rows: Row[] = [];
  const started: Started[] = [];
  const results = new Map<string, Planes>();

  // First runs: compilation, and what will be compared.
  for (const entrant of entrants) {
    const { id, name, engine } = entrant;
    const row: Row = { id, engine: name, size, status: entrant.status ?? 'unchecked', note: entrant.note };
    rows.push(row);
    if (!engine) continue;
    Object.assign(row, { version: engine.version, adapter: engine.adapter, note: engine.note });
    const predicted = ((entrant.msPerPixel ?? 0) * pixels) / 1000;
    if (2 * predicted > rules.limit) {
      Object.assign(row, {
        status: 'not run',
        note: `predicted ${predicted.toFixed(0)} s a run, the limit is ${rules.limit} s for two`,
      });
      continue;
    }
    const bytes = work.kind === 'network' ? (engine.hostBytesPerPixel ?? 0) * pixels : 0;
    if (bytes > rules.memory) {
      Object.assign(row, {
        status: 'not run',
        note:
          `would take about ${Math.round(bytes / 2 ** 30)} GiB of memory, ${Math.round(rules.memory / 2 ** 30)} ` +
          'are free',
      });
      continue;
    }
    if (engine.device) resetPeak(engine.device);
    const begun = performance.now();
    let session: Session | undefined;
    try {
      session = await within(3 * rules.limit, engine.prepare(work, input));
      await within(3 * rules.limit, session.run());
      row.firstMs = performance.now() - begun;
      results.set(id, await session.result());
      started.push({ entrant, row, session, samples: [], spentMs: row.firstMs });
    } catch (error) {
      Object.assign(row, { status: 'failed', note: oneLine(error) });
      try {
        await within(RELEASE_SECONDS, Promise.resolve(session?.release()));
      } catch {
        // Releasing an engine that failed may fail too.
      }
    }
  }

  const judged = results.get(judge) ?? results.values().next().value;
  for (const { row } of started) {
    const result = results.get(row.id)!;
    if (results.size === 1) continue;
    row.judge = result === judged;
    row.error = largestDifference(result, judged!);
    row.status = row.error <= rules.tolerance ? 'right' : 'wrong';
  }

  for (let round = 0; round < rules.runs; round++) {
    for (const entry of started) {
      const last = entry.samples.at(-1) ?? 0;
      if (entry.row.status === 'failed' || (entry.samples.length && entry.spentMs + last > rules.limit * 1000))
        continue;
      const begun = performance.now();
      try {
        await within(3 * rules.limit, entry.session.run());
        entry.samples.push(performance.now() - begun);
        entry.spentMs += entry.samples.at(-1)!;
      } catch (error) {
        Object.assign(entry.row, { status: 'failed', note: oneLine(error) });
      }
    }
  }

  if (rules.pauses) {
    const others = started.filter(
      ({ entrant, row }) => entrant.id !== OWN && entrant.engine!.device && row.status !== 'failed',
    );
    const paused = new Map(others.map((other): [Started, number[]] => [other, []]));
    for (let round = 0; round < Math.min(PAUSED_RUNS, rules.runs); round++) {
      for (const [{ row, session }, samples] of paused) {
        if (row.status === 'failed') continue;
        const begun = performance.now();
        try {
          await within(3 * rules.limit, waitWithPauses(session.run()));
          samples.push(performance.now() - begun);
        } catch (error) {
          Object.assign(row, { status: 'failed', note: oneLine(error) });
        }
      }
    }
    for (const [{ row }, samples] of paused) if (samples.length) row.pausedMs = median(samples);
  }

  for (const { entrant, row, session, samples } of started) {
    if (samples.length) {
      const ms = median(samples);
      Object.assign(row, { runs: samples.length, ms, spread: spread(samples), gflops: operations / ms / 1e6 });
      entrant.msPerPixel = ms / pixels;
    }
    if (entrant.engine!.device) row.peakBytes = peakBytes(entrant.engine!.device);
    try {
      await within(RELEASE_SECONDS, Promise.resolve(session.release()));
    } catch (error) {
      row.note ??= `could not be released: ${oneLine(error)}`;
    }
  }
  for (const row of rows) report(row);
  return rows;
}
