/**
 * Writes TensorFlow's V2 checkpoints for tests, from the format's descriptions and with code of its own: TensorFlow is
 * in no package that the tests could install. Blocks are small, so that there are several, and keys share prefixes.
 */

/** A tensor of a bundle: its values in the bytes of its type. */
export interface BundleTensor {
  /** tensorflow/core/framework/types.proto: 1 float, 2 double, 9 int64, 14 bfloat16, 19 half. */
  dtype: number;
  shape: readonly number[];
  bytes: Uint8Array;
  shard?: number;
}

/** Departures from a sound bundle. */
export interface BundleQuirks {
  shards?: number;
  bigEndian?: boolean;
  /** Type byte of blocks: 1 is Snappy. */
  blockType?: number;
  /** Replaces an entry's message. */
  entry?: (key: string, message: number[]) => number[];
  /** Replaces the header's message. */
  header?: number[];
  /** Entries of a block. */
  perBlock?: number;
}

/** CRC-32C bit by bit. */
export function crc32cOf(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

function masked(bytes: Iterable<number>): number {
  const crc = BigInt(crc32cOf(bytes));
  return Number(((((crc >> 15n) | (crc << 17n)) & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn);
}

export function varint(value: number): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest];
    out.push((rest % 128) + 128);
  }
}

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
/** A field of a message: a number, or bytes. */
export const field = (number: number, value: number | number[]): number[] =>
  typeof value === 'number'
    ? [...varint(number * 8), ...varint(value)]
    : [...varint(number * 8 + 2), ...varint(value.length), ...value];

/** @returns the files, by their names. */
export function tensorflowBundle(
  prefix: string,
  tensors: ReadonlyMap<string, BundleTensor>,
  quirks: BundleQuirks = {},
): Record<string, Uint8Array> {
  const { shards = 1, bigEndian = false, blockType = 0, perBlock = 5 } = quirks;
  const data = Array.from({ length: shards }, (): number[] => []);
  const header = quirks.header ?? [...field(1, shards), ...field(2, bigEndian ? 1 : 0), ...field(3, [...field(1, 1)])];
  const entries: [key: string, value: number[]][] = [['', header]];
  for (const [key, { dtype, shape, bytes, shard = 0 }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const dims = shape.flatMap((side) => field(2, field(1, side)));
    const message = [
      ...field(1, dtype),
      ...field(2, dims),
      ...(shard ? field(3, shard) : []),
      ...field(4, data[shard].length),
      ...field(5, bytes.length),
      ...[6 * 8 + 5, ...u32(masked(bytes))],
    ];
    for (const byte of bytes) data[shard].push(byte);
    entries.push([key, quirks.entry?.(key, message) ?? message]);
  }
  const out: number[] = [];
  const addBlock = (items: readonly [string, number[]][]): [offset: number, size: number] => {
    const block: number[] = [];
    const restarts: number[] = [];
    let before = Buffer.alloc(0);
    items.forEach(([key, value], i) => {
      const bytes = Buffer.from(key);
      let shared = 0;
      if (i % 3 === 0) restarts.push(block.length);
      else while (shared < Math.min(before.length, bytes.length) && before[shared] === bytes[shared]) shared++;
      block.push(
        ...varint(shared),
        ...varint(bytes.length - shared),
        ...varint(value.length),
        ...bytes.subarray(shared),
      );
      block.push(...value);
      before = bytes;
    });
    block.push(...restarts.flatMap(u32), ...u32(restarts.length));
    const offset = out.length;
    out.push(...block, blockType, ...u32(masked([...block, blockType])));
    return [offset, block.length];
  };
  const index: [string, number[]][] = [];
  for (let i = 0; i < entries.length; i += perBlock) {
    const part = entries.slice(i, i + perBlock);
    const [offset, size] = addBlock(part);
    // LevelDB shortens the key of an index entry; any key not below the block's last one will do.
    index.push([`${part.at(-1)![0]}~`, [...varint(offset), ...varint(size)]]);
  }
  const [metaOffset, metaSize] = addBlock([]);
  const [indexOffset, indexSize] = addBlock(index);
  const footer = [...varint(metaOffset), ...varint(metaSize), ...varint(indexOffset), ...varint(indexSize)];
  while (footer.length < 40) footer.push(0);
  out.push(...footer, 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
  const pad = (n: number): string => String(n).padStart(5, '0');
  return {
    [`${prefix}.index`]: Uint8Array.from(out),
    ...Object.fromEntries(
      data.map((bytes, shard) => [`${prefix}.data-${pad(shard)}-of-${pad(shards)}`, Uint8Array.from(bytes)]),
    ),
  };
}
