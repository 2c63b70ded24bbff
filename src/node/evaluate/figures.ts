/**
 * The figures of one stack: every candidate picture against the truth, under every encoding.
 *
 * Truth and candidates are clipped to [0,1], where 1 is the saturation of the shortest frame: nothing brighter was
 * measured.
 */
import { iou, muLaw, overlap, PU21_PEAK, psnr, pu21Encode, ssim } from '../../image/metrics.ts';
import type { Overlap } from '../../image/metrics.ts';
import { toneOperators } from '../../image/toneOperators.ts';

/** Encodings that are applied before pictures are compared; the first five are the paper's. */
export const ENCODINGS = ['linear', 'mu', 'reinhard', 'krawczyk', 'durand', 'pu21'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Encodings for SSIM. PU21 is left out: it has no range of values that SSIM's constants could be fractions of. */
export const SIMILARITY_ENCODINGS = [
  'linear',
  'mu',
  'reinhard',
  'krawczyk',
  'durand',
] as const satisfies readonly Encoding[];
type SimilarityEncoding = (typeof SIMILARITY_ENCODINGS)[number];

/** A picture to judge, with the motion maps it was merged with. */
export interface Candidate {
  name: string;
  /** `[height, width, 3]`, where 1 is the saturation of the shortest frame. */
  radiance: Float32Array;
  /** In exposure order; absent if the row has no motion maps of its own, or used the true ones. */
  motion?: readonly Float32Array[];
}

/** A picture as a display shows it, without radiance. */
export interface DisplayPicture {
  name: string;
  /** `[height, width, 3]`, gamma-encoded in [0,1]. */
  display: Float32Array;
}

/** PSNR in dB and SSIM of some pixels; NaN where there is nothing to measure. */
export interface Quality {
  psnr: Record<Encoding, number>;
  ssim: Record<SimilarityEncoding, number>;
}

/** Quality of the whole picture, and of its parts with and without true motion. */
export interface Figures extends Quality {
  moving: Quality;
  still: Quality;
  /** Motion maps against true ones, over the pixels of all frames but the reference. */
  iou: number;
  overlap: Overlap;
  /** The same without the pixels that are burnt out in both frames, where no motion can be seen. */
  iouSeen: number;
  overlapSeen: Overlap;
}

/** What the candidates of a stack are compared with. */
export interface Truth {
  radiance: Float32Array;
  width: number;
  height: number;
  /** From 0. */
  reference: number;
  motion?: readonly Float32Array[];
  /** For each frame, 1 where the frame and the reference are both burnt out; if absent, no pixel is. */
  burnt?: readonly Uint8Array[];
}

export function clipped(radiance: Float32Array): Float32Array<ArrayBuffer> {
  return radiance.map((y) => Math.min(1, Math.max(0, y)));
}

/**
 * Judges pictures against the truth.
 * @param peak cd/m^2 that 1 is shown as.
 * @returns a function that gives one candidate's figures; for a display picture only those after tone mapping, where it
 * is compared with what the operator makes of the truth. It throws InputError for pictures smaller than SSIM's window.
 */
export function judge(truth: Truth, peak: number): (candidate: Candidate | DisplayPicture) => Figures {
  const { width, height, reference, motion, burnt } = truth;
  const radiance = clipped(truth.radiance);
  const operators = toneOperators(radiance, width, height, peak);
  const encode: Record<Encoding, (picture: Float32Array) => Float32Array> = {
    linear: (picture) => picture,
    mu: muLaw,
    ...operators,
    pu21: (picture) => pu21Encode(picture, peak),
  };
  const expected = new Map(ENCODINGS.map((name) => [name, encode[name](radiance)]));
  const moving = motion && Uint8Array.from(motion[reference], (w) => (w > 0.5 ? 1 : 0));
  const still = moving?.map((w) => 1 - w);

  return (candidate) => {
    const isShown = 'display' in candidate;
    const picture = clipped(isShown ? candidate.display : candidate.radiance);
    const found = isShown ? undefined : candidate.motion;
    const empty = (): Quality => ({ psnr: {}, ssim: {} }) as Quality;
    const figures: Figures = {
      ...empty(),
      moving: empty(),
      still: empty(),
      overlap: NOTHING,
      iou: NaN,
      overlapSeen: NOTHING,
      iouSeen: NaN,
    };
    for (const name of ENCODINGS) {
      if (isShown && !TONE_MAPPED.has(name)) {
        setNothing(figures, name);
        continue;
      }
      const [a, b] = [isShown ? picture : encode[name](picture), expected.get(name)!];
      const range = name === 'pu21' ? PU21_PEAK : 1;
      figures.psnr[name] = psnr(a, b, { peak: range });
      figures.moving.psnr[name] = moving ? psnr(a, b, { peak: range, where: moving }) : NaN;
      figures.still.psnr[name] = still ? psnr(a, b, { peak: range, where: still }) : NaN;
      if (name === 'pu21') continue;
      const similarity = ssim(a, b, width, height, { region: moving });
      figures.ssim[name] = similarity.all;
      figures.moving.ssim[name] = moving ? similarity.inside : NaN;
      figures.still.ssim[name] = moving ? similarity.outside : NaN;
    }
    if (motion && found) {
      for (const [k, map] of motion.entries()) {
        if (k === reference) continue;
        figures.overlap = sum(figures.overlap, overlap(found[k], map));
        figures.overlapSeen = sum(figures.overlapSeen, overlap(found[k], map, burnt?.[k]));
      }
    }
    figures.iou = iou(figures.overlap);
    figures.iouSeen = iou(figures.overlapSeen);
    return figures;
  };
}

/** Encodings that give pictures for a display. */
const TONE_MAPPED: ReadonlySet<Encoding> = new Set(['reinhard', 'krawczyk', 'durand']);

/** No figure for an encoding. */
function setNothing(figures: Figures, name: Encoding): void {
  for (const quality of [figures, figures.moving, figures.still]) {
    quality.psnr[name] = NaN;
    if (name !== 'pu21') quality.ssim[name] = NaN;
  }
}

const NOTHING: Overlap = { both: 0, either: 0 };

function sum(a: Overlap, b: Overlap): Overlap {
  return { both: a.both + b.both, either: a.either + b.either };
}

/** Means over the stacks that have a figure; IoU is over the pixels of all stacks. */
export function meanFigures(all: readonly Figures[]): Figures {
  const mean = (pick: (figures: Figures) => number): number => {
    const values = all.map(pick).filter((value) => !Number.isNaN(value));
    return values.length === 0 ? NaN : values.reduce((a, b) => a + b, 0) / values.length;
  };
  const each = <K extends string>(
    names: readonly K[],
    pick: (figures: Figures) => Record<K, number>,
  ): Record<K, number> =>
    Object.fromEntries(names.map((name) => [name, mean((figures) => pick(figures)[name])])) as Record<K, number>;
  const quality = (pick: (figures: Figures) => Quality): Quality => ({
    psnr: each(ENCODINGS, (figures) => pick(figures).psnr),
    ssim: each(SIMILARITY_ENCODINGS, (figures) => pick(figures).ssim),
  });
  const total = all.map((figures) => figures.overlap).reduce(sum, NOTHING);
  const seen = all.map((figures) => figures.overlapSeen).reduce(sum, NOTHING);
  return {
    ...quality((figures) => figures),
    moving: quality(({ moving }) => moving),
    still: quality(({ still }) => still),
    iou: iou(total),
    overlap: total,
    iouSeen: iou(seen),
    overlapSeen: seen,
  };
}

/** Fewest samples for fitting a scale. */
const MIN_SAMPLES = 100;
/** Samples at least this far from black and white, in the gamma domain, are well exposed. */
const WELL_EXPOSED = [0.15, 0.85] as const;

/**
 * A scale for the truth, and the residual after scaling: the root mean square of the difference, relative to that of
 * the reference.
 */
export interface TruthScale {
  scale: number;
  residual: number;
  samples: number;
}

/**
 * Ground truths are stored in different scales (1 may be the saturation of the shortest frame, or the white of the
 * reference). This finds the one factor that makes the truth the reference's radiance: least squares over the pixels
 * whose three channels are well exposed there. If these are too few, the pixels that are not clipped are used;
 * undefined if even these are too few or the truth is black there.
 * @param encoded X' of the reference. @param lone its radiance.
 */
export function fitScale(truth: Float32Array, encoded: Float32Array, lone: Float32Array): TruthScale | undefined {
  for (const [low, high] of [WELL_EXPOSED, [0.02, 0.98]] as const) {
    let [tt, tl, ll, samples] = [0, 0, 0, 0];
    for (let p = 0; p < truth.length; p += 3) {
      if (
        !(
          Math.min(encoded[p], encoded[p + 1], encoded[p + 2]) > low &&
          Math.max(encoded[p], encoded[p + 1], encoded[p + 2]) < high
        )
      )
        continue;
      samples += 3;
      for (let i = p; i < p + 3; i++) {
        tt += truth[i] * truth[i];
        tl += truth[i] * lone[i];
        ll += lone[i] * lone[i];
      }
    }
    if (samples >= MIN_SAMPLES && tl > 0)
      return { scale: tl / tt, residual: Math.sqrt(Math.max(0, 1 - tl ** 2 / (tt * ll))), samples };
  }
  return undefined;
}
