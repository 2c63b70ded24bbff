/**
 * What a runner reports while it works: one JSON object per line on its stdout, or a POST from a browser's page. All of
 * it is plain JSON.
 */

/** One golden, one kernel's case, or one check of what is on the device. */
export interface TestResult {
  name: string;
  group: 'golden' | 'kernel' | 'device';
  /**
   * The worst difference: a share of the case's scale for kernels, absolute for the others, whose values are in [0,1].
   * Null where it did not get that far.
   */
  error: number | null;
  tolerance: number;
  ms: number;
  ok: boolean;
  /** Why it is not ok. */
  message?: string;
}

export type RunnerEvent =
  /** The suite starts, on this runtime (`Deno 2.9.6`) and adapter. */
  | { type: 'begin'; version: string; adapter: string; tests: number }
  /** A test starts: says what the runtime was doing if it crashes. */
  | { type: 'test'; name: string }
  | { type: 'result'; result: TestResult }
  /** All tests have run. */
  | { type: 'end' }
  /** The suite could not run, or not to its end. */
  | { type: 'error'; message: string };

/** Takes an event; where it returns a promise, the suite waits for it. */
export type Report = (event: RunnerEvent) => void | Promise<void>;

/** An error in one line. */
export function errorText(error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).trim().split('\n')[0];
}

/** The event on a line of a runner's stdout; undefined for whatever else is printed there. */
export function parseEvent(line: string): RunnerEvent | undefined {
  if (!line.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(line) as RunnerEvent;
  } catch {
    return undefined;
  }
}
