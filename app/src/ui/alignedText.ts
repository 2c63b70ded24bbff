/** How a frame was aligned, in words. */
import type { AlignedFrame } from '../messages.ts';
import { number, words } from '../words/index.ts';

/** Degrees from which a turn is worth a word. */
const LEAST_TURN = 0.02;

/** Empty for the reference. */
export function alignedText({ kind, failed, moved, turned }: AlignedFrame): string {
  if (kind === 'reference') return '';
  if (kind === 'none') return failed ? words.frames.notAligned : words.frames.still;
  const degrees = Math.abs(turned) < LEAST_TURN ? '' : number(turned, 2).replace('-', '−');
  return words.frames.aligned(number(moved, moved < 10 ? 1 : 0), degrees, kind === 'mesh');
}
