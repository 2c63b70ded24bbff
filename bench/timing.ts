/** Timing: warm up, repeat, report the median and its spread. */

export interface TimingOptions {
  /** How long to go on, at least three runs. */
  seconds: number;
}

/** Milliseconds of each run, after one that is not counted (a driver may compile at the first dispatch). */
export async function time(run: () => Promise<unknown>, { seconds }: TimingOptions): Promise<number[]> {
  await run();
  const samples: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (samples.length < 3 || (performance.now() < end && samples.length < 50)) {
    const begun = performance.now();
    await run();
    samples.push(performance.now() - begun);
  }
  return samples;
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Half the distance between the quartiles, over the median. */
export function spread(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return (at(0.75) - at(0.25)) / 2 / median(samples);
}
