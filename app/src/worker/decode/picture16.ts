/** What the browser does not decode, or only to 8 bits: 16-bit PNG and TIFF. */
import { InputError } from '../../../../src/errors.ts';
import { checkSize, toRgb } from '../../../../src/image/picture.ts';
import { orient } from './orient.ts';
import { exifr, fastPng, tiff } from './packages.ts';
import { toSrgb } from './profile.ts';

export interface Decoded {
  data: Uint8Array | Uint16Array;
  width: number;
  height: number;
}

function damaged(name: string, cause: unknown): InputError {
  return new InputError(`${name} cannot be decoded, it is damaged or cut off: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** A 16-bit PNG. @throws InputError naming the file. */
export async function decodePng16(bytes: Uint8Array, name: string, icc: Uint8Array | undefined): Promise<Decoded> {
  const { decode } = await fastPng();
  let image;
  try {
    image = decode(bytes);
  } catch (error) {
    throw damaged(name, error);
  }
  if (image.transparency) throw new InputError(`${name} is transparent (one colour of it is): flatten it and save it without alpha`);
  const data = toRgb(image.data as Uint16Array, image.width, image.channels, name);
  const upright = orient(data, image.width, image.height, (await (await exifr()).orientation(bytes).catch(() => undefined)) ?? 1);
  return { ...upright, data: image.channels >= 3 ? toSrgb(upright.data, icc, name) : upright.data };
}

const TAG_ORIENTATION = 274;
const TAG_ICC = 34675;
/** PhotometricInterpretation (TIFF 6.0, section 3, and supplements). */
const PHOTOMETRIC: Record<number, string> = { 3: 'palette', 4: 'mask', 5: 'CMYK', 6: 'YCbCr', 8: 'CIE Lab', 9: 'CIE Lab', 10: 'CIE Lab' };

/** The first page of a TIFF, 8 or 16 bit. @throws InputError naming the file. */
export async function decodeTiff(bytes: Uint8Array, name: string): Promise<Decoded & { bits: 8 | 16 }> {
  const { decode } = await tiff();
  let page;
  try {
    [page] = decode(bytes, { ignoreImageData: true, pages: [0] });
  } catch (error) {
    throw damaged(name, error);
  }
  const { width, height, samplesPerPixel, type } = page;
  checkSize(width, height, name);
  const bits = [page.bitsPerSample].flat()[0];
  if (PHOTOMETRIC[type]) throw new InputError(`${name} is a ${PHOTOMETRIC[type]} picture, which is not read: convert it to RGB`);
  if ((bits !== 8 && bits !== 16) || page.sampleFormat === 3) throw new InputError(`${name} has ${bits}-bit ${page.sampleFormat === 3 ? 'float ' : ''}samples, only 8-bit and 16-bit integers are read: convert it to 16 bit`);
  if (samplesPerPixel > 1 && page.planarConfiguration === 2) throw new InputError(`${name} stores its colours apart (planar), which is not read here: save it interleaved, as most programs do`);
  const orientation = Number(page.get(TAG_ORIENTATION) ?? 1);
  const icc = page.get(TAG_ICC) as ArrayLike<number> | undefined;
  try {
    // The decoder refuses other orientations instead of turning the picture: it is told there is none.
    [page] = decode(orientation === 1 ? bytes : withoutOrientation(bytes), { pages: [0] });
  } catch (error) {
    const reason = String((error as Error).message);
    if (/^Unsupported Compression/i.test(reason)) throw new InputError(`${name} is a TIFF with a compression that is not read (${reason.split(': ')[1]}): save it uncompressed or with LZW or ZIP`, { cause: error });
    throw damaged(name, error);
  }
  const samples = page.data as Uint8Array | Uint16Array;
  if (samples.length !== width * height * samplesPerPixel) throw damaged(name, `${samples.length} samples, ${width}x${height} with ${samplesPerPixel} channels needs ${width * height * samplesPerPixel}`);
  const upright = orient(toRgb(samples, width, samplesPerPixel, name), width, height, orientation);
  const data = samplesPerPixel >= 3 && icc ? toSrgb(upright.data, Uint8Array.from(icc), name) : upright.data;
  return { ...upright, data, bits };
}

/** A copy of a TIFF whose first directory says orientation 1. */
function withoutOrientation(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const little = copy[0] === 0x49;
  const at = view.getUint32(4, little);
  for (let i = 0; i < view.getUint16(at, little); i++) {
    const entry = at + 2 + 12 * i;
    if (view.getUint16(entry, little) === TAG_ORIENTATION) view.setUint16(entry + 8, 1, little);
  }
  return copy;
}
