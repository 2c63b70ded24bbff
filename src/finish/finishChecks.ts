/** Checks of what callers of `deghost/finish` give, who may have no types. */
import { FUNCTION, OBJECT, SIDE, SIGNAL, arrayOf, expect, from, oneOf, readOptions } from '../checks.ts';
import type { Rules } from '../checks.ts';
import { InputError } from '../errors.ts';
import { COLOR_SPACES } from '../image/colorSpace.ts';
import type { FinishOptions, RadiancePicture } from './pictures.ts';

/** Most EV above white. */
const MOST_HEADROOM = 8;
const COLOR_SPACE = /* @__PURE__ */ oneOf(...COLOR_SPACES);
/** Programs count in f32. */
const SCALE = /* @__PURE__ */ from(1e-38, 1e38);

const OPTIONS: Rules<FinishOptions> = {
  headroom: /* @__PURE__ */ from(0, MOST_HEADROOM),
  cut: OBJECT,
  onProgress: FUNCTION,
  signal: SIGNAL,
};

/**
 * Reads a picture once; its radiance stays where it is.
 * @param what is done with it.
 * @throws UsageError; InputError for radiance that does not fit the size.
 */
export function readRadiance(what: string, picture: RadiancePicture): Required<RadiancePicture> {
  const { width, height } = readSize(what, picture);
  const { scale = 1, colorSpace = 'srgb' } = picture;
  expect(`${what}: scale`, scale, SCALE);
  expect(`${what}: colorSpace`, colorSpace, COLOR_SPACE);
  const radiance = readLight(what, picture.radiance, width, height);
  return { radiance, width, height, scale, colorSpace };
}

/** Reads a picture's size. @throws UsageError */
export function readSize(what: string, picture: { width: number; height: number }): { width: number; height: number } {
  expect(`${what}: picture`, picture, OBJECT);
  const { width, height } = picture;
  for (const side of [width, height]) expect(`${what}: a side`, side, SIDE);
  return { width, height };
}

/** Reads light of a size. @throws InputError */
export function readLight(what: string, given: unknown, width: number, height: number): Float32Array {
  const radiance = arrayOf<Float32Array>(`${what}: radiance`, given, [Float32Array]);
  if (radiance.length !== 3 * width * height)
    throw new InputError(`${what}: ${radiance.length} values for ${width}x${height}: RGB needs ${3 * width * height}`);
  return radiance;
}

/** Reads options once. @throws UsageError */
export function readFinish(call: string, options: FinishOptions): FinishOptions {
  return readOptions(call, options, OPTIONS);
}
