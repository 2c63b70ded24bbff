/**
 * `npm run test:runtimes`: the goldens and the kernels' cases in every JavaScript runtime with WebGPU, one after
 * another, and a table. Exit code 0: all passed; 1: something is wrong, or a runtime that should run did not; 2: wrong
 * usage.
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { RunnerEvent } from './events.ts';
import { errorText } from './events.ts';
import { RUNTIMES } from './runtimes.ts';
import type { Runtime } from './runtimes.ts';
import { isFailure, json, table } from './table.ts';
import { stopAll, watch } from './watch.ts';
import type { Outcome } from './watch.ts';

const USAGE = `npm run test:runtimes -- [options]

  --only NAMES     run these, which then must be there and pass: ${RUNTIMES.map(({ name }) => name).join(',')}
  --json FILE      write every result to a file
  --timeout S      most seconds a runtime, 900 by default
  --help           show this`;

const TIMEOUT = 900;
const SILENCE = 180;

interface Options {
  runtimes: Runtime[];
  json?: string;
  timeout: number;
}

/** @throws Error in one line for wrong usage. */
function options(): Options | undefined {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      json: { type: 'string' },
      timeout: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const timeout = Number(values.timeout ?? TIMEOUT);
  if (!(timeout > 0)) throw new Error(`--timeout is ${values.timeout}, it must be a number of seconds above 0`);
  const names = values.only
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (names?.length === 0) throw new Error('--only names no runtime');
  const unknown = names?.find((name) => !RUNTIMES.some((runtime) => runtime.name === name));
  if (unknown)
    throw new Error(`unknown runtime "${unknown}": there are ${RUNTIMES.map(({ name }) => name).join(', ')}`);
  const runtimes = names
    ? RUNTIMES.filter(({ name }) => names.includes(name)).map((runtime) => ({ ...runtime, required: true }))
    : [...RUNTIMES];
  return { runtimes, json: values.json, timeout };
}

/** Progress on stderr: a line that is rewritten on a terminal, one every ten seconds elsewhere. */
function progress(name: string): (event: RunnerEvent) => void {
  const terminal = process.stderr.isTTY;
  let [done, all, told] = [0, 0, 0];
  return (event) => {
    if (event.type === 'begin') [all, told] = [event.tests, performance.now()];
    if (event.type === 'result') done++;
    if (event.type === 'result' && !event.result.ok)
      process.stderr.write(
        `${terminal ? '\r\x1b[K' : ''}${name}: FAILED ${event.result.name}: ` +
          `${event.result.message ?? event.result.error}\n`,
      );
    const now = performance.now();
    if (event.type === 'end' && terminal) process.stderr.write('\r\x1b[K');
    else if (event.type === 'begin')
      process.stderr.write(`${name}: ${event.version}, ${event.adapter}, ${all} tests\n`);
    else if (event.type === 'test' && now - told > (terminal ? 100 : 10_000)) {
      told = now;
      const line = `${name}: ${done}/${all} ${event.name}`;
      process.stderr.write(terminal ? `\r\x1b[K${line.slice(0, process.stderr.columns - 1)}` : `${line}\n`);
    }
  };
}

async function main(): Promise<number> {
  let chosen: Options | undefined;
  try {
    chosen = options();
  } catch (error) {
    console.error(`${errorText(error)}\n\n${USAGE}`);
    return 2;
  }
  if (!chosen) {
    console.log(USAGE);
    return 0;
  }
  const outcomes: Outcome[] = [];
  for (const runtime of chosen.runtimes) {
    if (stopping) return stopping;
    outcomes.push(await watch(runtime, { silence: SILENCE, timeout: chosen.timeout, onEvent: progress(runtime.name) }));
  }
  if (stopping) return stopping;
  console.log(table(outcomes));
  if (chosen.json) await writeFile(chosen.json, `${JSON.stringify(json(outcomes), undefined, 1)}\n`);
  return outcomes.some(isFailure) ? 1 : 0;
}

// Set to the exit code when told to stop: the runtime that runs is ended, browsers included, and no other is begun.
let stopping = 0;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    stopping = code;
    stopAll();
  });
}
process.exitCode = await main();
