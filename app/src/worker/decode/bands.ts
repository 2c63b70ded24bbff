/**
 * 8-bit pictures by the browser's own decoder, which gives no more than a bitmap: its pixels are fetched through a
 * small canvas, a band of rows at a time, so that besides the bitmap only one band of RGBA is held.
 */
import { toRgb } from '../../../../src/image/decode/channels.ts';
import type { Rgb } from '../../../../src/image/decode/channels.ts';
import { checkSize } from '../../../../src/image/picture.ts';
import { damaged } from '../../../../src/image/refusals.ts';

/** Pixels of a band: 4 MiB of RGBA. */
const BAND_PIXELS = 1 << 20;

/**
 * Decodes a JPEG, WebP or 8-bit PNG, upright.
 * @param convert whether to apply its colour profile (to sRGB). Otherwise samples come exactly as they are in the file.
 * @returns RGB, `[height, width, 3]`. Where alpha is between 0 and 1, colours are rounded more coarsely.
 * @throws InputError naming the file, if it is damaged.
 */
export async function decodeInBands(
  file: Blob,
  name: string,
  convert: boolean,
): Promise<Rgb<Uint8Array> & { width: number; height: number }> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: convert ? 'default' : 'none',
    });
  } catch (cause) {
    throw damaged(name, cause);
  }
  try {
    const { width, height } = bitmap;
    checkSize(width, height, name);
    const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
    const context = new OffscreenCanvas(width, rows).getContext('2d', { willReadFrequently: true });
    if (!context) throw new RangeError('no canvas for decoding');
    // Where pixels are transparent, the previous band must not show through.
    context.globalCompositeOperation = 'copy';
    const data = new Uint8Array(width * height * 3);
    let coverage: Uint8Array | undefined;
    for (let y = 0; y < height; y += rows) {
      const count = Math.min(rows, height - y);
      context.drawImage(bitmap, 0, y, width, count, 0, 0, width, count);
      const { data: rgba } = context.getImageData(0, 0, width, count);
      const band = toRgb(new Uint8Array(rgba.buffer), 4, name);
      data.set(band.data, y * width * 3);
      if (band.coverage) (coverage ??= new Uint8Array(width * height).fill(1)).set(band.coverage, y * width);
    }
    return { data, coverage, width, height };
  } finally {
    bitmap.close();
  }
}
