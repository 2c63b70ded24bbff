/** Why the frames cannot be merged now, shown beside the merge button. */
import { MIN_FRAMES } from '../../src/image/frame.ts';
import type { Exposed } from './exposures.ts';
import { words } from './words/index.ts';

export type GpuState = 'starting' | 'ready' | 'unavailable' | 'failed' | 'ended';

/** @returns what to do first; empty if there is nothing. */
export function obstacle(rows: readonly (Exposed & { state: string })[], gpu: GpuState): string {
  const ready = rows.filter(({ state }) => state === 'ready');
  if (gpu === 'unavailable') return words.merge.noGpu;
  if (gpu === 'failed' || gpu === 'ended') return words.merge.stopped;
  if (rows.some(({ state }) => state === 'loading')) return words.merge.reading;
  if (ready.length < MIN_FRAMES) return ready.length === 0 ? words.merge.addTwo : words.merge.addOne;
  if (ready.some(({ unread }) => unread !== undefined)) return words.merge.unread;
  if (ready.some(({ ev }) => ev === undefined)) return words.merge.missing;
  if (ready.every(({ ev }) => ev === ready[0].ev)) return words.merge.equal;
  return gpu === 'starting' ? words.merge.starting : '';
}
