/**
 * Where a command prints, and how it is stopped. The command line passes the process's own streams; tests pass their
 * own.
 */
import { escaped, shown } from '../../shown.ts';
import type { ProgressOutput } from './progress.ts';

export interface CommandIo {
  /** Results: reports, and JSON with `--json`. */
  stdout: { write(text: string): unknown };
  /** Messages and progress. */
  stderr: ProgressOutput;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
}

/**
 * The same with all text escaped that comes from files, line breaks apart. Only what a program writes as `control`
 * reaches the terminal as it is.
 */
export function guarded({ stdout, stderr, signal }: CommandIo): CommandIo {
  return {
    stdout: { write: (text) => stdout.write(escaped(text, '\n')) },
    stderr: {
      get isTTY() {
        return stderr.isTTY;
      },
      get columns() {
        return stderr.columns;
      },
      write: (text) => stderr.write(escaped(text, '\n')),
      control: (text) => stderr.write(text),
    },
    signal,
  };
}

/** Prints one line: no name in it begins another. */
export function say({ stderr }: Pick<CommandIo, 'stderr'>, text: string): void {
  stderr.write(`${shown(text)}\n`);
}

/**
 * `JSON.stringify`, with typed arrays as arrays, and null for values that JSON cannot hold. Text is whole; characters
 * that would act on a terminal are written as `\u001b`, which means the same in JSON.
 */
export function json(value: unknown): string {
  const plain = JSON.stringify(
    value,
    (_key, item) => (ArrayBuffer.isView(item) ? Array.from(item as Float32Array) : item),
    2,
  );
  return `${escaped(plain, '\n')}\n`;
}
