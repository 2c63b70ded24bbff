/**
 * What is known of the frames' exposures: EXIF, what the person typed, an estimate (exposureEstimate.ts) where neither
 * says anything, and a proposal in its place.
 *
 * Exposures are kept as log2, so that differences are stops; their zero is arbitrary.
 */
import { messageWith } from '../../src/errors.ts';
import { exposureBiases, exposures } from '../../src/image/exif.ts';
import type { ExposureInfo } from '../../src/image/exif.ts';
import { number, words } from './words/index.ts';

/** A frame as far as its exposure goes. */
export interface Exposed {
  id: number;
  name: string;
  exif: ExposureInfo;
  /** Mean of the samples, 0 to 1. */
  brightness: number;
  /** log2 of the exposure; undefined while nobody knows it. */
  ev: number | undefined;
  /** Whether the person typed it: EXIF does not overwrite it. */
  typed: boolean;
  /** Whether it was estimated from the pixels. */
  estimated: boolean;
  /** What the person typed in place of an exposure, where it is none. */
  unread?: string;
}

/** Stops between neighbours in a proposal: what most cameras bracket by default. */
const PROPOSED_STEP = 2;

/**
 * Fills in what EXIF says, for frames that have EXIF and whose exposure nobody typed. f-number and ISO count as in the
 * command line (src/image/exif.ts).
 * @returns why EXIF cannot be used, if it is contradictory.
 */
export function applyExif(frames: readonly Exposed[]): string | undefined {
  const timed = frames.filter(({ exif }) => exif.time !== undefined && exif.time > 0);
  const known = timed.length === 0 && exposureBiases(frames) ? frames : timed;
  const free = frames.filter(({ typed }) => !typed);
  if (known.length === 0) return undefined;
  let values: number[];
  try {
    values = exposures(known).map(Math.log2);
  } catch (error) {
    free.forEach((frame) => (frame.ev = undefined));
    return messageWith(words.remedies, error);
  }
  // One more frame can change which fields count, and so everyone's zero. Typed values move with that zero.
  const anchor = known.findIndex(({ typed, ev }) => !typed && ev !== undefined);
  const shift = anchor < 0 ? 0 : values[anchor] - (known[anchor].ev as number);
  frames.forEach((frame) => frame.typed && frame.ev !== undefined && (frame.ev += shift));
  known.forEach((frame, i) => frame.typed || (frame.ev = values[i]));
  return undefined;
}

/** Fills in all frames, two stops apart in the order of their brightness. */
export function propose(frames: readonly Exposed[]): void {
  [...frames]
    .sort((a, b) => a.brightness - b.brightness || a.id - b.id)
    .forEach((frame, i) => {
      Object.assign(frame, { ev: PROPOSED_STEP * i, typed: true, estimated: false });
    });
}

/** In exposure order as the merge sorts them; frames that are not known yet last, by brightness. */
export function inOrder<F extends Exposed>(frames: readonly F[]): F[] {
  return [...frames].sort(
    (a, b) => (a.ev ?? Infinity) - (b.ev ?? Infinity) || a.brightness - b.brightness || a.id - b.id,
  );
}

/** Most stops between two frames, as on the command line. */
export const MAX_EV = 64;

/** A difference of exposures as people write it, with a comma or a point, a minus or a hyphen. NaN if it is none. */
export function parseEv(text: string): number {
  const plain = text.trim().replace(/^[−–]/, '-').replace(',', '.');
  const value = /^[+-]?(\d+\.?\d*|\.\d+)( ?EV)?$/i.test(plain) ? Number.parseFloat(plain) : NaN;
  return Math.abs(value) <= MAX_EV ? value : NaN;
}

/** A difference of exposures to read: +2, −0.33, 0. */
export function evText(ev: number): string {
  return formatEv(ev).replace('-', '−');
}

/** A difference of exposures as people type it: +2, -0.33 or -0,33, 0. */
export function formatEv(ev: number): string {
  const rounded = Math.round(ev * 100) / 100 || 0; // no minus before 0
  return `${rounded > 0 ? '+' : ''}${number(rounded, 2, 0)}`;
}
