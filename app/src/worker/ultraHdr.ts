/**
 * Ultra HDR: a JPEG with a gain map, an ordinary picture for ordinary displays and the whole range for others.
 *
 * The base is the light under the curve x / (1 + x), as sRGB. The gain map holds the logarithm of (light + 1/64) /
 * (base + 1/64), a channel each, of the base as it was rounded, so that decoders get the light back (Adobe's Gain Map
 * 1.0 specification; ISO 21496-1). Both are drawn in bands, one canvas after the other, and encoded by the browser.
 * `hdrify` joins them with their metadata; its own encoder would hold 44 bytes a pixel, which is 1 GB for 24
 * megapixels.
 */
import { decodeSrgb, encodeSrgb } from '../../../src/image/srgb.ts';
import { joinGainMap } from './decode/packages.ts';

/** Pixels of a band. */
const BAND_PIXELS = 1 << 20;
/**
 * The quality of both JPEGs. Browsers halve the resolution of chroma; at this quality the decoded light is as accurate
 * as at 92 without that (42 to 54 dB of mu-law light on four panoramas).
 */
const QUALITY = 0.97;
/** Added to both lights before their ratio is taken, so that black has one too. libultrahdr uses the same value. */
const OFFSET = 1 / 64;
const STEPS = 65535;

/** Code of a base in [0,1], in steps of 1/65535. The gain map compensates for what is lost. */
const TO_CODE = Uint8Array.from({ length: STEPS + 1 }, (_, i) => Math.round(255 * encodeSrgb(i / STEPS)));
/** And back. */
const FROM_CODE = Float64Array.from({ length: 256 }, (_, code) => decodeSrgb(code / 255));

const baseOf = (light: number): number => TO_CODE[Math.round((light / (1 + light)) * STEPS)];

/**
 * Encodes a picture.
 * @param radiance RGB, `[height, width, 3]`.
 * @param factor from radiance to the light that the base's curve takes: decoders show 1 as white.
 * @throws RangeError without the memory for it.
 */
export async function encodeUltraHdr(
  radiance: Float32Array,
  width: number,
  height: number,
  factor: number,
): Promise<Blob> {
  let largest = 0;
  for (let i = 0; i < radiance.length; i++) if (radiance[i] > largest) largest = radiance[i];
  // The ratio grows with the light. Rounded, a base may be a little lower; that is cut off.
  const light = largest * factor;
  const top = Math.max(1e-4, Math.log2((light + OFFSET) / (light / (1 + light) + OFFSET)));
  const sdr = await jpegOf(radiance, width, height, (y) => baseOf(Math.max(0, y * factor)));
  const gainMap = await jpegOf(radiance, width, height, (y) => {
    const x = Math.max(0, y * factor);
    return (255 / top) * Math.log2((x + OFFSET) / (FROM_CODE[baseOf(x)] + OFFSET));
  });
  const encodeJPEGMetadata = await joinGainMap();
  const joined = encodeJPEGMetadata({
    sdr: { data: sdr, mimeType: 'image/jpeg', width, height },
    gainMap: { data: gainMap, mimeType: 'image/jpeg', width, height },
    gamma: [1, 1, 1],
    offsetSdr: [OFFSET, OFFSET, OFFSET],
    offsetHdr: [OFFSET, OFFSET, OFFSET],
    gainMapMin: [0, 0, 0],
    gainMapMax: [top, top, top],
    hdrCapacityMin: 0,
    hdrCapacityMax: top,
  });
  return new Blob([joined as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' });
}

/** A JPEG of codes made from each sample. Only one band is held besides the canvas. */
async function jpegOf(
  radiance: Float32Array,
  width: number,
  height: number,
  code: (sample: number) => number,
): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new RangeError(`no canvas of ${width}x${height}`);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
  const band = new ImageData(width, rows);
  band.data.fill(255);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    for (let i = 3 * y * width, j = 0; j < 4 * width * count; i += 3, j += 4) {
      band.data[j] = code(radiance[i]);
      band.data[j + 1] = code(radiance[i + 1]);
      band.data[j + 2] = code(radiance[i + 2]);
    }
    context.putImageData(band, 0, y);
  }
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
  canvas.width = canvas.height = 0; // its memory goes at once, not with the next garbage collection
  return new Uint8Array(await blob.arrayBuffer());
}
