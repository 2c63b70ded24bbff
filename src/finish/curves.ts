/**
 * Curves, and the numbers that programs take for a picture's settings.
 *
 * Range: `c(v) = v + lift(v) - press(v)`, in EV about middle grey. Lift rises from 0 at middle grey to its most at
 * `LIFT[0]` EV below, and falls again from `LIFT[1]` to `LIFT[2]` EV below, so that shadows do not lift noise into
 * view. Press begins at middle grey and grows with a constant slope from `PRESS` EV on. `c` always rises.
 *
 * Display: `f(u) = scale (X - B) / (X + r)`, where X = 2^(n u). It is a logistic curve of log luminance (as
 * the Naka-Rushton equation of photoreceptors is) that is cut at black and at white: f(black) = 0, f(0) = 0.18,
 * f(white) = 1. A display with headroom shows more than white: then f(white + headroom) = 2^headroom.
 */
import { PRIMARIES, invert3, multiply3, rgbToXyz } from '../image/colorSpace.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { GREY, GRID_LOW, GRID_STEP } from './grid.ts';
import type { GridSize } from './grid.ts';
import type { FinishSettings } from './settings.ts';
import { whiteBalance } from './whiteBalance.ts';

/** EV below middle grey between which shadows are lifted. */
export const LIFT = [4.5, 6.5, 10.5] as const;
/** EV above middle grey from which on highlights are compressed in full. */
export const PRESS = 1.75;
/** EV that shadows at 100 lift at most. */
const MOST_LIFT = 2.4;
/** What highlights at 100 add to the slope above middle grey. */
const MOST_PRESS = 0.78;
/** Share of the press that goes where a display shows `HEADROOM` EV above white: light has room there. */
const LESS_PRESS = 0.3;
const HEADROOM = 3;
/** What clarity at 100 adds to the contrast of texture. */
export const MOST_CLARITY = 0.6;
/** Steepness of the display curve at contrast 0, and its logarithm's change at 100. */
const STEEPNESS = 1.4;
const MOST_CONTRAST = 0.5;
/** White lies at least so far above grey, in units of 1/n EV, that the curve has a shoulder. */
const LEAST_WHITE = 2.7;

/** Oklab's cone responses from XYZ (Ottosson, "A perceptual color space for image processing", 2020). */
const OKLAB_CONES = [
  0.8189330101, 0.3618667424, -0.1288597137, 0.0329845436, 0.9293118715, 0.0361456387, 0.0482003018, 0.2643662691,
  0.633851707,
];

/** vec4s of `finishNumbers`. */
export const FINISH_VECTORS = 13;

const smoothstep = (low: number, high: number, x: number): number => {
  const t = Math.min(1, Math.max(0, (x - low) / (high - low)));
  return t * t * (3 - 2 * t);
};

/** c: EV once highlights are compressed and shadows lifted. */
export function rangeCurve(
  ev: number,
  { shadows, highlights }: Pick<FinishSettings, 'shadows' | 'highlights'>,
): number {
  const lift = smoothstep(0, LIFT[0], -ev) * (1 - smoothstep(LIFT[1], LIFT[2], -ev));
  const above = Math.min(PRESS, Math.max(0, ev));
  const press = above ** 2 / (2 * PRESS) + Math.max(0, ev - PRESS);
  return ev + ((MOST_LIFT * shadows) / 100) * lift + ((MOST_PRESS * highlights) / 100) * press;
}

/** f: what a display shows of EV. */
export function displayed(ev: number, { n, B, r, scale, most }: ReturnType<typeof displayCurve>): number {
  const x = 2 ** (n * ev);
  return Math.min(most, Math.max(0, (scale * (x - B)) / (x + r)));
}

/** The display curve's numbers for settings. @param headroom EV above white that the display shows. */
export function displayCurve(
  { contrast, white, black }: Pick<FinishSettings, 'contrast' | 'white' | 'black'>,
  headroom = 0,
) {
  const n = STEEPNESS * Math.exp((MOST_CONTRAST * contrast) / 100);
  const X = (ev: number): number => 2 ** (n * ev);
  const B = X(black);
  const W = X(Math.max(white, LEAST_WHITE / n) + headroom);
  const most = 2 ** headroom;
  const q = (GREY * (W - B)) / (most * (1 - B));
  const r = (W - q) / (q - 1);
  return { n, B, r, scale: (most * (W + r)) / (W - B), most };
}

/**
 * The numbers of settings for programs: `array<vec4f, FINISH_VECTORS>`, as `FINISH_WGSL` reads it.
 * @param scale from radiance to light where 1 is the reference frame's white.
 * @param headroom EV above white that the display shows.
 */
export function finishNumbers(
  settings: FinishSettings,
  scale: number,
  space: ColorSpace,
  { block, cell, columns, rows }: GridSize,
  headroom = 0,
): number[] {
  const toXyz = rgbToXyz(PRIMARIES[space]);
  const light = whiteBalance(settings.temperature, settings.tint, space).map(
    (value) => value * scale * 2 ** settings.exposure,
  );
  const toCones = multiply3(OKLAB_CONES, toXyz);
  // Grey must stay grey to the last digit, so each row's sum becomes 1.
  const cones = toCones.map((value, i) => {
    const row = 3 * Math.floor(i / 3);
    return value / (toCones[row] + toCones[row + 1] + toCones[row + 2]);
  });
  const back = invert3(cones);
  const rowOf = (m: readonly number[], i: number, w: number): number[] => [m[3 * i], m[3 * i + 1], m[3 * i + 2], w];
  const { n, B, r, scale: top, most } = displayCurve(settings, headroom);
  const { shadows, highlights, clarity, saturation } = settings;
  const press = MOST_PRESS * (1 - LESS_PRESS * Math.min(1, headroom / HEADROOM));
  return [
    // The matrix to light, and luminance's weights.
    ...[0, 1, 2].flatMap((i) => rowOf(light, i, toXyz[3 + i])),
    ...[(MOST_LIFT * shadows) / 100, (-press * highlights) / 100, (MOST_CLARITY * clarity) / 100],
    ...[1 + saturation / 100, n, B, r, top],
    ...[1 / (block * cell), GRID_LOW, 1 / GRID_STEP, most],
    ...[columns, rows, 0, 0],
    ...[0, 1, 2].flatMap((i) => rowOf(cones, i, 0)),
    ...[0, 1, 2].flatMap((i) => rowOf(back, i, 0)),
  ];
}
