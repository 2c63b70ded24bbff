/** Damages a file as disks, programs and attackers do: bits, values of fields, cuts, copies; by a seed. */
import { rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';

const BYTES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 32, 64, 127, 128, 129, 254, 255];
/** Counts, lengths and offsets that programs get wrong. */
const WORDS = [
  0, 1, 2, 3, 16, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x10000000,
  0x01000000, 100000, 8192, 8193,
];
const FLOATS = [NaN, Infinity, -Infinity, 1e38, -1, 2, 1e-45];
const TEXTS = [
  '0',
  '9',
  '-',
  '1e999',
  '"',
  '}',
  '{',
  '[',
  'null',
  '"__proto__":',
  '1e308',
  '\0',
  '\x1b[31m',
  '\u202e',
  '\\u0000',
];
/** Most changes of a mutation lie this near the start, where headers are. */
const HEAD = 600;

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** Makes a PNG's checksums right, so that what is inside is looked at. */
function withChecksums(bytes: Buffer): Buffer {
  for (let at = 8; at + 12 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) break;
    let crc = 0xffffffff;
    for (let i = at + 4; i < end; i++) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    bytes.writeUInt32BE((crc ^ 0xffffffff) >>> 0, end);
    at = end + 4;
  }
  return bytes;
}

function change(bytes: Buffer, random: Rng): Buffer {
  const at = random.int(0, (random.next() < 0.7 ? Math.min(bytes.length, HEAD) : bytes.length) - 1);
  const rest = bytes.length - at;
  const isLittle = random.next() < 0.5;
  switch (random.int(0, 11)) {
    case 0:
      bytes[at] ^= 1 << random.int(0, 7);
      return bytes;
    case 1:
      bytes[at] = random.int(0, 255);
      return bytes;
    case 2:
      bytes[at] = random.pick(BYTES);
      return bytes;
    case 3:
      if (rest >= 2) bytes[isLittle ? 'writeUInt16LE' : 'writeUInt16BE'](random.pick(WORDS) & 0xffff, at);
      return bytes;
    case 4:
    case 5:
      if (rest >= 4) bytes[isLittle ? 'writeUInt32LE' : 'writeUInt32BE'](random.pick(WORDS), at);
      return bytes;
    case 6:
      return bytes.subarray(0, at);
    case 7:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.int(0, 64))]);
    case 8:
      return Buffer.concat([bytes.subarray(0, at + random.int(0, 64)), bytes.subarray(at)]);
    case 9:
      bytes.copy(bytes, random.int(0, bytes.length - 1), at, Math.min(bytes.length, at + random.int(1, 32)));
      return bytes;
    case 10:
      if (rest >= 4) bytes.writeFloatLE(random.pick(FLOATS), at);
      return bytes;
    default: {
      const text = Buffer.from(random.pick(TEXTS));
      return Buffer.concat([bytes.subarray(0, at), text, bytes.subarray(at + (isLittle ? text.length : 0))]);
    }
  }
}

/** A mutation of one of the files, the same for the same seed. */
export function mutation(files: readonly Uint8Array[], seed: number): Buffer {
  const random = rng(seed);
  let bytes: Buffer = Buffer.from(files[seed % files.length]);
  for (let n = random.int(1, 1 + Math.floor(random.next() * 8)); n > 0 && bytes.length > 0; n--)
    bytes = Buffer.from(change(bytes, random));
  const isPng = bytes.length > 8 && bytes.readUInt32BE(0) === 0x89504e47;
  return isPng && random.next() < 0.8 ? withChecksums(bytes) : bytes;
}
