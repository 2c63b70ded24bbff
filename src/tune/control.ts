/** How a tuning is watched and ended. */

/** What the tuner does next. */
export interface TuneProgress {
  /** Number of finished classes, and of all classes. */
  done: number;
  total: number;
  /** The current class and implementation; no implementation while all are timed. */
  name: string;
  implementation?: string;
}

/** What ends a tuning early, and where progress is reported. */
export interface TuneControl {
  /**
   * Milliseconds after which no further implementation is started. The tuner still waits for one that a driver is
   * compiling.
   */
  limitMs?: number;
  /**
   * Least milliseconds for which runs are repeated before their time is taken: 8 by default. More makes times more
   * exact where timestamps are rounded coarsely, and the tuning slower.
   */
  passMs?: number;
  /** Ends the tuning after the current implementation. The result holds what was found so far. */
  signal?: AbortSignal;
  /** Called before each implementation. */
  onProgress?: (progress: TuneProgress) => void;
}
