/**
 * Runs one runtime's runner and turns whatever happens into an outcome: its events, a crash with the test it was in,
 * silence, or absence.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseEvent } from './events.ts';
import type { RunnerEvent, TestResult } from './events.ts';
import type { Command, Runtime } from './runtimes.ts';

/**
 * passed: all tests ran and passed. failed: some result is wrong. broken: it did not run to its end. absent: it is not
 * installed.
 */
export type Status = 'passed' | 'failed' | 'broken' | 'absent';

export interface Outcome {
  name: string;
  required: boolean;
  status: Status;
  /** Why it is broken or absent, or the first failure. */
  reason?: string;
  /** `Deno 2.9.6`, and the adapter's name; as far as the runner reported them. */
  version?: string;
  adapter?: string;
  /** Tests there are. */
  tests: number;
  seconds: number;
  results: TestResult[];
}

export interface WatchOptions {
  /** Most seconds without an event: a first dispatch may compile for as long as 13 on a software adapter. */
  silence: number;
  /** Most seconds in all. */
  timeout: number;
  onEvent?: (event: RunnerEvent) => void;
}

const STARTING = 'starting';
const LAST_WORDS = 2000;
/** Seconds between asking a runner to end and ending it. */
const GRACE = 5;

const running = new Set<ChildProcess>();

/** Ends every runner there is. */
export function stopAll(): void {
  running.forEach((child) => stop(child));
}

/** Asks a runner to end (it closes its browser then), and ends its whole process group if it does not. */
function stop(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => killGroup(child), GRACE * 1000).unref();
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Runs a runtime's suite to its end, however it ends. Never throws for what the runtime does. */
export async function watch(runtime: Runtime, options: WatchOptions): Promise<Outcome> {
  const { name, required } = runtime;
  const found = runtime.find();
  if ('absent' in found)
    return { name, required, status: 'absent', reason: found.absent, tests: 0, seconds: 0, results: [] };
  const begun = performance.now();
  const seen = await follow(found, options);
  const seconds = (performance.now() - begun) / 1000;
  const failure = seen.results.find((result) => !result.ok);
  // A wrong result is worse than a crash after it.
  if (failure) return { name, required, ...seen, seconds, status: 'failed', reason: failureText(failure) };
  return { name, required, ...seen, seconds, status: seen.reason === undefined ? 'passed' : 'broken' };
}

function failureText({ name, message, error, tolerance }: TestResult): string {
  return message ? `${name}: ${message}` : `${name}: off by ${error}, allowed ${tolerance}`;
}

type Seen = Pick<Outcome, 'version' | 'adapter' | 'tests' | 'results' | 'reason'>;

function follow({ program, args, env }: Command, { silence, timeout, onEvent }: WatchOptions): Promise<Seen> {
  const seen: Seen = { tests: 0, results: [] };
  let doing = STARTING;
  let ended = false;
  let words = '';
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);

  const giveUp = (reason: string): void => {
    seen.reason ??= reason;
    stop(child);
  };
  const limit = setTimeout(() => giveUp(`ran past ${timeout} s, while ${doing}`), timeout * 1000);
  let quiet: NodeJS.Timeout;
  const listen = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(() => giveUp(`silent for ${silence} s, while ${doing}`), silence * 1000);
  };
  listen();

  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const event = parseEvent(line);
    if (!event) return;
    listen();
    if (event.type === 'begin') [seen.version, seen.adapter, seen.tests] = [event.version, event.adapter, event.tests];
    else if (event.type === 'test') doing = `running "${event.name}"`;
    else if (event.type === 'result') seen.results.push(event.result);
    else if (event.type === 'error')
      seen.reason ??= doing === STARTING ? event.message : `${event.message}, while ${doing}`;
    else ended = true;
    onEvent?.(event);
  });
  child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-LAST_WORDS)));

  return new Promise((resolve) => {
    const finish = (how?: string): void => {
      clearTimeout(limit);
      clearTimeout(quiet);
      running.delete(child);
      killGroup(child); // a browser that outlived its runner
      if (how && (!ended || seen.results.length !== seen.tests))
        seen.reason ??= `${how} while ${doing}${lastWords(words)}`;
      resolve(seen);
    };
    child.on('error', (error) => finish(`did not start (${error.message})`));
    child.on('close', (code, signal) => finish(signal ? `was ended by ${signal}` : `ended with code ${code}`));
  });
}

/** The last line that a runner printed on stderr. */
function lastWords(words: string): string {
  const line = words.trim().split('\n').at(-1)?.trim();
  return line ? `: ${line.slice(0, 300)}` : '';
}
