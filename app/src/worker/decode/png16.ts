/** 16-bit PNG, which the browser decodes to 8 bits only. */
import { InputError } from '../../../../src/errors.ts';
import { toRgb } from '../../../../src/image/picture.ts';
import { damaged } from '../../../../src/image/refusals.ts';
import { orient } from './orient.ts';
import { exifr, fastPng } from './packages.ts';
import { toSrgb } from './profile.ts';

export interface Decoded {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
}

/** A 16-bit PNG. @throws InputError naming the file. */
export async function decodePng16(bytes: Uint8Array, name: string, icc: Uint8Array | undefined): Promise<Decoded> {
  const { decode } = await fastPng();
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes);
  } catch (error) {
    throw damaged(name, error);
  }
  if (image.transparency)
    throw new InputError(`${name} is transparent (one colour of it is): flatten it and save it without alpha`);
  const data = toRgb(image.data as Uint16Array, image.width, image.channels, name);
  const upright = orient(
    data,
    image.width,
    image.height,
    (await (await exifr()).orientation(bytes).catch(() => undefined)) ?? 1,
  );
  return { ...upright, data: image.channels >= 3 ? toSrgb(upright.data, icc, name) : upright.data };
}
