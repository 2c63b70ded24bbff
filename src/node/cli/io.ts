/** Where a command prints, and how it is stopped. The command line passes the process' own; tests pass their own. */
import type { ProgressOutput } from './progress.ts';

export interface CommandIo {
  /** Results: reports, and JSON with `--json`. */
  stdout: { write(text: string): unknown };
  /** Messages and progress. */
  stderr: ProgressOutput;
  /** Fires on Ctrl-C. */
  signal: AbortSignal;
}

/** Bytes for people: `31.5 MiB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `JSON.stringify` with typed arrays as arrays and what JSON cannot hold as null. */
export function json(value: unknown): string {
  const plain = JSON.stringify(value, (_key, item) => (ArrayBuffer.isView(item) ? Array.from(item as Float32Array) : item), 2);
  return `${plain}\n`;
}
