/** White-balanced camera RGB to a working space: for every output that is no DNG. */
import { inBands } from './bands.ts';
import { convertMatrix, multiply3 } from './colorSpace.ts';
import type { ColorSpace } from './colorSpace.ts';
import type { CameraColor } from './picture.ts';

/**
 * Converts radiance. Colours outside the working space are negative there.
 * @param radiance white-balanced camera RGB, interleaved; it is not changed.
 * @param options.keepNegative for formats that hold them; others get 0.
 * @throws CancelledError.
 */
export async function developColors(
  radiance: Float32Array,
  camera: CameraColor,
  space: ColorSpace,
  { signal, keepNegative = false }: { signal?: AbortSignal; keepNegative?: boolean } = {},
): Promise<Float32Array<ArrayBuffer>> {
  const m = multiply3(convertMatrix('srgb', space), camera.toSrgb);
  const least = keepNegative ? -Infinity : 0;
  const out = new Float32Array(radiance.length);
  const develop = (from: number, to: number): void => {
    for (let i = from; i < to; i += 3) {
      const [r, g, b] = [radiance[i], radiance[i + 1], radiance[i + 2]];
      for (let c = 0; c < 3; c++) out[i + c] = Math.max(least, m[3 * c] * r + m[3 * c + 1] * g + m[3 * c + 2] * b);
    }
  };
  await inBands(radiance.length, develop, { multiple: 3, signal });
  return out;
}
