/** Errors of the decoders on every platform for pictures that they do not read. */
import { InputError, reasonOf } from '../errors.ts';
import { MOST_DEFLATED } from './packed.ts';
import { MAX_PIXELS } from './picture.ts';

/** Largest file that is read into memory: a float32 NPY of MAX_PIXELS and its header. */
export const MAX_FILE_BYTES = MAX_PIXELS * 12 + (1 << 16);

/**
 * The error for a file that does not match its header. @param cause what was thrown or found; absent if nothing more is
 * known.
 */
export function damaged(name: string, cause?: unknown): InputError {
  return new InputError(
    `${name} cannot be decoded, it is damaged or cut off${cause === undefined ? '' : `: ${reasonOf(cause)}`}`,
    { cause },
  );
}

/** The error for a picture in another colour space. @param space for example CMYK. */
export function notRgb(name: string, space: string): InputError {
  return new InputError(`${name} is a ${space} picture, which is not read: convert it to RGB`);
}

/** The error for a picture with other samples. @param samples for example 32-bit float. */
export function notIntegers(name: string, samples: string): InputError {
  return new InputError(
    `${name} has ${samples} samples, only integers of 8 and 16 bit and floats of 16 and 32 bit are read: convert it ` +
      'to 16 bit',
  );
}

/** Most bytes of a colour profile: those of printers, with large tables, have one to three. */
export const MAX_PROFILE_BYTES = 4_000_000;

/**
 * Checks that a file can hold what its header claims.
 * @param pixelBits the fewest bits of a pixel.
 * @throws InputError if the file is cut off or its header is wrong.
 */
export function checkDeflated(name: string, width: number, height: number, pixelBits: number, fileBytes: number): void {
  if ((width * height * pixelBits) / 8 / MOST_DEFLATED > fileBytes)
    throw new InputError(
      `${name} is cut off: the header says ${width}x${height}, which ${fileBytes} bytes cannot hold`,
    );
}

/** The error for a colour profile with lookup tables, where only matrices and curves are read. */
export function profileNotRead(name: string): InputError {
  return new InputError(`${name} has a colour profile that is not read here: convert it to sRGB, and save it again`);
}
