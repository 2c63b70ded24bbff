/**
 * What a JPEG's, PNG's or WebP's header says, read before anything is decoded: size, samples, colour, ICC profile,
 * and whether
 * the file is whole.
 *
 * Browsers decode a cut-off file into a half-grey picture, and a file with a wrong header into anything. A merge must
 * detect both.
 */
import { InputError } from '../../../../src/errors.ts';
import { TooMuchError, inflate } from '../../../../src/image/inflate.ts';
import { checkSize } from '../../../../src/image/picture.ts';
import { MAX_PROFILE_BYTES, checkDeflated, damaged } from '../../../../src/image/refusals.ts';

export interface Header {
  width: number;
  height: number;
  bits: 8 | 16;
  /** The ICC profile's bytes. */
  icc?: Uint8Array;
  isGrey?: boolean;
  isCmyk?: boolean;
}

/** Most scans of a JPEG, as in libvips: progressive ones have about ten. Each goes over the whole picture. */
const MOST_SCANS = 100;
/** More deflated bytes than a PNG's samples take stored, in many small blocks: each may become a thousand. */
const STORED = 2;
const STORED_SLACK = 65536;

/**
 * A JPEG's header.
 * @throws InputError for 12 bits, sizes that are too large, too many scans, and files without an end.
 */
export function jpegHeader(bytes: Uint8Array, name: string): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const profile: Uint8Array[] = [];
  let frame: { width: number; height: number; isGrey: boolean; isCmyk: boolean } | undefined;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) throw damaged(name);
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    const length = view.getUint16(at + 2);
    const body = bytes.subarray(at + 4, at + 2 + length);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame && body.length >= 6) {
      const [precision, , , , , components] = body;
      frame = {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        isGrey: components === 1,
        isCmyk: components === 4,
      };
      if (precision !== 8)
        throw new InputError(
          `${name} has ${precision}-bit samples in a JPEG, only 8-bit ones are read: convert it to 16-bit PNG or TIFF`,
        );
      if (![1, 3, 4].includes(components))
        throw new InputError(`${name} has ${components} channels, only RGB, CMYK and greyscale are read`);
    }
    if (marker === 0xe2 && String.fromCharCode(...body.subarray(0, 11)) === 'ICC_PROFILE')
      profile[body[12] - 1] = body.subarray(14);
    at += 2 + length;
    if (marker === 0xda) break; // start of scan: what follows is the picture
  }
  if (!frame || at >= bytes.length) throw damaged(name);
  checkSize(frame.width, frame.height, name);
  checkDeflated(name, frame.width, frame.height, 8, bytes.length);
  // Within the coded picture 0xff is always followed by 0 or a marker, so that this can only be its end.
  if (!hasEnd(bytes, at))
    throw new InputError(`${name} cannot be decoded, it is cut off: the end of the picture is missing`);
  if (scansFrom(bytes, at) > MOST_SCANS)
    throw new InputError(`${name} has more than ${MOST_SCANS} scans, which are not read: save it again`);
  const parts = profile.filter(Boolean);
  return { ...frame, bits: 8, ...(parts.length > 0 && { icc: join(parts) }) };
}

function hasEnd(bytes: Uint8Array, from: number): boolean {
  for (let i = bytes.length - 2; i >= from; i--) if (bytes[i] === 0xff && bytes[i + 1] === 0xd9) return true;
  return false;
}

/** How many scans a JPEG has, up to one more than are read. @param at the first one's coded picture. */
function scansFrom(bytes: Uint8Array, at: number): number {
  let scans = 1;
  while (scans <= MOST_SCANS) {
    const found = bytes.indexOf(0xff, at);
    const marker = bytes[found + 1];
    if (found < 0 || marker === undefined || marker === 0xd9) break;
    if (marker === 0xff) at = found + 1;
    // A coded byte, or a restart.
    else if (marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) at = found + 2;
    else {
      if (marker === 0xda) scans++;
      at = found + 2 + ((bytes[found + 2] << 8) | bytes[found + 3]);
    }
  }
  return scans;
}

/** A PNG's header. @throws InputError for sizes that are too large, or that are not those of what the file holds. */
export async function pngHeader(bytes: Uint8Array, name: string): Promise<Header> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw damaged(name); // IHDR
  const [width, height, depth, colour] = [view.getUint32(16), view.getUint32(20), bytes[24], bytes[25]];
  checkSize(width, height, name);
  const channels = { 2: 3, 4: 2, 6: 4 }[colour] ?? 1;
  checkDeflated(name, width, height, channels * depth, bytes.length);
  let icc: Uint8Array | undefined;
  let ended = false;
  let deflated = 0;
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = view.getUint32(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + view.getUint32(at));
    if (type === 0x69434350) icc = await inflateProfile(body, name); // iCCP
    if (type === 0x49444154) deflated += body.length; // IDAT
    if (type === 0x49454e44) ended = true; // IEND
  }
  const samples = height * (1 + Math.ceil((width * channels * depth) / 8));
  if (deflated > STORED * samples + STORED_SLACK)
    throw new InputError(
      `${name} is damaged: the header says ${width}x${height}, its picture has ${deflated} bytes, which is too many`,
    );
  if (!ended) throw new InputError(`${name} cannot be decoded, it is cut off: the end of the picture is missing`);
  return { width, height, bits: depth === 16 ? 16 : 8, isGrey: colour === 0 || colour === 4, ...(icc && { icc }) };
}

/**
 * A WebP's header (RFC 9649): the first chunk has the size; a profile is a chunk of its own.
 * @throws InputError for sizes that are too large, and files without an end.
 */
export function webpHeader(bytes: Uint8Array, name: string): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30) throw damaged(name);
  if (8 + view.getUint32(4, true) > bytes.length)
    throw new InputError(`${name} cannot be decoded, it is cut off: the end of the picture is missing`);
  const kind = String.fromCharCode(...bytes.subarray(12, 16));
  const bits24 = (at: number) => view.getUint16(at, true) | (bytes[at + 2] << 16);
  const sizes: Record<string, () => number[]> = {
    VP8X: () => [1 + bits24(24), 1 + bits24(27)],
    'VP8 ': () => [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff],
    VP8L: () => [1 + (view.getUint32(21, true) & 0x3fff), 1 + ((view.getUint32(21, true) >> 14) & 0x3fff)],
  };
  if (!sizes[kind]) throw damaged(name);
  const [width, height] = sizes[kind]();
  checkSize(width, height, name);
  checkDeflated(name, width, height, 24, bytes.length);
  let icc: Uint8Array | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    if (String.fromCharCode(...bytes.subarray(at, at + 4)) === 'ICCP') icc = bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length & 1);
  }
  return { width, height, bits: 8, ...(icc && { icc }) };
}

/** iCCP: a name, 0, the method 0, and the profile deflated. undefined where it is damaged. */
async function inflateProfile(body: Uint8Array, name: string): Promise<Uint8Array | undefined> {
  try {
    return await inflate(body.subarray(body.indexOf(0) + 2), MAX_PROFILE_BYTES, name, 'its colour profile');
  } catch (error) {
    if (error instanceof TooMuchError) throw error;
    return undefined;
  }
}

/** Arrays one after another. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
