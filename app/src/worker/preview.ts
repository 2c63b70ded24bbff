/**
 * Small JPEGs: of a frame, for the list and for the stage before the merge, and of a file, for the plan of a folder.
 */
import type { ExposureInfo } from '../../../src/image/exif.ts';
import type { DecodedImage } from '../../../src/image/picture.ts';
import { encodeSrgb } from '../../../src/image/srgb.ts';
import { checkedBitmap } from './decode/checkedBitmap.ts';
import { decodeFile } from './decode/index.ts';

const LONG_SIDE = 1280;
/** Of thumbnails, which are shown at half of that and on dense displays at all of it. */
export const THUMBNAIL_SIDE = 256;
const QUALITY = 0.86;

/**
 * Averages blocks of whole pixels: the smallest factor that brings the long side to at most `longSide`. Also the mean
 * of all samples, 0 to 1.
 */
export async function makePreview(
  { data, width, height, linear, camera }: Pick<DecodedImage, 'data' | 'width' | 'height' | 'linear' | 'camera'>,
  longSide = LONG_SIDE,
): Promise<{ preview: Blob; brightness: number }> {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / longSide));
  const [w, h] = [Math.max(1, Math.floor(width / factor)), Math.max(1, Math.floor(height / factor))];
  const top = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;
  const scale = 255 / top / (factor * factor);
  const rgba = new Uint8ClampedArray(w * h * 4);
  let total = 0;
  for (let y = 0, to = 0; y < h; y++) {
    for (let x = 0; x < w; x++, to += 4) {
      let [r, g, b] = [0, 0, 0];
      for (let dy = 0; dy < factor; dy++) {
        const row = Math.min(y * factor + dy, height - 1) * width;
        for (let dx = 0; dx < factor; dx++) {
          const i = 3 * (row + Math.min(x * factor + dx, width - 1));
          r += data[i];
          g += data[i + 1];
          b += data[i + 2];
        }
      }
      const m = camera?.toSrgb;
      if (m) [r, g, b] = [0, 3, 6].map((row) => Math.max(0, m[row] * r + m[row + 1] * g + m[row + 2] * b));
      [r, g, b].forEach((sum, c) => {
        const value = linear ? 255 * encodeSrgb((sum * scale) / 255) : sum * scale;
        rgba[to + c] = value;
        total += value;
      });
      rgba[to + 3] = 255;
    }
  }
  return { preview: await jpegOf(new ImageData(rgba, w, h)), brightness: total / (3 * 255 * w * h) };
}

/** A small JPEG. */
export function jpegOf(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
}

/**
 * A thumbnail of a file: by the browser where it reads the format, which takes little memory; else by the page's own
 * decoders.
 * @param isFree whether there is memory for a whole picture: not while a merge is under way.
 * @param signal ends the page's own decoders.
 * @returns undefined where there is none.
 */
export async function makeThumbnail(
  file: Blob,
  name: string,
  isFree: boolean,
  signal?: AbortSignal,
): Promise<Blob | undefined> {
  try {
    const bitmap = await checkedBitmap(file, name, { resizeWidth: THUMBNAIL_SIDE, resizeQuality: 'medium' });
    if (bitmap) {
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
      bitmap.close();
      return await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
    }
  } catch {
    return undefined; // a damaged file is reported when it is merged
  }
  if (!isFree) return undefined;
  try {
    return (await makePreview(await decodeFile(file, name, { signal }), THUMBNAIL_SIDE)).preview;
  } catch {
    return undefined;
  }
}

/** How EXIF's orientations turn a picture of w x h: a canvas's transform. */
const TURNS: Record<number, (w: number, h: number) => [number, number, number, number, number, number]> = {
  2: (w) => [-1, 0, 0, 1, w, 0],
  3: (w, h) => [-1, 0, 0, -1, w, h],
  4: (_, h) => [1, 0, 0, -1, 0, h],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (_, h) => [0, 1, -1, 0, h, 0],
  7: (w, h) => [0, -1, -1, 0, h, w],
  8: (w) => [0, -1, 1, 0, 0, w],
};

/**
 * The JPEG that a camera put beside a picture, turned as that is, and smaller where it is large. undefined if it is
 * none.
 * @param size of the JPEG. @param longSide most pixels of what comes of it.
 */
export async function thumbnailOf(
  jpeg: Blob,
  size: { width: number; height: number },
  { orientation = 1 }: ExposureInfo,
  longSide = LONG_SIDE,
): Promise<Blob | undefined> {
  const scale = Math.min(1, longSide / Math.max(size.width, size.height));
  const resize = { resizeWidth: Math.max(1, Math.round(scale * size.width)), resizeQuality: 'medium' } as const;
  try {
    const bitmap = await checkedBitmap(jpeg, 'a preview', { imageOrientation: 'none', ...(scale < 1 && resize) });
    if (!bitmap) return undefined;
    const { width, height } = bitmap;
    const canvas = orientation > 4 ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    const turn = TURNS[orientation];
    if (turn) context?.setTransform(...turn(width, height));
    context?.drawImage(bitmap, 0, 0);
    bitmap.close();
    return await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  } catch {
    return undefined;
  }
}
