/** A small JPEG of a frame, for the list and for the stage before the merge. */
import type { DecodedImage } from '../../../src/image/picture.ts';
import { encodeSrgb } from '../../../src/image/srgb.ts';

const LONG_SIDE = 1280;
const QUALITY = 0.86;

/**
 * Averages blocks of whole pixels: the smallest factor that brings the long side to at most 1280. Also the mean of all
 * samples, 0 to 1.
 */
export async function makePreview({
  data,
  width,
  height,
  linear,
  camera,
}: DecodedImage): Promise<{ preview: Blob; brightness: number }> {
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / LONG_SIDE));
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
  const canvas = new OffscreenCanvas(w, h);
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, w, h), 0, 0);
  return {
    preview: await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY }),
    brightness: total / (3 * 255 * w * h),
  };
}
