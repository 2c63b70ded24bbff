/** How far the channels of a response differ, for reports; the engine itself does not use this. */
import type { ChosenResponse } from './chooseResponse.ts';

/**
 * Deviation of the channels' curves f_c from their common curve, the geometric mean f: |f_c / f - 1| over codes and
 * channels. 0.01 is a difference of 1 % in radiance.
 */
export interface ResponseDeviation {
  median: number;
  largest: number;
}

/** The deviation over the values that the stack covers; over all codes for a response that was not estimated. */
export function responseDeviation({ response: { r, g, b }, report: { range } }: ChosenResponse): ResponseDeviation {
  const last = r.length - 1;
  const [low, high] = range[1] > 0 ? range : [0, 1];
  const found: number[] = [];
  for (let i = Math.max(1, Math.ceil(low * last)); i <= Math.min(last - 1, Math.floor(high * last)); i++) {
    const mean = Math.cbrt(r[i] * g[i] * b[i]);
    // A curve that is 0 here has no ratio to the others; if all are 0, they agree.
    for (const value of [r[i], g[i], b[i]]) found.push(mean > 0 ? Math.abs(value / mean - 1) : Math.min(1, value));
  }
  found.sort((x, y) => x - y);
  return { median: found[found.length >> 1] ?? 0, largest: found.at(-1) ?? 0 };
}

/** The deviation in words. */
export function deviationText({ median, largest }: ResponseDeviation): string {
  return `channels within ${(100 * largest).toFixed(1)} % of one curve (median ${(100 * median).toFixed(1)} %)`;
}
