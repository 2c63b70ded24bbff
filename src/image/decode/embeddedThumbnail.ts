/**
 * The small JPEG that cameras put beside a picture: in the second directory of its EXIF (CIPA DC-008, 4.5.8), or in the
 * first one of some RAW files. It is there long before the picture itself is decoded.
 */
import { findExif } from '../exifBlock.ts';
import { entryNumber, readDirectory } from '../tiffEntries.ts';

const OFFSET = 513; // JPEGInterchangeFormat
const LENGTH = 514;

/** Where the directory after the first one begins; undefined if there is none. */
function secondDirectory(block: Uint8Array): number | undefined {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const little = block[0] === 0x49;
  const first = view.getUint32(4, little);
  if (first + 2 > block.length) return undefined;
  const end = first + 2 + 12 * view.getUint16(first, little);
  return end + 4 <= block.length ? view.getUint32(end, little) || undefined : undefined;
}

/**
 * The JPEG's bytes, as they are in the file: not turned, and hostile like everything in it.
 * @param head the file's first bytes, or all of them.
 * @returns undefined if there is none, or it lies outside.
 */
export function embeddedThumbnail(head: Uint8Array): Uint8Array | undefined {
  const block = findExif(head);
  if (!block) return undefined;
  const second = secondDirectory(block);
  for (const entries of [second === undefined ? [] : readDirectory(block, second), readDirectory(block)]) {
    const [from, length] = [OFFSET, LENGTH].map((tag) => entryNumber(entries.find((entry) => entry.tag === tag)));
    if (from === undefined || length === undefined || length < 4 || from + length > block.length) continue;
    if (block[from] === 0xff && block[from + 1] === 0xd8) return block.subarray(from, from + length);
  }
  return undefined;
}
