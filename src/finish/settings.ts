/** The settings of a finished picture: what each is, how far it goes, and their checks. */
import { from, readOptions } from '../checks.ts';

/**
 * How a picture is finished. EV count from middle grey, which is 0.18 of white, after exposure. A setting that is not
 * given is 0, and does nothing then; `white` and `black` have defaults of their own.
 */
export interface FinishSettings {
  /** EV that the picture becomes brighter, from -16 to 16. At 0, 1 is the reference frame's white. */
  exposure: number;
  /** Mireds that the light becomes warmer, from -200 (blue) to 200 (orange). */
  temperature: number;
  /** From -100 (green) to 100 (magenta). */
  tint: number;
  /** From -100 to 100: how steep the curve is around middle grey. */
  contrast: number;
  /** From -100 (compressed) to 100: how far bright areas lie apart. Their texture stays. */
  highlights: number;
  /** From -100 to 100 (lifted): how bright dark areas are. Their texture stays. */
  shadows: number;
  /** From -100 to 100: contrast of texture, up to about one EV and a thirtieth of the picture's long side. */
  clarity: number;
  /** From -100 (grey) to 100 (twice as colourful). */
  saturation: number;
  /** EV of what becomes white, from 1.5 to 16, once highlights are compressed; 4.5 by default. */
  white: number;
  /** EV of what becomes black, from -16 to -2, once shadows are lifted; -8 by default. */
  black: number;
}

/** Least and most of each setting, and its default. */
export const FINISH_RANGES: Readonly<
  Record<keyof FinishSettings, readonly [least: number, most: number, byDefault: number]>
> = {
  exposure: [-16, 16, 0],
  temperature: [-200, 200, 0],
  tint: [-100, 100, 0],
  contrast: [-100, 100, 0],
  highlights: [-100, 100, 0],
  shadows: [-100, 100, 0],
  clarity: [-100, 100, 0],
  saturation: [-100, 100, 0],
  white: [1.5, 16, 4.5],
  black: [-16, -2, -8],
};

/**
 * Completes settings.
 * @throws UsageError naming a setting that does not exist or is out of its range.
 */
export function completeSettings(given: Partial<FinishSettings>): FinishSettings {
  const ranges = Object.entries(FINISH_RANGES) as [keyof FinishSettings, readonly [number, number, number]][];
  const of = <T>(value: (name: keyof FinishSettings, range: readonly [number, number, number]) => T) =>
    Object.fromEntries(ranges.map(([name, range]) => [name, value(name, range)])) as Record<keyof FinishSettings, T>;
  const chosen = readOptions<Partial<FinishSettings>>(
    'finish',
    given,
    of((_, [least, most]) => from(least, most)),
  );
  return of((name, [, , byDefault]) => chosen[name] ?? byDefault);
}
