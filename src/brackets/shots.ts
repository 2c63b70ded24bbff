/** What grouping knows of a picture: who took it, when, and how bright. From EXIF; the rest of a file is not read. */

/** One picture of a folder. */
export interface Shot {
  /** The file's path or name. */
  name: string;
  /** Camera, lens setting and kind of file: what all frames of a bracket have in common. */
  key: string;
  /** When the exposure began, in milliseconds; undefined if the file does not say. */
  time?: number;
  /** Whether the time has fractions of a second. */
  isPrecise?: boolean;
  /** Exposure time in seconds. */
  exposureTime?: number;
  /** log2 of the exposure, or the exposure bias where there is nothing else; only differences matter. */
  ev?: number;
  /** Whether the file is a camera's RAW. */
  isRaw: boolean;
}

/** Tags that `shotOf` reads, by exifr's names. */
export const SHOT_TAGS = [
  'Make',
  'Model',
  'SerialNumber',
  'BodySerialNumber',
  'FocalLength',
  'Orientation',
  'DateTimeOriginal',
  'SubSecTimeOriginal',
  'ExposureTime',
  'ShutterSpeedValue',
  'FNumber',
  'ApertureValue',
  'ISO',
  'ExposureCompensation',
  'ExposureBiasValue',
  'ExifImageWidth',
  'ExifImageHeight',
];

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** `2026:11:26 10:09:26` and a fraction, as milliseconds. The zone does not matter: one camera has one. */
function timeOf(date: unknown, fraction: unknown): { time?: number; isPrecise?: boolean } {
  const match = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(String(date ?? ''));
  if (!match) return {};
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const digits = /^\d{1,9}/.exec(String(fraction ?? '').trim())?.[0];
  const part = digits === undefined ? 0 : Math.round(1000 * Number(`0.${digits}`));
  return { time: Date.UTC(year, month - 1, day, hour, minute, second) + part, isPrecise: digits !== undefined };
}

/**
 * A picture from its EXIF tags.
 * @param size in pixels, if known.
 */
export function shotOf(
  name: string,
  tags: Record<string, unknown>,
  { isRaw, size }: { isRaw: boolean; size?: { width: number; height: number } },
): Shot {
  const shutter = finite(tags.ShutterSpeedValue);
  const exposureTime = finite(tags.ExposureTime) ?? (shutter === undefined ? undefined : 2 ** -shutter);
  const aperture = finite(tags.ApertureValue);
  const fNumber = finite(tags.FNumber) || (aperture === undefined ? 1 : 2 ** (aperture / 2));
  const iso = finite(tags.ISO) || 100;
  const bias = finite(tags.ExposureCompensation ?? tags.ExposureBiasValue);
  const ev =
    exposureTime !== undefined && exposureTime > 0 ? Math.log2((exposureTime * iso) / 100 / fNumber ** 2) : bias;
  const text = (value: unknown): string => (value === undefined ? '' : String(value).trim());
  const extension = /\.([^./\\]+)$/.exec(name)?.[1].toLowerCase() ?? '';
  const key = [
    text(tags.Make),
    text(tags.Model),
    text(tags.BodySerialNumber ?? tags.SerialNumber),
    text(tags.FocalLength),
    text(tags.Orientation),
    size ? `${size.width}x${size.height}` : `${text(tags.ExifImageWidth)}x${text(tags.ExifImageHeight)}`,
    extension === 'jpeg' ? 'jpg' : extension,
  ].join('|');
  return {
    name,
    key,
    isRaw,
    ...timeOf(tags.DateTimeOriginal, tags.SubSecTimeOriginal),
    ...(exposureTime !== undefined && exposureTime > 0 && { exposureTime }),
    ...(ev !== undefined && { ev }),
  };
}
