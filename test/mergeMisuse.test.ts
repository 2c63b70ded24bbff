/** What a merge says to frames and options that no type checker saw. Afterwards the same Deghoster merges. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../src/errors.ts';
import { Deghoster } from '../src/index.ts';
import type { MergeResult } from '../src/index.ts';
import { testDevice } from './gpu.ts';
import {
  NOT_BOOLEANS,
  NOT_FUNCTIONS,
  NOT_NUMBERS,
  NOT_OBJECTS,
  NOT_SIGNALS,
  NOT_WHOLE,
  NOT_WORDS,
  PLAIN,
  changed,
  curves,
  map,
  maps,
  refuses,
  stack,
} from './misuse.ts';
import type { Any, Case } from './misuse.ts';
import { readGolden } from './reference/goldens.ts';

let plain: Any;
let fixed: Any;
let good: MergeResult;

beforeAll(async () => {
  const device = await testDevice();
  plain = await Deghoster.create({ device });
  fixed = await Deghoster.create({ device, weights: readGolden('fixed-halo').weightsBytes });
  good = await plain.merge(stack(), PLAIN);
});

afterAll(async () => {
  // Nothing of what was refused has done any harm.
  expect((await plain.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
  for (const one of [plain, fixed]) one.dispose();
});

const merging = (options: object): Promise<unknown> => plain.merge(stack(), { ...PLAIN, ...options });
const merged = (frames: unknown): Promise<unknown> => plain.merge(frames, PLAIN);

describe('merge refuses', () => {
  it('a Deghoster made with new', () => {
    const made = (): unknown => new (Deghoster as unknown as new () => Deghoster)();
    expect(made).toThrow(UsageError);
    expect(made).toThrow('call and await Deghoster.create');
  });

  it('what holds no frames, and the wrong number of them', async () => {
    await refuses(
      'usage',
      'frames',
      [...NOT_OBJECTS, [{}, 'is an Object'], [new Uint8Array(3), 'is a Uint8Array'], [undefined, 'is undefined']],
      merged,
    );
    await refuses(
      'input',
      'frame',
      [
        [[], '0 frame'],
        [stack([1]), '1 frame given'],
        [new Array(1000), '1000 frames given'],
      ],
      merged,
    );
    await refuses(
      'input',
      'frame',
      [
        [stack([1, 4]), '2 are given'],
        [stack([1, 2, 4, 8]), '4 are given'],
      ],
      (frames) => fixed.merge(frames, { align: 'none' }),
    );
  });

  it('frames that are none', async () => {
    await refuses('input', 'frame 2', NOT_OBJECTS.slice(0, 3), (value) => merged([stack()[0], value, stack()[2]]));
    // biome-ignore lint/suspicious/noSparseArray: a hole is the case
    await refuses('input', 'frame 2', [[[stack()[0], , stack()[2]], 'is undefined']], merged);
    await refuses('input', 'frame 1', [[[{}, {}], 'has no pixels']], merged);
    await refuses(
      'input',
      'frame 2',
      [
        [{ data: undefined }, 'has no pixels'],
        [{ data: undefined, image: 5 }, 'image is 5'],
        [{ data: undefined, texture: null }, 'texture is null'],
        [{ data: undefined, buffer: 'b' }, 'buffer is "b"'],
        [{ data: undefined, texture: {} }, 'width is undefined'],
        [{ data: undefined, buffer: {} }, 'usage undefined'],
      ],
      (fields) => merged(changed(fields)),
    );
    await refuses(
      'usage',
      'frame 2: name',
      [
        [null, 'is null'],
        [5, 'is 5'],
        [{}, 'is an Object'],
      ],
      (name) => merged(changed({ name })),
    );
  });

  it.each<[string, Case[]]>([
    ['width', [...NOT_WHOLE.filter(([value]) => value !== 2 ** 53), [0, 'is 0'], [undefined, 'is undefined']]],
    ['height', [...NOT_WHOLE.filter(([value]) => value !== 2 ** 53), [0, 'is 0']]],
    ['exposure', [...NOT_NUMBERS, [0, 'is 0'], [-0, 'is -0'], [undefined, 'is undefined']]],
    [
      'data',
      [Float64Array, Int8Array, Int16Array, Uint32Array, Int32Array, BigInt64Array, Array]
        .map(
          (Class: Any): Case => [
            new Class(1200),
            `is a${/^[AIB]/.test(Class.name) && Class.name !== 'BigInt64Array' ? 'n' : ''} ${Class.name}`,
          ],
        )
        .concat([
          [new DataView(new ArrayBuffer(1200)), 'is a DataView'],
          [new Proxy(new Uint8Array(1200), {}), 'is an Object'],
          ['abc', 'is "abc"'],
          [null, 'is null'],
          [new ArrayBuffer(1200), 'is an ArrayBuffer'],
        ]),
    ],
    [
      'coverage',
      [
        [new Float32Array(400), 'is a Float32Array'],
        [null, 'is null'],
        [Array(400).fill(1), 'is an Array'],
      ],
    ],
  ])("a frame's %s", async (name, cases) => {
    await refuses('input', name, cases, (value) => merged(changed({ [name]: value }, 0)));
  });

  it('samples that do not fit, or are out of range', async () => {
    await refuses(
      'input',
      'frame 2',
      [
        [{ data: new Uint8Array(1199) }, '1199 samples'],
        [{ data: new Uint8Array(0) }, '0 samples'],
        [{ coverage: new Uint8Array(399) }, '399 values of coverage'],
        [{ width: 1e9, height: 1e9 }, '1000000000'],
      ],
      (fields) => merged(changed(fields)),
    );
    for (const value of [NaN, Infinity, -Infinity, -0.01, 1.0001]) {
      const frames = stack([1, 4, 16], Float32Array, 1);
      frames[1].data[7] = value;
      await refuses('input', 'frame 2: sample 7', [[frames, `is ${Math.fround(value)}`]], merged);
    }
  });

  it('exposures that float32 cannot tell apart by their ratio', async () => {
    for (const exposures of [
      [5e-324, 1, 4],
      [1e-300, 1, 1e300],
      [1e-200, 1, 1e200],
      [1, 2, 3e38],
    ])
      await refuses('input', 'exposures', [[stack(exposures), `from ${exposures[0]} to ${exposures[2]}`]], merged);
    await refuses('input', 'exposure', [[stack([2, 2, 2]), 'same exposure (2)']], merged);
  });

  it('options that are none, and names that are none', async () => {
    await refuses('usage', 'options', NOT_OBJECTS, (options) => plain.merge(stack(), options));
    await refuses('usage', 'refrence', [[{ refrence: 1 }, 'its options are reference, align']], merging);
    await merging({ refrence: undefined });
  });

  it.each<[string, 'usage' | 'input', Case[]]>([
    ['reference', 'input', [...NOT_WHOLE, [3, 'is 3'], ['first', 'is "first"']]],
    ['align', 'usage', [...NOT_WORDS, [{ matrices: 5 }, 'is an Object'], [{ matrices: [] }, '0 matrices']]],
    ['skipMisfits', 'usage', [...NOT_BOOLEANS, [true, '"none"']]],
    ['strength', 'usage', [...NOT_NUMBERS.filter(([value]) => value !== 0), [1.01, 'is 1.01']]],
    ['response', 'usage', NOT_WORDS.slice(0, 4)],
    [
      'response',
      'input',
      [
        [{}, 'channel r is missing'],
        [[1, 2, 3], 'channel r is missing'],
        [curves((i) => i, 2), '2 values, 256'],
        [curves(() => NaN), 'index 0: NaN'],
        [curves((i) => 1 - i / 255), 'must not decrease'],
        [curves(() => 1e30), 'index 0: 1e+30'],
        [curves((i) => `${i}`), 'index 0: "0"'],
        [curves(() => 0.5, 100_000), '100000 values'],
        [{ ...curves((i) => i / 255), g: [0, 1] }, 'channel g has 2 values'],
      ],
    ],
    [
      'motion',
      'usage',
      [
        [null, 'is null'],
        ['abc', 'is "abc"'],
        [{}, 'is an Object'],
        [map(0), 'is a Float32Array'],
      ],
    ],
    [
      'motion',
      'input',
      [
        [[map(0)], '1 motion maps for 3'],
        [maps((k) => (k === 1 ? undefined : map(0))), 'map 2 is undefined'],
        [Object.assign(new Array(3), { 0: map(0), 2: map(0) }), 'map 2 is undefined'],
        [maps(() => Array(400).fill(0.5)), 'is an Array'],
        [maps(() => new Uint8Array(400)), 'is a Uint8Array'],
        [maps(() => new Float64Array(400)), 'is a Float64Array'],
        [maps(() => new Float32Array(399)), '399 values'],
        [maps(() => map(NaN)), 'is NaN'],
        [maps(() => map(2)), 'is 2'],
        [maps(() => map(-1)), 'is -1'],
      ],
    ],
    ['method', 'usage', NOT_WORDS],
    ['onProgress', 'usage', NOT_FUNCTIONS],
    ['onRows', 'usage', NOT_FUNCTIONS],
    ['onDeviceLost', 'usage', NOT_FUNCTIONS],
    ['signal', 'usage', NOT_SIGNALS],
    ['profile', 'usage', NOT_BOOLEANS],
  ])('%s (%s)', async (name, kind, cases) => {
    await refuses(kind, name, cases, (value) => merging({ [name]: value }));
    await refuses(kind, name, cases.slice(0, 1), (value) => plain.mergeToBuffer(stack(), { ...PLAIN, [name]: value }));
  });

  it('matrices that are none', async () => {
    const I = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const bad: Case[] = [
      [null, '0 numbers'],
      [[1, 2], '2 numbers'],
      [new Float64Array(10), '10 numbers'],
      ['123456789', '"1"'],
      [I.map(String), '"1"'],
      [I.map(BigInt), '1n'],
      [I.with(2, NaN), 'NaN'],
      [I.with(8, 0), 'last number'],
      [I.with(8, 5e-324), 'times as large'],
      [I.map(() => 1e308), 'times as large'],
    ];
    await refuses('input', 'frame 3', bad, (matrix) => merging({ align: { matrices: [I, I, matrix] } }));
  });

  it('what was transferred before, by name', async () => {
    const frames = stack();
    structuredClone(frames[1].data.buffer, { transfer: [frames[1].data.buffer] });
    await refuses('input', 'frame 2', [[frames, '0 samples']], merged);
    const motion = maps(() => map(0)) as Float32Array[];
    structuredClone(motion[0].buffer, { transfer: [motion[0].buffer as ArrayBuffer] });
    await refuses('input', 'motion map 1', [[motion, '0 values']], (value) => merging({ motion: value }));
  });
});
