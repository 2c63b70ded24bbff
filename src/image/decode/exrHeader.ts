/**
 * An OpenEXR header, and its table of chunks, checked before anything is decoded.
 *
 * The package that decodes the pixels takes what is missing for black; a merge must know. Layout:
 * https://openexr.com/en/latest/OpenEXRFileLayout.html.
 */
import { InputError } from '../../errors.ts';
import type { ExposureInfo } from '../exif.ts';
import { checkSize } from '../picture.ts';
import { damaged } from '../refusals.ts';

export interface ExrHeader {
  width: number;
  height: number;
  /** Names of the channels: R, G, B or Y, A and others. */
  channels: string[];
  /** x and y of red, green, blue and white; absent for Rec. 709. */
  chromaticities: number[] | undefined;
  /** By the attributes expTime, aperture and isoSpeed. */
  exif: ExposureInfo;
}

/** Lines in a chunk, by compression: none, RLE, ZIPS, ZIP, PIZ, PXR24, B44, B44A. */
const LINES = [1, 1, 1, 16, 32, 16, 32, 32];
const UNREAD_COMPRESSIONS: Record<number, string> = { 8: 'DWAA', 9: 'DWAB' };
const [TILED, DEEP, MULTI_PART] = [0x200, 0x800, 0x1000];

/**
 * Reads and checks the header.
 * @throws InputError naming the file: damaged, too large, or of a kind that is not read.
 */
export function exrHeader(bytes: Uint8Array, name: string): ExrHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let attributes: Map<string, DataView>;
  let start: number;
  try {
    const flags = view.getUint32(4, true);
    if (flags & (TILED | DEEP | MULTI_PART))
      throw new InputError(
        `${name} is a ${flags & TILED ? 'tiled' : flags & DEEP ? 'deep' : 'multi-part'} OpenEXR file, which is not ` +
          'read: save it as scan lines in one part',
      );
    ({ attributes, start } = readAttributes(view));
  } catch (error) {
    throw error instanceof InputError ? error : damaged(name, error);
  }
  const get = (key: string, size: number): DataView => {
    const found = attributes.get(key);
    if (!found || found.byteLength < size) throw damaged(name, `its header has no ${key}`);
    return found;
  };
  const corners = (key: string) => [0, 4, 8, 12].map((at) => get(key, 16).getInt32(at, true));
  const data = corners('dataWindow');
  const [x0, y0, x1, y1] = data;
  const [width, height] = [x1 - x0 + 1, y1 - y0 + 1];
  checkSize(width, height, name);
  const display = corners('displayWindow');
  if (display.some((value, i) => value !== data[i]))
    throw new InputError(
      `${name} is cropped: its data window (${data.join(', ')}) is not its display window (${display.join(', ')}): ` +
        'save it whole',
    );
  const compression = get('compression', 1).getUint8(0);
  const lines = LINES[compression];
  if (lines === undefined)
    throw new InputError(
      `${name} is an OpenEXR file with ${UNREAD_COMPRESSIONS[compression] ?? 'unknown'} compression, ` +
        'which is not read: save it with ZIP or PIZ',
    );
  checkChunks(view, start, { y0, height, lines }, name);
  const chromaticities = attributes.get('chromaticities');
  return {
    width,
    height,
    channels: channelNames(get('channels', 1), name),
    chromaticities:
      chromaticities && chromaticities.byteLength >= 32
        ? Array.from({ length: 8 }, (_, i) => chromaticities.getFloat32(4 * i, true))
        : undefined,
    exif: exposureOf(attributes),
  };
}

/** Attributes by name. @returns also where the header ends. */
function readAttributes(view: DataView): { attributes: Map<string, DataView>; start: number } {
  const attributes = new Map<string, DataView>();
  let at = 8;
  const nextText = (): string => {
    let found = '';
    for (let c = view.getUint8(at++); c !== 0; c = view.getUint8(at++)) {
      if (found.length === 255) throw new RangeError('a name in its header has no end');
      found += String.fromCharCode(c);
    }
    return found;
  };
  for (let key = nextText(); key !== ''; key = nextText()) {
    nextText(); // the type
    const size = view.getUint32(at, true);
    attributes.set(key, new DataView(view.buffer, view.byteOffset + at + 4, size)); // a RangeError beyond the file
    at += 4 + size;
  }
  return { attributes, start: at };
}

/** Each chunk must be there, whole, and begin at its line. */
function checkChunks(
  view: DataView,
  start: number,
  { y0, height, lines }: { y0: number; height: number; lines: number },
  name: string,
): void {
  const count = Math.ceil(height / lines);
  if (start + 8 * count > view.byteLength) throw damaged(name, 'its table of lines is cut off');
  for (let k = 0; k < count; k++) {
    const at = Number(view.getBigUint64(start + 8 * k, true));
    const isWhole = at + 8 <= view.byteLength && at + 8 + view.getUint32(at + 4, true) <= view.byteLength;
    if (!isWhole) throw damaged(name, `line ${y0 + k * lines} is missing`);
    const line = view.getInt32(at, true);
    if (line !== y0 + k * lines) throw damaged(name, `line ${y0 + k * lines} is where line ${line} should be`);
  }
}

function channelNames(list: DataView, name: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < list.byteLength && list.getUint8(at) !== 0; ) {
    let channel = '';
    while (at < list.byteLength && list.getUint8(at) !== 0) channel += String.fromCharCode(list.getUint8(at++));
    if (at + 17 > list.byteLength) throw damaged(name, 'its list of channels is cut off');
    if (list.getInt32(at + 9, true) !== 1 || list.getInt32(at + 13, true) !== 1)
      throw new InputError(
        `${name} has subsampled channels (luminance and chroma), which are not read: save it as RGB`,
      );
    names.push(channel);
    at += 17;
  }
  return names;
}

function exposureOf(attributes: ReadonlyMap<string, DataView>): ExposureInfo {
  const float = (key: string): number | undefined => {
    const view = attributes.get(key);
    const value = view && view.byteLength >= 4 ? view.getFloat32(0, true) : 0;
    return value > 0 && Number.isFinite(value) ? value : undefined;
  };
  const [time, fNumber, iso] = ['expTime', 'aperture', 'isoSpeed'].map(float);
  return { ...(time && { time }), ...(fNumber && { fNumber }), ...(iso && { iso }) };
}
