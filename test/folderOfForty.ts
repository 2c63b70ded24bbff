/**
 * A folder of forty pictures of three cameras, as a person brings it home: RAW and JPEG pairs, a burst, brackets back
 * to back, a panorama, long exposures, an aborted bracket, a stray. What grouping reads of them, and stubs of files.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { shotOf } from '../src/brackets/shots.ts';
import type { Shot } from '../src/brackets/shots.ts';
import { jpegWith } from '../src/image/metadataSegments.ts';
import { tiff } from './node/pictures.ts';
import type { TiffField } from './node/pictures.ts';

/** EXIF of a picture, by exifr's names. */
export interface Tags {
  Make: string;
  Model: string;
  FocalLength: number;
  Orientation: number;
  DateTimeOriginal: string;
  /** Absent for cameras that write no fractions of a second. */
  SubSecTimeOriginal?: string;
  ExposureTime: number;
  FNumber: number;
  ISO: number;
  ExifImageWidth: number;
  ExifImageHeight: number;
}

/** Tags of a picture taken some seconds after noon. @param ev of its exposure time, from 1/100 s. */
export function tagsAt(seconds: number, ev: number, others: Partial<Tags> = {}): Tags {
  const whole = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  return {
    Make: 'Maker',
    Model: 'A',
    FocalLength: 35,
    Orientation: 1,
    DateTimeOriginal: `2026:05:01 12:${two(Math.floor(whole / 60))}:${two(whole % 60)}`,
    SubSecTimeOriginal: (seconds - whole).toFixed(2).slice(2),
    ExposureTime: 2 ** ev / 100,
    FNumber: 8,
    ISO: 100,
    ExifImageWidth: 6000,
    ExifImageHeight: 4000,
    ...others,
  };
}

const at = (name: string, seconds: number, ev: number, others: Partial<Tags> = {}) => ({
  name,
  tags: tagsAt(seconds, ev, others),
});
const phone = { Model: 'P', SubSecTimeOriginal: undefined };

export const FORTY: readonly { name: string; tags: Tags }[] = [
  // Camera A, RAW and JPEG of each: one bracket in the order 0, -, +.
  ...[0, -2, 2].flatMap((ev, i) => [at(`A_0001${i}.NEF`, 10 + 0.3 * i, ev), at(`A_0001${i}.JPG`, 10 + 0.3 * i, ev)]),
  // A burst at one exposure.
  ...[0, 1, 2, 3, 4].map((i) => at(`A_0002${i}.JPG`, 60 + 0.2 * i, 1)),
  // Two brackets back to back.
  ...[-2, 0, 2, -2, 0, 2].map((ev, i) => at(`A_0003${i}.JPG`, 120 + 0.3 * i, ev)),
  // A panorama of three views, the camera turned between them.
  ...[-1, 0, 1, -1, 0, 1, -1, 0, 1].map((ev, i) => at(`A_0004${i}.JPG`, 200 + 0.3 * i + 5 * Math.floor(i / 3), ev)),
  // Long exposures: the pause counts from the end of each.
  ...[0, 7, 38.5].map((start, i) => at(`A_0005${i}.JPG`, 400 + start, i + 8, { ExposureTime: [6, 30, 120][i] })),
  // A stray picture.
  at('A_00060.JPG', 700, 0),
  // Camera B at the same time as camera A's first bracket, ISO instead of time.
  ...[100, 400, 1600].map((ISO, i) => at(`B_${i + 8}.JPG`, 10.1 + 0.3 * i, 0, { Model: 'B', ISO })),
  // A phone without fractions of a second, aborted after two of three.
  ...[0, -2].map((ev, i) => at(`P_${i}.JPG`, 500 + i, ev, phone)),
  // The same phone, less than a stop apart.
  ...[0, 0.4].map((ev, i) => at(`P_${i + 5}.JPG`, 600 + i, ev, phone)),
  // Its pictures on edge are no bracket with those before.
  ...[-2, 2, 0].map((ev, i) => at(`P_${i + 10}.JPG`, 501.5 + 0.2 * i, ev, { Model: 'P', Orientation: 6 })),
];

/** What a person would call brackets among them. */
export const FORTY_BRACKETS: readonly string[] = [
  'A_00010.NEF A_00011.NEF A_00012.NEF',
  'A_00030.JPG A_00031.JPG A_00032.JPG',
  'A_00033.JPG A_00034.JPG A_00035.JPG',
  'A_00040.JPG A_00041.JPG A_00042.JPG',
  'A_00043.JPG A_00044.JPG A_00045.JPG',
  'A_00046.JPG A_00047.JPG A_00048.JPG',
  'A_00050.JPG A_00051.JPG A_00052.JPG',
  'B_8.JPG B_9.JPG B_10.JPG',
  'P_0.JPG P_1.JPG',
  'P_10.JPG P_11.JPG P_12.JPG',
];

export const isRaw = (name: string): boolean => /\.(nef|cr2)$/i.test(name);

export const fortyShots = (): Shot[] =>
  FORTY.map(({ name, tags }) => shotOf(name, { ...tags }, { isRaw: isRaw(name) }));

/** A positive number as EXIF's fraction. */
const fraction = (value: number): [number, number] => [Math.round(value * 1e6), 1e6];

/** The TIFF of an EXIF block. */
export function exifBlock(tags: Tags): Buffer {
  const main: TiffField[] = [
    [271, 2, tags.Make],
    [272, 2, tags.Model],
    [274, 3, [tags.Orientation]],
  ];
  const exif: TiffField[] = [
    [33434, 5, fraction(tags.ExposureTime)],
    [33437, 5, fraction(tags.FNumber)],
    [34855, 3, [tags.ISO]],
    [36867, 2, tags.DateTimeOriginal],
    [37386, 5, fraction(tags.FocalLength)],
    ...(tags.SubSecTimeOriginal === undefined ? [] : [[37521, 2, tags.SubSecTimeOriginal] as TiffField]),
    [40962, 4, [tags.ExifImageWidth]],
    [40963, 4, [tags.ExifImageHeight]],
  ];
  return tiff(main, exif);
}

/** Writes the forty files: small JPEGs with their EXIF, and RAW files that have nothing but EXIF. */
export async function writeForty(folder: string): Promise<void> {
  const grey = { width: 24, height: 16, channels: 3 as const, background: '#876' };
  const jpeg = await sharp({ create: grey }).jpeg().toBuffer();
  for (const { name, tags } of FORTY) {
    const exif = exifBlock(tags);
    writeFileSync(join(folder, name), isRaw(name) ? exif : Buffer.concat(jpegWith(jpeg, { exif })));
  }
}
