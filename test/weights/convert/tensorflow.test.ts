/** TensorFlow's V2 checkpoints, made by hand in the forms that its savers write, and damaged ones. */
import { describe, expect, it } from 'vitest';
import { decodeAssigned, propose } from '../../../src/weights/convert/propose.ts';
import { crc32c } from '../../../src/weights/convert/crc32c.ts';
import { goldenWeights, open, refusal } from './open.ts';
import { crc32cOf, field, tensorflowBundle } from './tensorflowBundle.ts';
import type { BundleQuirks, BundleTensor } from './tensorflowBundle.ts';

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** A kernel in HWIO; other tensors as they are. */
function hwio(data: Float32Array, shape: readonly number[]): BundleTensor {
  if (shape.length !== 4) return { dtype: 1, shape, bytes: bytesOf(data) };
  const [output, input, height, width] = shape;
  const turned = new Float32Array(data.length);
  for (let o = 0; o < output; o++)
    for (let i = 0; i < input; i++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          turned[((y * width + x) * input + i) * output + o] = data[((o * input + i) * height + y) * width + x];
  return { dtype: 1, shape: [height, width, input, output], bytes: bytesOf(turned) };
}

/** The golden network under names that `rename` makes of its own. */
function bundle(rename: (name: string, i: number) => string, quirks?: BundleQuirks): Record<string, Uint8Array> {
  const tensors = new Map(
    [...goldenWeights()].map(
      ([name, { data, shape }], i) => [rename(name, Math.floor(i / 2)), hwio(data, shape)] as const,
    ),
  );
  return tensorflowBundle('ckpt-3', new Map([...tensors, ...OTHERS]), quirks);
}

const OTHERS: [string, BundleTensor][] = [
  ['_CHECKPOINTABLE_OBJECT_GRAPH', { dtype: 7, shape: [], bytes: Uint8Array.of(3, 1, 2, 3) }],
  ['save_counter/.ATTRIBUTES/VARIABLE_VALUE', { dtype: 9, shape: [], bytes: new Uint8Array(8) }],
];
const read = (files: Record<string, Uint8Array>) => open(files['ckpt-3.index'], 'ckpt-3.index', files);

describe('a checkpoint of TensorFlow', () => {
  it.each<[string, (name: string, i: number) => string, 'name' | 'order']>([
    [
      "tf.train.Checkpoint's",
      (name) => `${name.replaceAll('.', '/').replace('weight', 'kernel')}/.ATTRIBUTES/VARIABLE_VALUE`,
      'name',
    ],
    ["tf.train.Saver's", (name) => `net/${name.replaceAll('.', '/')}`, 'name'],
    [
      "a Keras model's, of more than ten layers",
      (name, i) => `layer_with_weights-${i}/${name.endsWith('bias') ? 'bias' : 'kernel'}/.ATTRIBUTES/VARIABLE_VALUE`,
      'order',
    ],
  ])('gives the weights bit by bit: %s', async (_, rename, how) => {
    const checkpoint = await read(bundle(rename));
    const proposal = await propose(checkpoint, { name: 'x' });
    const weights = decodeAssigned(checkpoint, proposal);
    for (const [name, { shape, data }] of goldenWeights()) expect(weights.get(name), name).toEqual({ shape, data });
    expect(proposal.layout).toBe('HWIO');
    expect(proposal.assignments.some(({ by }) => by === how)).toBe(true);
    expect([...checkpoint.others.values()]).toEqual(['text []', 'i64 []']);
  });

  it('reads f64, f16, bf16, big-endian values, two shards, and passes over optimisers', async () => {
    const values = Float64Array.of(1.5, -0.1);
    const big = bytesOf(values).map((_, i, all) => all[8 * Math.floor(i / 8) + 7 - (i % 8)]);
    const tensors = new Map<string, BundleTensor>([
      ['a', { dtype: 2, shape: [2], bytes: big }],
      ['b', { dtype: 19, shape: [1], bytes: Uint8Array.of(0x3e, 0), shard: 1 }],
      ['c', { dtype: 14, shape: [1], bytes: Uint8Array.of(0x3f, 0xc0) }],
      ['a/Adam_1', { dtype: 2, shape: [2], bytes: big }],
      ['a/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE', { dtype: 2, shape: [2], bytes: big }],
    ]);
    const { tensors: found, others } = await read(tensorflowBundle('ckpt-3', tensors, { shards: 2, bigEndian: true }));
    expect([...found].map(([name, tensor]) => [name, ...tensor.read()])).toEqual([
      ['a', 1.5, Math.fround(-0.1)],
      ['b', 1.5],
      ['c', 1.5],
    ]);
    expect(others.size).toBe(2);
  });

  it('has the checksums of the format', () => {
    // RFC 3720, B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    const bytes = Uint8Array.from({ length: 999 }, (_, i) => (i * i) % 251);
    expect(crc32c(bytes)).toBe(crc32cOf(bytes));
  });
});

describe('a checkpoint of TensorFlow is refused', () => {
  const one = new Map<string, BundleTensor>([['a', { dtype: 1, shape: [2], bytes: new Uint8Array(8) }]]);
  const refused = (quirks: BundleQuirks, change = (files: Record<string, Uint8Array>) => files) =>
    refusal(async () => {
      const { tensors } = await read(change(tensorflowBundle('ckpt-3', one, quirks)));
      for (const tensor of tensors.values()) tensor.read();
    });

  it.each<[string, BundleQuirks, RegExp]>([
    ['compressed with Snappy', { blockType: 1 }, /compressed with Snappy, which is not read/],
    ['in an unknown type of block', { blockType: 9 }, /unknown type 9/],
    ['in slices', { entry: (_, message) => [...message, ...field(7, [])] }, /"a" is in slices/],
    [
      'of too many values for its bytes',
      { entry: () => [...field(1, 1), ...field(2, field(2, field(1, 3))), ...field(5, 8)] },
      /needs 12 bytes, it has 8/,
    ],
    [
      'of 2^60 values',
      { entry: () => [...field(1, 1), ...field(2, field(2, field(1, 2 ** 50)))] },
      /more than 268435456 values/,
    ],
    [
      'beyond its data',
      { entry: (_, message) => [...message, ...field(4, 100)] },
      /ends at byte 108 of .*, which ends at 8/,
    ],
    ['in a file that does not exist', { entry: (_, message) => [...message, ...field(3, 7)] }, /file 7 of 1/],
    ['without files', { header: field(1, 0) }, /it has 0 files of data/],
    ['of the first format', { header: field(1, field(1, 5)) }, /TensorFlow's first format/],
  ])('%s', async (_, quirks, expected) => {
    expect(await refused(quirks)).toMatch(expected);
  });

  it('with a wrong checksum, a missing file, a block cut off', async () => {
    const data = 'ckpt-3.data-00000-of-00001';
    expect(await refused({}, (files) => ({ ...files, [data]: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0) }))).toMatch(
      /the checksum of tensor "a" in ckpt-3\.data-00000-of-00001 is wrong/,
    );
    expect(await refused({}, (files) => ({ 'ckpt-3.index': files['ckpt-3.index'] }))).toMatch(/no file "ckpt-3\.data/);
    const change = (at: number) => (files: Record<string, Uint8Array>) => {
      files['ckpt-3.index'][at] ^= 1;
      return files;
    };
    expect(await refused({}, change(3))).toMatch(/the checksum of a block is wrong/);
    expect(await refusal(open(Buffer.from('model_checkpoint_path: "ckpt-3"\n')))).toMatch(/name the \.index of one/);
    expect(await refusal(open(new Uint8Array(9), 'ckpt-3.data-00000-of-00001'))).toMatch(/name its \.index/);
  });
});
