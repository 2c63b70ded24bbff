/**
 * The response of a stack that was read from files: what the person chose, or what the files say. A file that says that
 * its samples are linear light (by its profile, or by its kind) is believed, whatever was chosen.
 */
import { InputError } from '../errors.ts';
import { defaultResponse } from './chooseResponse.ts';
import type { ResponseOption } from './chooseResponse.ts';
import type { DecodedImage } from './picture.ts';

/** A response to merge with. */
export interface StackResponse<R extends ResponseOption> {
  response: R | 'auto' | 'gamma' | 'linear';
  /** What to tell the person, if the files say otherwise than the choice. */
  note?: string;
}

/**
 * Decides the response from the pictures.
 * @param images the decoded pictures, with their names.
 * @param option what was chosen; undefined for the default.
 * @throws InputError naming two frames, if some are linear and others are not.
 */
export function stackResponse<R extends ResponseOption>(
  images: readonly (Pick<DecodedImage, 'data' | 'format' | 'linear'> & { name: string })[],
  option?: R,
): StackResponse<R> {
  const linear = images.find((image) => image.linear);
  if (!linear) return { response: option ?? defaultResponse(images) };
  // NPY says nothing: the choice tells what it holds.
  const other = images.find((image) => !image.linear && !(image.format === 'npy' && option === 'linear'));
  if (other)
    throw new InputError(
      `${linear.name} is linear light and ${other.name} is gamma-encoded: export all frames in the same way`,
    );
  if (option === undefined || option === 'linear') return { response: 'linear' };
  const chosen = typeof option === 'string' ? option : 'a given curve';
  return {
    response: 'linear',
    note: `the files say that they are linear light (${linear.name}): the response is linear, not ${chosen}`,
  };
}
