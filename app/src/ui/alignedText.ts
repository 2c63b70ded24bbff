/** How a frame was aligned, in words. */
import type { AlignedFrame } from '../messages.ts';

const TEXT = {
  failed: 'Could not be aligned',
  still: 'Lay as the reference did',
  moved: (pixels: string): string => `Aligned: moved by up to ${pixels} px`,
  turned: (degrees: string): string => `, turned by ${degrees}°`,
  bent: ', bent against parallax',
};

/** Degrees from which a turn is worth a word. */
const LEAST_TURN = 0.02;

/** Empty for the reference. */
export function alignedText({ kind, failed, moved, turned }: AlignedFrame): string {
  if (kind === 'reference') return '';
  if (failed && kind === 'none') return TEXT.failed;
  if (kind === 'none') return TEXT.still;
  const turn = Math.abs(turned) < LEAST_TURN ? '' : TEXT.turned(turned.toFixed(2).replace('-', '−'));
  return TEXT.moved(moved.toFixed(moved < 10 ? 1 : 0)) + turn + (kind === 'mesh' ? TEXT.bent : '');
}
