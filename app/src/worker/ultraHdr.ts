/**
 * Ultra HDR in the page: src/image/gainMap.ts says what the two pictures hold. Both are drawn in bands, one canvas
 * after the other, and encoded by the browser.
 */
import { gainMapCoding } from '../../../src/image/gainMap.ts';
import type { Metadata } from '../../../src/image/metadataSegments.ts';
import { joinUltraHdr } from '../../../src/image/ultraHdrJpeg.ts';

/** Pixels of a band. */
const BAND_PIXELS = 1 << 20;
/**
 * The quality of both JPEGs. Browsers halve the resolution of chroma; at this quality the decoded light is as accurate
 * as at 92 without that (42 to 54 dB of mu-law light on four panoramas).
 */
const QUALITY = 0.97;
/**
 * Encodes a picture.
 * @param radiance RGB, `[height, width, 3]`.
 * @param factor from radiance to the light that the base's curve takes: decoders show 1 as white.
 * @param files EXIF and profile of the file.
 * @returns the file in pieces.
 * @throws RangeError without the memory for it.
 */
export async function encodeUltraHdr(
  radiance: Float32Array,
  width: number,
  height: number,
  factor: number,
  files: Metadata = {},
): Promise<Uint8Array[]> {
  let largest = 0;
  for (let i = 0; i < radiance.length; i++) if (radiance[i] > largest) largest = radiance[i];
  const { base, gain, metadata } = gainMapCoding(largest, factor);
  const sdr = await jpegOf(radiance, width, height, base);
  const gainMap = await jpegOf(radiance, width, height, gain);
  return joinUltraHdr(sdr, gainMap, metadata, files);
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
