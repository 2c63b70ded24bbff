/**
 * Ultra HDR in the page: src/finish/ultraHdr.ts says what the two pictures hold. Both are drawn in bands, one canvas
 * after the other, and encoded by the browser.
 */
import { finishedUltraHdr } from '../../../src/finish/ultraHdr.ts';
import type { FinishedForHdr } from '../../../src/finish/ultraHdr.ts';
import type { Metadata } from '../../../src/image/metadataSegments.ts';
import { joinUltraHdr } from '../../../src/image/ultraHdrJpeg.ts';
import { drawCodes } from './drawCodes.ts';

/**
 * The quality of both JPEGs. Browsers halve the resolution of chroma; at this quality the decoded light is as accurate
 * as at 92 without that (42 to 54 dB of mu-law light on four panoramas).
 */
const QUALITY = 0.97;

/**
 * Encodes a finished picture.
 * @param files EXIF and profile of the file.
 * @returns the file in pieces.
 * @throws RangeError without the memory for it; the errors of `finished`.
 */
export async function encodeUltraHdr(
  finished: FinishedForHdr,
  width: number,
  height: number,
  files: Metadata = {},
): Promise<Uint8Array[]> {
  const { base, map, gains } = await finishedUltraHdr(finished);
  const jpegOf = async (codes: Uint8Array | Uint8ClampedArray): Promise<Uint8Array> => {
    const blob = await drawCodes(codes, width, height, { type: 'image/jpeg', quality: QUALITY });
    return new Uint8Array(await blob.arrayBuffer());
  };
  return joinUltraHdr(await jpegOf(base), await jpegOf(map), gains, files);
}
