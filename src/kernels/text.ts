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

/**
 * The place of `lane` in the j-th part of a row of `length` values, a value a lane. The lanes that the last part has no
 * value for read the row's last.
 */
export function laneOf(length: number, lanes: number, j: number): string {
  const place = `lane + ${j * lanes}u`;
  return (j + 1) * lanes > length ? `min(${place}, ${length - 1}u)` : place;
}
