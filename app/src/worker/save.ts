/**
 * The result as files. 1.0 in .hdr, .exr and Ultra HDR is the reference frame's white, as in the command line's files.
 */
import { encodeExr } from '../../../src/image/exr.ts';
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
};
const MIME: Record<SaveFormat, string> = {
  hdr: 'image/vnd.radiance',
  'exr-half': 'image/x-exr',
  'exr-float': 'image/x-exr',
  ultrahdr: 'image/jpeg',
  png: 'image/png',
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
  const { radiance, width, height, scale } = picture;
  const parts = async (): Promise<BlobPart[]> => {
    if (format === 'hdr') return [...encodeRgbe(radiance, width, height, scale)];
    if (format === 'png') return [await pngOf(picture, look)];
    if (format === 'ultrahdr')
      return [
        await encodeUltraHdr(radiance, width, height, scale * exposureFactor(look.tones, 'photographic', look.stops)),
      ];
    return (await encodeExr(radiance, width, height, { scale, type: format === 'exr-float' ? 'float' : 'half' }))
      .pieces as BlobPart[];
  };
  return { name: `${stem}.${EXTENSION[format]}`, file: new Blob(await parts(), { type: MIME[format] }) };
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
