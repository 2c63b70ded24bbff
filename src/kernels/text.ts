/** Helpers for generated WGSL. */

/** 0 to n - 1. */
export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Lines without the empty ones. */
export function lines(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n');
}

/** A line for each of 0 to n - 1. */
export function each(n: number, line: (i: number) => string): string {
  return lines(range(n).map(line));
}
