/**
 * TIFF's LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, high bits first, that grow one code early. Unpacks no more
 * than there is room for.
 */
import { InputError } from '../../errors.ts';

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const MOST_CODES = 4096;

/**
 * Unpacks a strip or tile.
 * @param length of what is expected.
 * @returns at most that many bytes; fewer where the data ends early.
 * @throws InputError for a code that cannot be.
 */
export function unpackLzw(data: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  // A string is the one before it and a byte, and all of it lies in what was unpacked already.
  const start = new Uint32Array(MOST_CODES);
  const size = new Uint16Array(MOST_CODES);
  let next = FIRST;
  let width = 9;
  let to = 0;
  let last = -1;
  let lastAt = 0;
  let [word, bits] = [0, 0];
  for (let at = 0; to < length; ) {
    while (bits < width && at < data.length) {
      word = ((word << 8) | data[at++]) & 0xffffff;
      bits += 8;
    }
    if (bits < width) break;
    const code = (word >>> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === END) break;
    if (code === CLEAR) {
      [next, width, last] = [FIRST, 9, -1];
      continue;
    }
    if (code > next || (code === next && last < 0) || (code >= CLEAR && code < FIRST))
      throw new InputError(`LZW code ${code} where the largest is ${next}`);
    const from = to;
    const isNew = code >= next;
    const count = isNew ? lengthOf(last, size) + 1 : lengthOf(code, size);
    if (code < CLEAR) out[to++] = code;
    else {
      const source = isNew ? lastAt : start[code];
      for (let i = 0; i < count && to < length; i++) out[to++] = out[source + i];
    }
    if (last >= 0 && next < MOST_CODES) {
      start[next] = lastAt;
      size[next] = lengthOf(last, size) + 1;
      next++;
      if (next + 1 >= 1 << width && width < 12) width++;
    }
    last = code;
    lastAt = from;
  }
  return out.subarray(0, to);
}

function lengthOf(code: number, size: Uint16Array): number {
  return code < CLEAR ? 1 : size[code];
}
