/** What the bench says: what it does, and what went wrong. */
import type { Part } from '../../../bench/measure.ts';
import type { Failure } from '../messages.ts';
import { failureWords } from '../words/failures.ts';
import type { Words } from '../words/index.ts';

export const PART_TITLES: Record<Part, string> = {
  correctness: 'Checking results',
  peaks: 'Measuring peaks',
  kernels: 'Timing kernels',
  layers: 'Timing layers in all variants',
  merges: 'Timing merges',
};

/** About how much of the time each part takes. */
export const PART_SHARES: Record<Part, number> = {
  correctness: 0.05,
  peaks: 0.05,
  kernels: 0.15,
  layers: 0.4,
  merges: 0.35,
};

const KEPT = 'What was measured before is below and can be saved.';

/** Why it ended before its time. */
export function benchFailure(failure: Failure): Words {
  switch (failure.kind) {
    case 'no-webgpu':
    case 'no-adapter':
      return failureWords(failure, 'start');
    case 'device-lost':
      return {
        title: 'The graphics card was lost',
        text: `It was reset or disconnected, or the browser stopped it because a measurement took too long. ${KEPT}`,
      };
    case 'memory':
    case 'gpu-memory':
      return {
        title: 'There is too little memory',
        text: `Close other tabs and programs, or measure less. ${KEPT}`,
      };
    case 'input':
      return { title: 'A file of this page is missing', text: `${failure.message}.` };
    default:
      return { title: 'Something went wrong', text: `${failure.message}. ${KEPT}` };
  }
}
