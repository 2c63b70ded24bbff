/** A map of moments as a file: an 8-bit grey PNG of frame numbers, counted from 1 in exposure order; 0 for none. */
import { InputError } from '../errors.ts';
import { NO_MOMENT } from '../moment/compose.ts';
import { readPngMap } from './motionMaps.ts';
import { shown } from './problems.ts';

/**
 * Reads a map, for the merge option `moment`.
 * @param count frames of the stack.
 * @throws InputError naming the file: another size, no such frame, colour.
 */
export async function readMomentMap(path: string, count: number, width: number, height: number): Promise<Uint8Array> {
  const name = shown(path);
  const { samples, largest } = await readPngMap(path, width, height, {
    map: 'a map of moments',
    grey: 'grey, and its values are numbers of frames',
  });
  if (largest !== 255)
    throw new InputError(`${name} has 16 bits: a map of moments has 8, whose values are numbers of frames`);
  return Uint8Array.from(samples, (frame, i) => {
    if (frame > count)
      throw new InputError(
        `${name}: row ${Math.floor(i / width)}, column ${i % width} is ${frame}, the stack has ${count} frames: ` +
          `paint 1 to ${count}, darkest first, or 0 where the reference's moment is shown`,
      );
    return frame === 0 ? NO_MOMENT : frame - 1;
  });
}
