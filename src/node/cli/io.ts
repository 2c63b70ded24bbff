/**
 * Where a command prints, and how it is stopped. The command line passes the process's own streams; tests pass their
 * own.
 */
import type { ProgressOutput } from './progress.ts';

export interface CommandIo {
  /** Results: reports, and JSON with `--json`. */
  stdout: { write(text: string): unknown };
  /** Messages and progress. */
  stderr: ProgressOutput;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
}

/** `JSON.stringify`, with typed arrays as arrays, and null for values that JSON cannot hold. */
export function json(value: unknown): string {
  const plain = JSON.stringify(
    value,
    (_key, item) => (ArrayBuffer.isView(item) ? Array.from(item as Float32Array) : item),
    2,
  );
  return `${plain}\n`;
}
