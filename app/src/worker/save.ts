/**
 * The result as files. 1.0 in .hdr, .exr and Ultra HDR is the reference frame's white, as in the command line's files.
 */
import { namedPrimaries } from '../../../src/image/colorSpace.ts';
import { developColors } from '../../../src/image/developColors.ts';
import { streamDng } from '../../../src/image/dng.ts';
import { cleanExif } from '../../../src/image/exifBlock.ts';
import { deflateStream, encodeExr } from '../../../src/image/exr.ts';
import { streamFloatTiff } from '../../../src/image/floatTiff.ts';
import { encodeIccProfile } from '../../../src/image/iccEncoder.ts';
import { pngWith } from '../../../src/image/metadataSegments.ts';
import type { MergedImage } from '../../../src/image/picture.ts';
import { encodeRgbe } from '../../../src/image/rgbe.ts';
import type { SaveFormat, ToneMapping } from '../messages.ts';
import { exposureFactor, toneMapRows } from '../../../src/image/toneMappings.ts';
import type { Tones } from '../../../src/image/toneMappings.ts';
import { encodeUltraHdr } from './ultraHdr.ts';

const EXTENSION: Record<SaveFormat, string> = {
  hdr: 'hdr',
  'exr-half': 'exr',
  'exr-float': 'exr',
  ultrahdr: 'jpg',
  png: 'png',
  tiff: 'tif',
  dng: 'dng',
};
const MIME: Record<SaveFormat, string> = {
  hdr: 'image/vnd.radiance',
  'exr-half': 'image/x-exr',
  'exr-float': 'image/x-exr',
  ultrahdr: 'image/jpeg',
  png: 'image/png',
  tiff: 'image/tiff',
  dng: 'image/x-adobe-dng',
};
/** Pixels tone-mapped at once. */
const BAND_PIXELS = 1 << 20;

/**
 * Encodes the result.
 * @throws InputError on values that are not finite; RangeError without the memory for it.
 */
export async function saveFile(
  picture: MergedImage,
  format: SaveFormat,
  look: { tones: Tones; toneMapping: ToneMapping; stops: number },
  stem: string,
): Promise<{ name: string; file: Blob }> {
  const { colorSpace = 'srgb', camera } = picture;
  const keepNegative = format === 'exr-half' || format === 'exr-float' || format === 'tiff';
  const developed =
    camera && format !== 'dng'
      ? {
          ...picture,
          camera: undefined,
          radiance: await developColors(picture.radiance, camera, colorSpace, { keepNegative }),
        }
      : picture;
  const { radiance, width, height, scale, exif } = developed;
  const block = exif && cleanExif(exif, { width, height, isSrgb: colorSpace === 'srgb' });
  const metadata = { exif: block, icc: encodeIccProfile(colorSpace, 'srgb') };
  const primaries = namedPrimaries(colorSpace);
  const parts = async (): Promise<Uint8Array[]> => {
    if (format === 'hdr') return [...encodeRgbe(radiance, width, height, scale, primaries)];
    if (format === 'png') {
      const png = new Uint8Array(await (await pngOf(developed, look)).arrayBuffer());
      return pngWith(png, metadata, deflateStream);
    }
    if (format === 'ultrahdr') {
      const factor = scale * exposureFactor(look.tones, 'photographic', look.stops);
      return encodeUltraHdr(radiance, width, height, factor, metadata);
    }
    if (format === 'tiff') return collect(streamFloatTiff(developed, { deflate: deflateStream }));
    if (format === 'dng') {
      const largest = radiance.reduce((most, y) => Math.max(most, y), 0);
      return collect(streamDng(developed, { tone: look.tones.parameters, largest, deflate: deflateStream }));
    }
    const type = format === 'exr-float' ? 'float' : 'half';
    return (await encodeExr(radiance, width, height, { scale, type, chromaticities: primaries })).pieces;
  };
  return {
    name: `${stem}${format === 'exr-float' ? '-float' : ''}.${EXTENSION[format]}`,
    file: new Blob((await parts()) as BlobPart[], { type: MIME[format] }),
  };
}

/** The pieces of a streamed TIFF; the last one replaces bytes of the first. */
async function collect(pieces: ReturnType<typeof streamDng>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const piece of pieces) {
    if (piece instanceof Uint8Array) found.push(piece);
    else found[0].set(piece.bytes, piece.at);
  }
  return found;
}

/** What the canvas shows, whole and at full size. */
async function pngOf(
  { radiance, width, height }: MergedImage,
  { tones, toneMapping, stops }: { tones: Tones; toneMapping: ToneMapping; stops: number },
): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (!context) throw new RangeError(`no canvas of ${width}x${height}`);
  const rows = Math.max(1, Math.floor(BAND_PIXELS / width));
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    const rgb = toneMapRows(radiance.subarray(y * width * 3, (y + count) * width * 3), tones, toneMapping, stops);
    const band = new ImageData(width, count);
    for (let i = 0, j = 0; i < rgb.length; i += 3, j += 4) {
      band.data[j] = rgb[i];
      band.data[j + 1] = rgb[i + 1];
      band.data[j + 2] = rgb[i + 2];
      band.data[j + 3] = 255;
    }
    context.putImageData(band, 0, y);
  }
  const file = await canvas.convertToBlob({ type: 'image/png' });
  canvas.width = canvas.height = 0; // its memory goes at once
  return file;
}
