/** Long loops over a picture, split so that other work (progress, cancelling, other files) can run in between. */
import { throwIfCancelled } from '../errors.ts';

/** Longest time that a loop runs without a break, in milliseconds. */
const STRETCH_MS = 20;
/** Items between two checks of the clock. */
const BAND = 1 << 16;

/**
 * Calls `work` for consecutive ranges of 0 to `count`.
 * @param multiple ranges start at multiples of this.
 * @throws CancelledError; whatever `work` throws.
 */
export async function inBands(
  count: number,
  work: (from: number, to: number) => void,
  { multiple = 1, signal }: { multiple?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const band = Math.max(1, Math.floor(BAND / multiple)) * multiple;
  let since = performance.now();
  for (let from = 0; from < count; from += band) {
    throwIfCancelled(signal);
    work(from, Math.min(count, from + band));
    if (performance.now() - since < STRETCH_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    since = performance.now();
  }
}
