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
import type { FinishedForHdr } from '../../../src/finish/ultraHdr.ts';
import { chooseTones } from '../../../src/image/toneMappings.ts';
import type { SaveFormat } from '../messages.ts';
import { drawCodes } from './drawCodes.ts';
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

/** Gives the finished picture for as long as it is used. */
export type WithFinished = <T>(use: (finished: FinishedForHdr) => Promise<T>) => Promise<T>;

/**
 * Encodes the result.
 * @param withFinished is called for the formats that hold the finished picture, and not the light itself.
 * @throws InputError on values that are not finite; RangeError without the memory for it.
 */
export async function saveFile(
  picture: MergedImage,
  format: SaveFormat,
  stem: string,
  withFinished: WithFinished,
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
      const codes = await withFinished((finished) => finished.codes());
      const png = await drawCodes(codes, width, height, { type: 'image/png' });
      return pngWith(new Uint8Array(await png.arrayBuffer()), metadata, deflateStream);
    }
    if (format === 'ultrahdr') return withFinished((finished) => encodeUltraHdr(finished, width, height, metadata));
    if (format === 'tiff') return collect(streamFloatTiff(developed, { deflate: deflateStream }));
    if (format === 'dng') {
      const largest = radiance.reduce((most, y) => Math.max(most, y), 0);
      const seen = camera ? await developColors(radiance, camera, colorSpace) : radiance;
      const { parameters } = chooseTones(seen, scale, colorSpace);
      return collect(streamDng(developed, { tone: parameters, largest, deflate: deflateStream }));
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
