/** Pictures that sharp decodes: JPEG, PNG, TIFF, WebP and AVIF. */
import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { InputError, reasonOf } from '../errors.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import { inWorkingSpace, toRgb } from '../image/decode/channels.ts';
import type { StoredPicture } from '../image/decode/channels.ts';
import { heifHeader } from '../image/decode/heifHeader.ts';
import { pngColor } from '../image/decode/pngColor.ts';
import { SRGB, iccColor } from '../image/decode/sourceColor.ts';
import type { SourceColor } from '../image/decode/sourceColor.ts';
import { decodeTiff } from '../image/decode/tiff.ts';
import { MAX_PIXELS, checkSize } from '../image/picture.ts';
import type { DecodedImage } from '../image/picture.ts';
import { checkDeflated, damaged, notIntegers, notRgb } from '../image/refusals.ts';
import type { PictureFormat } from '../image/sniff.ts';
import { tiffPackages } from './decodePackages.ts';
import { loadSharp } from './loadSharp.ts';

const REFUSED_SPACES: Record<string, string> = {
  cmyk: 'CMYK',
  lab: 'CIE Lab',
  labs: 'CIE Lab',
  xyz: 'CIE XYZ',
  multiband: 'multi-channel',
};
const READ_SPACES = new Set(['srgb', 'rgb', 'rgb16', 'b-w', 'grey16']);
/** Warnings about JPEG headers that do not affect the pixels; some phones write such files. */
const HARMLESS = /Invalid SOS parameters for sequential JPEG|extraneous bytes before marker/;
/** What libtiff says of compressions that it was built without, by name. */
const NOT_CONFIGURED = /(\S+) compression support is not configured/;

type SharpModule = Awaited<ReturnType<typeof loadSharp>>;

/** Asks for memory, and gives a function that gives it back. */
export type EnterMemory = (bytes: number) => Promise<() => void>;

/** Decodes a picture with sharp. @throws InputError naming the file; MissingPackageError. */
export async function readSharpFrame(
  bytes: Uint8Array,
  format: PictureFormat,
  name: string,
  colorSpace: ColorSpace,
  enter: EnterMemory,
): Promise<Omit<DecodedImage, 'format' | 'exif'>> {
  const sharp = await loadSharp('reading JPEG, PNG, TIFF, WebP and AVIF');
  const metadata = await pictureMetadata(sharp, bytes, format, name);
  const { width, height, channels, depth = '' } = metadata;
  const leave = await enter(2 * width * height * channels * (depth === 'uchar' ? 1 : depth === 'float' ? 4 : 2));
  try {
    const stored =
      format === 'tiff' && depth === 'float'
        ? await decodeTiff(bytes, name, tiffPackages)
        : metadata.space === 'cmyk'
          ? await decodeCmyk(sharp, bytes, metadata, name)
          : await decodeRgb(sharp, bytes, metadata, format, name);
    return inWorkingSpace(stored, colorSpace, name);
  } catch (error) {
    const [, compression] = (error instanceof InputError && NOT_CONFIGURED.exec(error.message)) || [];
    if (compression === 'ZSTD') return inWorkingSpace(await decodeTiff(bytes, name, tiffPackages), colorSpace, name);
    if (compression)
      throw new InputError(
        `${name} is a TIFF compressed with ${compression}, which is not read: save it uncompressed or with LZW or ZIP`,
        { cause: error },
      );
    throw error;
  } finally {
    leave();
  }
}

/** Reads and checks only the header. */
async function pictureMetadata(
  sharp: SharpModule,
  bytes: Uint8Array,
  format: PictureFormat,
  name: string,
): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    // libvips fails on some Lab files before it names the colour space.
    if (/\blabs?q?\b/.test(reasonOf(error))) throw notRgb(name, REFUSED_SPACES.lab);
    throw damaged(name, error);
  }
  const { width, height, space = '', depth = '' } = metadata;
  checkSize(width, height, name);
  if (metadata.format !== (format === 'avif' ? 'heif' : format))
    throw new InputError(`${name} starts like a ${format} file but holds ${metadata.format}`);
  const isFloat = format === 'tiff' && depth === 'float';
  if (!READ_SPACES.has(space) && !isFloat && !(space === 'cmyk' && format === 'jpeg'))
    throw notRgb(name, REFUSED_SPACES[space] ?? space);
  if (depth !== 'uchar' && depth !== 'ushort' && !isFloat) throw notIntegers(name, depth);
  checkDeflated(name, width, height, metadata.channels * (metadata.bitsPerSample ?? 8), bytes.length);
  return metadata;
}

/** Samples as they are stored, or converted to sRGB where the profile is a table. */
async function decodeRgb(
  sharp: SharpModule,
  bytes: Uint8Array,
  { icc, space, depth, bitsPerSample }: Metadata,
  format: PictureFormat,
  name: string,
): Promise<StoredPicture> {
  const bits = depth === 'ushort' ? 16 : 8;
  const isGrey = space === 'b-w' || space === 'grey16';
  const color = isGrey ? SRGB : colorOf(bytes, icc, format, name);
  const { data, info } = await decode(name, (failOn) => {
    const options: SharpOptions = { failOn, limitInputPixels: MAX_PIXELS, autoOrient: true, ignoreIcc: !!color };
    let pipeline = sharp(bytes, options).toColourspace(bits === 16 ? 'rgb16' : 'srgb');
    // sharp's working space is Display P3 for 16-bit pictures with a profile: asking for sRGB converts once more.
    if (!color && bits === 16) pipeline = pipeline.withIccProfile('srgb', { attach: false });
    return pipeline.raw({ depth: bits === 16 ? 'ushort' : 'uchar' });
  });
  const { width, height, channels } = info;
  const samples =
    bits === 16
      ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (samples.length !== width * height * channels)
    throw new InputError(
      `${name}: ${samples.length} samples were decoded, ${width}x${height} with ${channels} channels needs ` +
        `${width * height * channels}`,
    );
  if (format === 'avif' && samples instanceof Uint16Array) widen(samples, bitsPerSample ?? 16);
  return { ...toRgb(samples, channels, name), width, height, bits, color: color ?? SRGB };
}

/** libvips shifts AVIF's 10 and 12 bits up, so that white is not quite white: scales them to all of 16 bits. */
function widen(samples: Uint16Array, bits: number): void {
  const scale = 65535 / (2 ** bits - 1);
  for (let i = 0; i < samples.length; i++) samples[i] = Math.round((samples[i] >> (16 - bits)) * scale);
}

/** The file's colours; undefined if a profile with tables says what they are. */
function colorOf(
  bytes: Uint8Array,
  icc: Uint8Array | undefined,
  format: PictureFormat,
  name: string,
): SourceColor | undefined {
  if (format === 'avif') return heifHeader(bytes, name).color;
  const named = format === 'png' ? pngColor(bytes, name) : undefined;
  return named ?? (icc ? iccColor(icc) : SRGB);
}

/**
 * A CMYK JPEG, to sRGB: by its profile, or without one as inks that each take away their complement.
 */
async function decodeCmyk(
  sharp: SharpModule,
  bytes: Uint8Array,
  { icc }: Metadata,
  name: string,
): Promise<StoredPicture> {
  const { data, info } = await decode(name, (failOn) => {
    const options: SharpOptions = { failOn, limitInputPixels: MAX_PIXELS, autoOrient: true, ignoreIcc: !icc };
    return sharp(bytes, options)
      .toColourspace(icc ? 'srgb' : 'cmyk')
      .raw();
  });
  const { width, height, channels } = info;
  const rgb = channels === 4 ? new Uint8Array(width * height * 3) : new Uint8Array(data);
  if (channels === 4)
    for (let p = 0; p < width * height; p++)
      for (let c = 0; c < 3; c++)
        rgb[3 * p + c] = Math.round(((255 - data[4 * p + c]) * (255 - data[4 * p + 3])) / 255);
  return { data: rgb, width, height, bits: 8, color: SRGB };
}

/** Decodes, treating every warning as an error, except for the harmless ones. */
async function decode(name: string, build: (failOn: 'warning' | 'error') => Sharp) {
  try {
    return await build('warning').toBuffer({ resolveWithObject: true });
  } catch (error) {
    if (!HARMLESS.test(String(error))) throw damaged(name, error);
  }
  try {
    return await build('error').toBuffer({ resolveWithObject: true });
  } catch (error) {
    throw damaged(name, error);
  }
}
