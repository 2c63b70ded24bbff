/**
 * How far the channels of a response differ, for whoever wants to be told: the engine needs it nowhere.
 */
import type { ChosenResponse } from './chooseResponse.ts';

/**
 * How far the channels' curves f_c lie from the one they share, their geometric mean f: |f_c / f - 1| over codes and
 * channels. 0.01 is a difference of 1 % in radiance.
 */
export interface ResponseDeviation {
  median: number;
  largest: number;
}

/**
 * The deviation over the values that the stack says something about; of a response that was not estimated, over all
 * codes.
 */
export function responseDeviation({ response: { r, g, b }, report: { range } }: ChosenResponse): ResponseDeviation {
  const last = r.length - 1;
  const [low, high] = range[1] > 0 ? range : [0, 1];
  const found: number[] = [];
  for (let i = Math.max(1, Math.ceil(low * last)); i <= Math.min(last - 1, Math.floor(high * last)); i++) {
    const mean = Math.cbrt(r[i] * g[i] * b[i]);
    // A curve that is 0 here has no ratio to the others; where all are, they agree.
    for (const value of [r[i], g[i], b[i]]) found.push(mean > 0 ? Math.abs(value / mean - 1) : Math.min(1, value));
  }
  found.sort((x, y) => x - y);
  return { median: found[found.length >> 1] ?? 0, largest: found.at(-1) ?? 0 };
}

/** In words. */
export function deviationText({ median, largest }: ResponseDeviation): string {
  return `channels within ${(100 * largest).toFixed(1)} % of one curve (median ${(100 * median).toFixed(1)} %)`;
}
