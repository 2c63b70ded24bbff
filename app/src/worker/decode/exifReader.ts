/**
 * Reads EXIF's tags by name, for the page: in place of the package exifr, whose 26 kB would load before any merge.
 * It is given no more than blocks that are rewritten (src/image/exifBlock.ts), of which it reads what grouping and
 * exposures need, with exifr's names.
 */
import type { ExifReader } from '../../../../src/image/exif.ts';
import { TIFF_TYPE, entryNumber, entryText, readDirectory } from '../../../../src/image/tiffEntries.ts';
import type { TiffEntry } from '../../../../src/image/tiffEntries.ts';

const EXIF_POINTER = 34665;

const NAMES: Record<number, string> = {
  271: 'Make',
  272: 'Model',
  274: 'Orientation',
  33434: 'ExposureTime',
  33437: 'FNumber',
  34855: 'ISO',
  34866: 'RecommendedExposureIndex',
  34867: 'ISOSpeed',
  36867: 'DateTimeOriginal',
  37377: 'ShutterSpeedValue',
  37378: 'ApertureValue',
  37380: 'ExposureCompensation',
  37386: 'FocalLength',
  37521: 'SubSecTimeOriginal',
  40962: 'ExifImageWidth',
  40963: 'ExifImageHeight',
  42033: 'SerialNumber',
};

/** Bytes of a number, by type. */
const SIZES: Record<number, number> = { 1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8 };

/** One number, or several; a text; undefined for other types. */
function valueIn(entry: TiffEntry): unknown {
  if (entry.type === TIFF_TYPE.ascii) return entryText(entry);
  const size = SIZES[entry.type];
  if (!size) return undefined;
  const bytes = new DataView(entry.value.buffer, entry.value.byteOffset, entry.value.byteLength);
  const read: Record<number, (at: number) => number> = {
    1: (at) => bytes.getUint8(at),
    3: (at) => bytes.getUint16(at, true),
    4: (at) => bytes.getUint32(at, true),
    5: (at) => bytes.getUint32(at, true) / bytes.getUint32(at + 4, true),
    6: (at) => bytes.getInt8(at),
    8: (at) => bytes.getInt16(at, true),
    9: (at) => bytes.getInt32(at, true),
    10: (at) => bytes.getInt32(at, true) / bytes.getInt32(at + 4, true),
  };
  const values = Array.from({ length: entry.value.length / size }, (_, i) => read[entry.type](size * i));
  return values.length === 1 ? values[0] : values;
}

/** Takes TIFF blocks alone. Of the options, it knows `pick`. */
export const exifReader: ExifReader = {
  async parse(block, options) {
    const { pick } = options as { pick: readonly string[] };
    const first = readDirectory(block);
    const at = entryNumber(first.find(({ tag }) => tag === EXIF_POINTER));
    const tags: Record<string, unknown> = {};
    for (const entry of [...first, ...(at === undefined ? [] : readDirectory(block, at))]) {
      const name = NAMES[entry.tag];
      const value = name && pick.includes(name) ? valueIn(entry) : undefined;
      if (value !== undefined) tags[name] = value;
    }
    return tags;
  },
};
