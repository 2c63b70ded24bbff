/**
 * Ultra HDR: a JPEG with a gain map, an ordinary picture for ordinary displays and the whole range for others.
 *
 * The package `hdrify` computes both pictures and joins them, the browser's own encoder makes them JPEGs; in bands, so that of 24 megapixels no more than two 8-bit pictures are held at
 * once. (hdrify's whole way takes floats of everything, 28 bytes a pixel more, and an encoder in JavaScript that takes half a minute.)
 */
import { gainMaps } from './decode/packages.ts';

/** Pixels of a band. */
const BAND_PIXELS = 1 << 19;
/** Of both JPEGs. Browsers halve the resolution of colours; at this quality what is read back is as near as at hdrify's 92, which does not (42 to 54 dB of mu-law light on four panoramas). */
const QUALITY = 0.97;
/** Added to both lights before their ratio is taken, so that black stays black: hdrify's own, and libultrahdr's. */
const OFFSET = 1 / 64;

/**
 * Encodes it.
 * @param radiance RGB, `[height, width, 3]`; times `scale` it is 1 at the reference frame's white.
 * @param exposure of the ordinary picture, whose curve is x / (1 + x): the encoder's other curves change the brightness that decoders reconstruct.
 * @throws RangeError without the memory for it.
 */
export async function encodeUltraHdr(radiance: Float32Array, width: number, height: number, scale: number, exposure: number): Promise<Blob> {
  const { encodeGainMap, encodeJPEGMetadata } = await gainMaps();
  let largest = 0;
  for (let i = 0; i < radiance.length; i++) if (radiance[i] > largest) largest = radiance[i];
  // The ratio grows with the light, so the brightest sample has the largest.
  const light = largest * scale * exposure;
  const maxContentBoost = Math.max(1.0001, (light + OFFSET) / (light / (1 + light) + OFFSET));
  const [base, gains] = [canvasOf(width, height), canvasOf(width, height)];
  const rows = Math.max(1, Math.floor(BAND_PIXELS / width));
  let metadata;
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    const data = new Float32Array(width * count * 4);
    for (let i = 3 * y * width, j = 0; j < data.length; i += 3, j += 4) {
      data[j] = radiance[i] * scale;
      data[j + 1] = radiance[i + 1] * scale;
      data[j + 2] = radiance[i + 2] * scale;
      data[j + 3] = 1;
    }
    const band = encodeGainMap({ width, height: count, data, linearColorSpace: 'linear-rec709' }, { toneMapping: 'reinhard', exposure, maxContentBoost, minContentBoost: 1 });
    metadata = band.metadata;
    base.context.putImageData(new ImageData(band.sdr as Uint8ClampedArray<ArrayBuffer>, width, count), 0, y);
    gains.context.putImageData(new ImageData(band.gainMap as Uint8ClampedArray<ArrayBuffer>, width, count), 0, y);
  }
  if (!metadata) throw new RangeError('no rows');
  const [sdr, gainMap] = [await jpegOf(base.canvas), await jpegOf(gains.canvas)];
  const picture = (data: Uint8Array) => ({ data, mimeType: 'image/jpeg' as const, width, height });
  return new Blob([encodeJPEGMetadata({ ...metadata, sdr: picture(sdr), gainMap: picture(gainMap) }) as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' });
}

function canvasOf(width: number, height: number): { canvas: OffscreenCanvas; context: OffscreenCanvasRenderingContext2D } {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new RangeError(`no canvas of ${width}x${height}`);
  return { canvas, context };
}

/** The canvas as a JPEG. It is emptied: its memory goes at once, not with the next garbage collection. */
async function jpegOf(canvas: OffscreenCanvas): Promise<Uint8Array> {
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  canvas.width = canvas.height = 0;
  return new Uint8Array(await blob.arrayBuffer());
}
