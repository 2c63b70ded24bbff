/**
 * Looks: named settings, and what they make of a picture.
 *
 * A look begins with what suits the picture, and adds its own: highlights are compressed and shadows lifted as far as
 * the picture's range needs, the brightest and darkest parts become white and black, and the exposure makes the picture
 * as bright on average as photographs are, a little more if most of it is bright (snow), a little less if most is dark
 * (night).
 */
import { textOf } from '../checks.ts';
import { UsageError } from '../errors.ts';
import { encodeSrgb } from '../image/srgb.ts';
import { displayCurve, displayed, rangeCurve } from './curves.ts';
import { GREY } from './grid.ts';
import { FINISH_RANGES, completeSettings } from './settings.ts';
import type { FinishSettings } from './settings.ts';

/** All looks, the default first. */
export const LOOK_NAMES = ['natural', 'vivid', 'soft', 'monochrome'] as const;
/** A look's name. */
export type LookName = (typeof LOOK_NAMES)[number];

/** Whether a name is a look's. */
export function isLook(name: string): name is LookName {
  return (LOOK_NAMES as readonly string[]).includes(name);
}

/** What looks add to what suits the picture. */
const LOOKS: Readonly<Record<LookName, Partial<FinishSettings>>> = {
  natural: { highlights: -35, shadows: 35, contrast: 12, clarity: 15, saturation: 15 },
  vivid: { contrast: 25, clarity: 35, saturation: 35 },
  soft: { contrast: -30, saturation: 5 },
  monochrome: { contrast: 20, clarity: 25, saturation: -100 },
};

/** Quantiles that statistics hold. */
const QUANTILES = 256;
/** Shares of the picture that lie beyond its range: noise and lamps. */
const [BELOW, ABOVE] = [0.005, 0.997];
/** Mean of codes that exposure aims at; how much less it is if most is dark, and more if most is bright. */
const [BRIGHTNESS, LESS, MORE] = [0.475, 0.06, 0.06];
/** Means of codes that shadows bring the darkest quarter up to, and highlights the brightest down to. */
const [DARK, BRIGHT] = [0.225, 0.775];
/** What the brightest quarter's excess over that, which highlights could not take away, counts as brightness. */
const EXCESS = 0.4;
/** What an EV that the brightest part lacks to white counts as brightness. */
const LACK = 0.15;
/** How much brighter the brightest quarter may be if most is bright. */
const MORE_BRIGHT = 0.12;
/** Most that looks compress and lift for that, and their steps. */
const MOST = [95, 90] as const;
const STEP = 4;
/** EV above which highlights are compressed: a picture whose brightest part lies below needs no more of it. */
const FITS = 1.65;
/** EV that white and black may become. */
const WHITES = [1.9, 5.5] as const;
const BLACKS = [-9, -3.1] as const;

/** What is known of a picture's light. */
export interface LightStatistics {
  /** EV about middle grey of equal shares of the picture, rising; where 1 is the reference frame's white. */
  quantiles: Float64Array;
}

/** Statistics of luminances, where 1 is the reference frame's white. Undefined if none is positive. */
export function lightStatistics(luminances: Iterable<number>): LightStatistics | undefined {
  const all: number[] = [];
  for (const l of luminances) if (l > 0) all.push(Math.log2(l / GREY));
  if (all.length === 0) return undefined;
  const sorted = Float64Array.from(all).sort();
  const quantiles = Float64Array.from(
    { length: QUANTILES },
    (_, i) => sorted[Math.floor(((i + 0.5) / QUANTILES) * sorted.length)],
  );
  return { quantiles };
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Settings that suit a picture at an exposure, and how bright it is then. */
function settingsAt(exposure: number, quantiles: Float64Array, added: Partial<FinishSettings>, bright: number) {
  const at = (share: number): number => quantiles[Math.round(share * (QUANTILES - 1))] + exposure;
  const settings = completeSettings({ ...added, exposure: clamp(exposure, ...bounds('exposure')) });
  const codes = (): Float64Array => {
    settings.white = clamp(rangeCurve(at(ABOVE), settings), ...WHITES);
    settings.black = clamp(rangeCurve(at(BELOW), settings), ...BLACKS);
    const curve = displayCurve(settings);
    return quantiles.map((ev) => encodeSrgb(displayed(rangeCurve(ev + exposure, settings), curve)));
  };
  const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
  let shown = codes();
  const isBeyond = (): boolean => rangeCurve(at(ABOVE), settings) > FITS;
  while (settings.highlights > -MOST[0] && isBeyond() && mean(shown.subarray(-QUANTILES / 4)) > bright) {
    settings.highlights = Math.max(-MOST[0], settings.highlights - STEP);
    shown = codes();
  }
  while (settings.shadows < MOST[1] && mean(shown.subarray(0, QUANTILES / 4)) < DARK) {
    settings.shadows = Math.min(MOST[1], settings.shadows + STEP);
    shown = codes();
  }
  const excess = Math.max(0, mean(shown.subarray(-QUANTILES / 4)) - bright);
  const lack = Math.max(0, WHITES[0] - rangeCurve(at(ABOVE), settings));
  return { settings, brightness: mean(shown) + EXCESS * excess - LACK * lack };
}

function bounds(name: keyof FinishSettings): [least: number, most: number] {
  const [least, most] = FINISH_RANGES[name];
  return [least, most];
}

/** A look's settings for a picture. @throws UsageError for an unknown name. */
export function lookSettings(name: LookName, statistics: LightStatistics | undefined): FinishSettings {
  if (!isLook(name)) throw new UsageError(`finish: there is no look ${textOf(name)}, use ${LOOK_NAMES.join(', ')}`);
  const added = LOOKS[name];
  if (!statistics) return completeSettings(added);
  const { quantiles } = statistics;
  const inner = quantiles.subarray(Math.ceil(0.01 * QUANTILES), Math.floor(0.99 * QUANTILES));
  const [low, high] = [inner[0], inner[inner.length - 1]];
  const mean = inner.reduce((a, b) => a + b, 0) / inner.length;
  const position = high - low > 0.1 ? (2 * mean - low - high) / (high - low) : 0;
  // -1 if most is dark, 1 if most is bright.
  const weight = clamp(2 * position, -1, 1);
  const aim = BRIGHTNESS + (weight < 0 ? LESS : MORE) * weight;
  const bright = BRIGHT + MORE_BRIGHT * Math.max(0, weight);
  // Brighter with more exposure: bisected.
  let [least, most] = bounds('exposure');
  for (let i = 0; i < 24; i++) {
    const middle = (least + most) / 2;
    if (settingsAt(middle, quantiles, added, bright).brightness < aim) least = middle;
    else most = middle;
  }
  return settingsAt((least + most) / 2, quantiles, added, bright).settings;
}
