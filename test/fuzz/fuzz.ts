/** Runs readers on mutated files, each in processes of its own, and lists what no reader may do. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Word } from './child.ts';

export interface Finding {
  reader: string;
  /** Or the name of a file of the corpus. */
  seed: number | string;
  what: 'untyped' | 'slow' | 'memory' | 'message' | 'hang' | 'crash';
  text: string;
}

export interface Outcome {
  read: number;
  refused: number;
  findings: Finding[];
}

/** Silence after which a child counts as hung: its start, with all packages, takes longer than a file. */
const SILENT_MS = 15_000;
const START_MS = 180_000;

const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** Runs one child over some seeds. @returns the seed after the last that it tried. */
function runChild(reader: string, from: number, to: number, isFirst: boolean, outcome: Outcome): Promise<number> {
  return new Promise((resolve) => {
    const running = fork(child, [reader, String(from), String(to), String(isFirst)], {
      execArgv: ['--import', 'tsx', '--max-old-space-size=1024'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let last: number | string = from - 1;
    let [isDone, printed] = [false, ''];
    let timer: ReturnType<typeof setTimeout>;
    const watch = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        outcome.findings.push({ reader, seed: last, what: 'hang', text: `silent for ${ms} ms` });
        running.kill('SIGKILL');
      }, ms);
    };
    watch(START_MS);
    running.stderr!.on('data', (text: Buffer) => (printed = (printed + text).slice(-800)));
    running.on('message', (word: Word) => {
      if (word.kind === 'seed') last = word.seed;
      else if (word.kind === 'finding') outcome.findings.push({ reader, ...word });
      else {
        isDone = true;
        outcome.read += word.read;
        outcome.refused += word.refused;
      }
      watch(SILENT_MS);
    });
    running.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (!isDone && signal !== 'SIGKILL')
        outcome.findings.push({ reader, seed: last, what: 'crash', text: `${code ?? signal}: ${printed}` });
      // A file of the corpus that ends the child is not read again.
      resolve(isDone ? to : typeof last === 'string' ? from : Math.max(last, from) + 1);
    });
  });
}

/** Runs a reader on the mutations of some seeds. */
export async function fuzz(
  reader: string,
  { from, count, isOver = () => false }: { from: number; count: number; isOver?: () => boolean },
): Promise<Outcome> {
  const outcome: Outcome = { read: 0, refused: 0, findings: [] };
  let isFirst = true;
  for (let next = from; next < from + count && !isOver(); isFirst = false)
    next = await runChild(reader, next, Math.min(from + count, next + 2000), isFirst, outcome);
  return outcome;
}
