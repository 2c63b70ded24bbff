/** Everything the bench's page and its worker say to each other. */
import type { ExtentName } from '../../../bench/extent.ts';
import type { Part } from '../../../bench/measure.ts';
import type { Report } from '../../../bench/report.ts';
import type { Failure } from '../messages.ts';

/** How much to measure: `auto` is the usual extent, or the trial on a software adapter. */
export type ExtentChoice = ExtentName | 'auto';

export type ToWorker =
  /** @param base the page's address, beside which weights and goldens are. */
  { type: 'start'; extent: ExtentChoice; base: string } | { type: 'cancel' };

export type FromWorker =
  /** What is measured next. `done` of `total` in this part. */
  | { type: 'progress'; part: Part; done: number; total: number; text: string }
  /** All that was found so far. */
  | { type: 'found'; report: Report }
  /** It ended. A failure says why before its time; nothing is said of a cancellation. */
  | { type: 'end'; failure?: Failure; cancelled?: boolean };
