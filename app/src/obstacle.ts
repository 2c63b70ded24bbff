/** Why the frames cannot be merged now, shown beside the merge button. */
import { MIN_FRAMES } from '../../src/image/frame.ts';
import type { Exposed } from './exposures.ts';

export type GpuState = 'starting' | 'ready' | 'unavailable';

/** @returns what to do first; empty if there is nothing. */
export function obstacle(rows: readonly (Exposed & { state: string })[], gpu: GpuState): string {
  const ready = rows.filter(({ state }) => state === 'ready');
  if (gpu === 'unavailable') return 'Merging needs WebGPU, see above.';
  if (rows.some(({ state }) => state === 'loading')) return 'Reading the photos…';
  if (ready.length < MIN_FRAMES)
    return ready.length === 0 ? 'Add at least two exposures.' : 'Add at least one more exposure.';
  if (ready.some(({ unread }) => unread !== undefined)) return 'Correct the exposure that cannot be read.';
  if (ready.some(({ ev }) => ev === undefined)) return 'Fill in the exposures that are missing.';
  if (ready.every(({ ev }) => ev === ready[0].ev)) return 'All frames have the same exposure: fill in the true ones.';
  return gpu === 'starting' ? 'Starting…' : '';
}
