/**
 * The harm that a merge does to a stack, with or without a ground truth: colour casts and rainbow pixels of each
 * picture; and, for boxes that stand still, what was marked as moving there and how much the network's picture differs
 * from the plain merge's.
 *
 * A pixel is marked as moving if the reference's map, the union of the others, is above 1/2. The mean of the maps is
 * over all frames' maps, including the union.
 */
import { colourCasts, labAt, MIN_MIDTONES, quantile, rainbowShare, toneKey } from '../../image/harm.ts';
import type { ColourCast } from '../../image/harm.ts';
import { maxSample } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import { colourDifference } from '../../image/lab.ts';
import { muLaw, psnr } from '../../image/metrics.ts';
import { clipped } from './figures.ts';
import type { Candidate } from './figures.ts';
import { boxMask } from './still.ts';
import type { Box } from './still.ts';

/**
 * The pictures that are judged: the network's, the plain merge, and the reference frame alone (which shows what the
 * response does to colours).
 */
export const HARM_ROWS = ['network', 'merge', 'reference'] as const;
export type HarmRow = (typeof HARM_ROWS)[number];

export interface PictureHarm {
  name: HarmRow;
  /** Absent if too few pixels are mid-tones. */
  cast: ColourCast | undefined;
  /** Share of rainbow pixels, from 0 to 1. */
  rainbow: number;
}

/** For some pixels, shares from 0 to 1. */
export interface CalledMoving {
  /** Share of pixels whose union is above 1/2. */
  moving: number;
  /** Mean of all maps. */
  maps: number;
}

/** Figures of pixels that stand still. */
export interface StillFigures extends CalledMoving {
  pixels: number;
  /** Mean of the reference frame's samples, from 0 to 1: how dark the frame is there. */
  level: number;
  /** CIEDE2000 between the network's picture and the plain merge: mean and 99th percentile. */
  difference: number;
  p99: number;
  /** PSNR in dB after the mu-law, of the network's picture against the plain merge. */
  psnrMu: number;
}

export interface Harm {
  pictures: PictureHarm[];
  /** For the whole picture, whether or not things move there. */
  whole: CalledMoving;
  /** Absent without boxes. `all` counts each pixel once. */
  still: { all: StillFigures; boxes: (StillFigures & { box: Box })[] } | undefined;
  /** What could not be measured, and why; one sentence each. */
  unmeasured: string[];
}

function calledMoving(maps: readonly Float32Array[], reference: number, where?: Uint8Array): CalledMoving {
  const union = maps[reference];
  let [pixels, moving, sum] = [0, 0, 0];
  for (let p = 0; p < union.length; p++) {
    if (where && where[p] === 0) continue;
    pixels++;
    if (union[p] > 0.5) moving++;
    for (const map of maps) sum += map[p];
  }
  return { moving: moving / pixels, maps: sum / (maps.length * pixels) };
}

/**
 * Measures a stack's harm.
 * @param rows must include those of `HARM_ROWS`; the network's with its maps, if it has any.
 * @param reference its index in exposure order. @param boxes the parts that stand still, if known.
 * @param pause awaited between steps, which take some seconds each for large pictures; may throw to stop.
 */
export async function measureHarm(
  rows: readonly Candidate[],
  frames: readonly Frame[],
  reference: number,
  boxes: readonly Box[] | undefined,
  pause: () => Promise<void>,
): Promise<Harm> {
  const { data, width, height } = frames[reference];
  const row = (name: HarmRow): Candidate => rows.find((candidate) => candidate.name === name)!;
  const [network, plain] = [row('network'), row('merge')];
  const moving = (where?: Uint8Array): CalledMoving =>
    network.motion ? calledMoving(network.motion, reference, where) : { moving: NaN, maps: NaN };
  const key = toneKey(plain.radiance);
  const top = maxSample(data);
  const samples = Float64Array.from(data, (sample) => sample / top);

  const castOf = colourCasts(samples);
  const pictures: PictureHarm[] = [];
  const labs: Float64Array[] = []; // of the network and the plain merge, if they are compared
  for (const name of HARM_ROWS) {
    await pause();
    const { radiance } = row(name);
    const lab = labAt(radiance, key);
    pictures.push({ name, cast: castOf?.(radiance), rainbow: rainbowShare(lab, width, height) });
    if (boxes && name !== 'reference') labs.push(lab);
  }
  const unmeasured: string[] = [];
  if (!castOf)
    unmeasured.push(
      `cast: fewer than ${MIN_MIDTONES} pixels of the reference are mid-tones (all channels from 25 to 230 of 255)`,
    );
  if (!network.motion) unmeasured.push('motion: these weights have no motion maps');
  if (!boxes)
    unmeasured.push(
      'false motion, and the difference from the plain merge: nothing is known to stand still (still.json, --static)',
    );
  const harm: Harm = { pictures, whole: moving(), still: undefined, unmeasured };
  if (!boxes) return harm;

  await pause();
  const differences = colourDifference(labs[0], labs[1]);
  const encoded = [network, plain].map(({ radiance }) => muLaw(clipped(radiance)));
  const figuresOf = async (of: readonly Box[]): Promise<StillFigures> => {
    await pause();
    const where = boxMask(of, width, height);
    const sorted = differences.filter((_, p) => where[p] !== 0).sort();
    let light = 0;
    for (let i = 0; i < samples.length; i++) if (where[Math.floor(i / 3)] !== 0) light += samples[i];
    return {
      pixels: sorted.length,
      level: light / (3 * sorted.length),
      ...moving(where),
      difference: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
      p99: quantile(sorted, 0.99),
      psnrMu: psnr(encoded[0], encoded[1], { where }),
    };
  };
  harm.still = { all: await figuresOf(boxes), boxes: [] };
  for (const box of boxes) harm.still.boxes.push({ box, ...(await figuresOf([box])) });
  return harm;
}

/** Mean and worst value of a figure. */
export interface Spread {
  mean: number;
  worst: number;
}

/** The harm of several stacks. NaN where nothing could be measured. */
export interface HarmSummary {
  stacks: number;
  /** Medians of the casts, and shares of rainbow pixels, over stacks. */
  pictures: { name: HarmRow; cast: Spread; rainbow: Spread }[];
  whole: Record<keyof CalledMoving, Spread>;
  /**
   * Over the boxes of all stacks. The worst PSNR is the lowest; equal pictures, whose PSNR is infinite, are left out.
   */
  still: { stacks: number; boxes: number } & Record<keyof Omit<StillFigures, 'pixels' | 'level'>, Spread>;
}

function spread(values: readonly number[], worst: (...values: number[]) => number = Math.max): Spread {
  const known = values.filter((value) => Number.isFinite(value));
  return known.length === 0
    ? { mean: NaN, worst: NaN }
    : { mean: known.reduce((a, b) => a + b, 0) / known.length, worst: worst(...known) };
}

/** Means over stacks (over boxes for still parts), and the worst of each figure. */
export function summarizeHarm(all: readonly Harm[]): HarmSummary {
  const still = all.flatMap((harm) => harm.still ?? []);
  const boxes = still.flatMap((of) => of.boxes);
  return {
    stacks: all.length,
    pictures: HARM_ROWS.map((name) => {
      const of = all.map(({ pictures }) => pictures.find((picture) => picture.name === name)!);
      return {
        name,
        cast: spread(of.map(({ cast }) => cast?.median ?? NaN)),
        rainbow: spread(of.map(({ rainbow }) => rainbow)),
      };
    }),
    whole: { moving: spread(all.map(({ whole }) => whole.moving)), maps: spread(all.map(({ whole }) => whole.maps)) },
    still: {
      stacks: still.length,
      boxes: boxes.length,
      moving: spread(boxes.map(({ moving }) => moving)),
      maps: spread(boxes.map(({ maps }) => maps)),
      difference: spread(boxes.map(({ difference }) => difference)),
      p99: spread(boxes.map(({ p99 }) => p99)),
      psnrMu: spread(
        boxes.map(({ psnrMu }) => psnrMu),
        Math.min,
      ),
    },
  };
}
