/**
 * Exposures from EXIF.
 *
 * The exposure is the light that a pixel value stands for: time * ISO/100 / f-number^2 (seconds). Only ratios matter,
 * so a field can be left out for the whole stack if no frame has it, or if all frames that have it agree.
 */
import { NUMBER, OBJECT, TEXT, expect, wrongText } from '../checks.ts';
import { InputError, UsageError } from '../errors.ts';
import { safeExif } from './exifBlock.ts';

/** What a picture's EXIF says about its exposure; fields that are absent or unusable are left out. */
export interface ExposureInfo {
  /**
   * Exposure time in seconds. May be zero or negative if the file says so: `exposures` refuses that and names the
   * frame.
   */
  time?: number;
  /** f-number. 0, which cameras write for lenses they do not know, counts as absent. */
  fNumber?: number;
  /** ISO speed. 0 counts as absent. */
  iso?: number;
  /** Exposure bias in stops: how much brighter than the camera's own choice. Used where no frame has a time. */
  bias?: number;
  /** EXIF's orientation, 1 to 8. Decoders have applied it. */
  orientation?: number;
}

/** The tags that `exposureInfo` reads. */
const EXPOSURE_TAGS = [
  'ExposureTime',
  'FNumber',
  'ISO',
  'ShutterSpeedValue',
  'ApertureValue',
  'RecommendedExposureIndex',
  'ISOSpeed',
  'ExposureCompensation', // ExposureBiasValue
  'ExposureBiasValue',
  'Orientation',
];
/** The 16-bit ISO field's way to say "larger: see the other fields". */
const ISO_OVERFLOW = 65535;

function number(value: unknown): number | undefined {
  const first = Array.isArray(value) || ArrayBuffer.isView(value) ? (value as unknown as ArrayLike<unknown>)[0] : value;
  return typeof first === 'number' && Number.isFinite(first) ? first : undefined;
}

function positive(value: unknown): number | undefined {
  const n = number(value);
  return n !== undefined && n > 0 ? n : undefined;
}

/** Exposure fields from EXIF tags by name; the APEX fields stand in for missing ones. */
export function exposureInfo(tags: Record<string, unknown>): ExposureInfo {
  const info: ExposureInfo = {};
  const shutter = number(tags.ShutterSpeedValue);
  const time = number(tags.ExposureTime) ?? (shutter === undefined ? undefined : 2 ** -shutter);
  const aperture = positive(tags.ApertureValue);
  const fNumber = positive(tags.FNumber) ?? (aperture === undefined ? undefined : 2 ** (aperture / 2));
  const speed = positive(tags.ISO);
  const iso =
    speed === undefined || speed >= ISO_OVERFLOW
      ? (positive(tags.RecommendedExposureIndex) ?? positive(tags.ISOSpeed) ?? speed)
      : speed;
  if (time !== undefined) info.time = time;
  if (fNumber !== undefined) info.fNumber = fNumber;
  if (iso !== undefined) info.iso = iso;
  const bias = number(tags.ExposureCompensation ?? tags.ExposureBiasValue);
  if (bias !== undefined) info.bias = bias;
  const orientation = number(tags.Orientation);
  if (orientation !== undefined && orientation > 1 && orientation <= 8) info.orientation = orientation;
  return info;
}

/** A reader of EXIF: the package exifr, which each platform loads in its own way. */
export interface ExifReader {
  parse(bytes: Uint8Array, options: object): Promise<Record<string, unknown> | undefined>;
}

/**
 * Tags of a file's EXIF by name. The reader gets no more than the block, rewritten (`safeExif`): a file may claim
 * millions of values, and a profile that unpacks to gigabytes.
 * @returns undefined if there is no readable EXIF: the picture itself may be fine.
 */
export async function readExifTags(
  exif: ExifReader,
  bytes: Uint8Array,
  pick: readonly string[],
): Promise<Record<string, unknown> | undefined> {
  try {
    const block = safeExif(bytes);
    return block && (await exif.parse(block, { pick, translateValues: false, reviveValues: false }));
  } catch {
    return undefined;
  }
}

/** The exposure fields of a file; an empty object if there is no readable EXIF. */
export async function readExposureInfo(exif: ExifReader, bytes: Uint8Array): Promise<ExposureInfo> {
  const tags = await readExifTags(exif, bytes, EXPOSURE_TAGS);
  return tags ? exposureInfo(tags) : {};
}

const FIELDS = ['time', 'fNumber', 'iso', 'bias'] as const;

function checkInfo(name: string, info: ExposureInfo): void {
  expect(name, info, OBJECT);
  for (const field of FIELDS) if (info[field] !== undefined) expect(`${name}: ${field}`, info[field], NUMBER);
}

/**
 * time * ISO/100 / f-number^2, leaving out what is absent.
 * @returns undefined without a time.
 * @throws UsageError
 */
export function exposureFromExif(info: ExposureInfo): number | undefined {
  checkInfo('info', info);
  if (info.time === undefined) return undefined;
  return (info.time * (info.iso ?? 100)) / 100 / (info.fNumber ?? 1) ** 2;
}

function unknown(finding: string): InputError {
  return new InputError(finding, { problem: 'exposure', remedy: 'give the exposures yourself' });
}

/**
 * The exposure biases of a stack whose frames have no time, but whose biases differ: a bracket by the camera, of which
 * some program took the times away.
 */
export function exposureBiases(images: readonly { exif?: ExposureInfo }[]): number[] | undefined {
  if (images.some(({ exif }) => exif?.time !== undefined)) return undefined;
  const biases = images.flatMap(({ exif }) => exif?.bias ?? []);
  return biases.length === images.length && new Set(biases).size > 1 ? biases : undefined;
}

/**
 * Exposures of a whole stack, comparable with each other. f-number and ISO are used if every frame has them, and left
 * out if some frames lack them and the others agree. If some lack them and the others differ, that is an error. Where
 * no frame has a time, differing biases of all frames are the exposures.
 * @throws InputError naming the frame, if a time is absent, zero or negative, or a field cannot be left out.
 */
export function exposures(images: readonly { name: string; exif?: ExposureInfo }[]): number[] {
  if (!Array.isArray(images)) throw new UsageError(wrongText('images', images, 'an array of { name, exif }'));
  for (const [i, image] of images.entries()) {
    expect(`image ${i + 1}`, image, OBJECT);
    expect(`image ${i + 1}: name`, image.name, TEXT);
    if (image.exif !== undefined) checkInfo(`image ${i + 1}: exif`, image.exif);
  }
  const biases = exposureBiases(images);
  if (biases) return biases.map((bias) => 2 ** bias);
  for (const { name, exif } of images) {
    if (exif?.time === undefined) throw unknown(`${name} has no exposure time in its EXIF data`);
    if (!(exif.time > 0))
      throw unknown(`${name} has an exposure time of ${exif.time} s in its EXIF data, it must be positive`);
  }
  const isUsed = (field: 'fNumber' | 'iso', label: string): boolean => {
    const missing = images.find(({ exif }) => exif?.[field] === undefined);
    if (!missing) return true;
    const values = [...new Set(images.flatMap(({ exif }) => exif?.[field] ?? []))];
    if (values.length > 1)
      throw unknown(
        `${missing.name} has no ${label} in its EXIF data, and the other frames' differ (${values.join(', ')})`,
      );
    return false;
  };
  const useFNumber = isUsed('fNumber', 'f-number');
  const useIso = isUsed('iso', 'ISO');
  return images.map(
    ({ exif }) =>
      exposureFromExif({
        time: exif?.time,
        fNumber: useFNumber ? exif?.fNumber : undefined,
        iso: useIso ? exif?.iso : undefined,
      }) as number,
  );
}
