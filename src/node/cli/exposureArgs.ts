/**
 * Exposures given on the command line, in command-line order: `--ev=-2,0,2` and `--times 1/320,1/80,0.05`.
 */
import { UsageError } from '../../errors.ts';

/** Larger values make no sense as the exposure of a photograph. */
const MAX_EV = 64;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

function tokens(option: string, text: string, count: number): string[] {
  const list = text.split(',').map((token) => token.trim());
  if (list.length !== count)
    throw new UsageError(
      `${option} gives ${list.length} value${list.length === 1 ? '' : 's'} for ${count} ` +
        `frame${count === 1 ? '' : 's'}: give one per frame, in the same order, separated by commas`,
    );
  return list;
}

/**
 * `--ev`: exposure values, +1 being twice the exposure. Returns relative exposures 2^ev.
 * @throws UsageError naming the token.
 */
export function parseEv(text: string, count: number): number[] {
  return tokens('--ev', text, count).map((token) => {
    const ev = NUMBER.test(token) ? Number(token) : NaN;
    if (!Number.isFinite(ev)) throw new UsageError(`--ev: "${token}" is not a number: write it like --ev=-2,0,2`);
    if (Math.abs(ev) > MAX_EV)
      throw new UsageError(`--ev: ${token} is out of range, -${MAX_EV} to ${MAX_EV} are accepted`);
    return 2 ** ev;
  });
}

/**
 * `--times`: exposure times in seconds, decimal or as a fraction.
 * @throws UsageError naming the token.
 */
export function parseTimes(text: string, count: number): number[] {
  return tokens('--times', text, count).map((token) => {
    const parts = token.split('/');
    const isNumber = parts.length <= 2 && parts.every((part) => NUMBER.test(part.trim()));
    if (!isNumber) throw new UsageError(`--times: "${token}" is not a time: write seconds like 1/320,1/80,0.05`);
    const values = parts.map(Number);
    const time = values.length === 2 ? values[0] / values[1] : values[0];
    if (!(time > 0) || !Number.isFinite(time))
      throw new UsageError(`--times: "${token}" is not a positive time: write seconds like 1/320,1/80,0.05`);
    return time;
  });
}
