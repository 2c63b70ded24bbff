/**
 * What the library says to calls that no type checker saw: every argument and option of the core, wrong in every way.
 * An error names the argument and the value, or says what the value is; afterwards the same Deghoster merges.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as deghost from '../src/index.ts';
import type { MergeResult } from '../src/index.ts';
import { mergeWarnings } from '../src/warnings.ts';
import { testDevice } from './gpu.ts';
import {
  NOT_BOOLEANS,
  NOT_DEVICES,
  NOT_FUNCTIONS,
  NOT_NUMBERS,
  NOT_OBJECTS,
  NOT_SIGNALS,
  NOT_WHOLE,
  NOT_WORDS,
  refuses,
} from './misuse.ts';
import type { Any, Case } from './misuse.ts';
import { readGolden } from './reference/goldens.ts';

const { Deghoster } = deghost;
const library = deghost as Any;
const SIZE = 20;

/** Frames of a smooth scene. */
function stack(exposures: readonly number[] = [1, 4, 16], Samples: Any = Uint8Array, top = 255): Any[] {
  return exposures.map((exposure, k) => ({
    data: Samples.from({ length: SIZE * SIZE * 3 }, (_: unknown, i: number) => {
      const value = Math.min(1, 0.03 * (1 + Math.sin(i * 0.11)) * 4 ** k) ** (1 / 2.2);
      return top === 1 ? value : Math.round(top * value);
    }),
    width: SIZE,
    height: SIZE,
    exposure,
  }));
}

/** The stack with one frame changed. */
const changed = (fields: object, at = 1): Any[] =>
  stack().map((frame, k) => (k === at ? { ...frame, ...fields } : frame));
const maps = (of: (k: number) => unknown): unknown[] => [0, 1, 2].map(of);
const map = (value: number): Float32Array => new Float32Array(SIZE * SIZE).fill(value);
const curves = (of: (i: number) => unknown, length = 256): object => {
  const curve = Array.from({ length }, (_, i) => of(i));
  return { r: curve, g: curve, b: curve };
};
const weightsOf = (name: string): Uint8Array => readGolden(name).weightsBytes;

let device: GPUDevice;
let plain: Any;
let fixed: Any;
let any: Any;
let good: MergeResult;

const PLAIN = { method: 'merge', align: 'none', response: 'gamma' };

beforeAll(async () => {
  device = await testDevice();
  plain = await Deghoster.create({ device });
  fixed = await Deghoster.create({ device, weights: weightsOf('fixed-halo') });
  any = await Deghoster.create({ device, weights: weightsOf('any-5') });
  good = await plain.merge(stack(), PLAIN);
});

afterAll(async () => {
  // Nothing of what was refused has done any harm.
  expect((await plain.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
  for (const one of [plain, fixed, any]) one.dispose();
});

const merging = (options: object): Promise<unknown> => plain.merge(stack(), { ...PLAIN, ...options });
const merged = (frames: unknown): Promise<unknown> => plain.merge(frames, PLAIN);

describe('Deghoster.create refuses', () => {
  const create = async (options: unknown): Promise<void> => {
    (await library.Deghoster.create(options)).dispose();
  };

  it('options that are none, and names that are none', async () => {
    await refuses('usage', 'options', NOT_OBJECTS, create);
    await refuses('usage', 'wieghts', [[{ device, wieghts: 1 }, 'its options are weights, device']], create);
  });

  it.each<[string, 'usage' | 'input', Case[]]>([
    [
      'weights',
      'usage',
      [...NOT_OBJECTS, [[1, 2], 'is an Array'], [new Float32Array(8), 'is a Float32Array'], ['', 'is ""'], [0, 'is 0']],
    ],
    [
      'weights',
      'input',
      [
        [new Uint8Array(0), '0 bytes'],
        [new ArrayBuffer(100), 'header'],
        [new Uint8Array(100), 'header'],
      ],
    ],
    ['device', 'usage', NOT_DEVICES],
    [
      'device',
      'usage',
      [
        [async () => undefined, 'is undefined'],
        [() => 5, 'is 5'],
        [async () => ({}), 'is an Object'],
      ],
    ],
    ['precision', 'usage', NOT_WORDS],
    [
      'tuning',
      'usage',
      [
        ...NOT_OBJECTS,
        [{}, 'is an Object'],
        [{ classes: null }, 'is an Object'],
        [{ classes: [null] }, 'is an Object'],
        [{ classes: [{ name: 'x' }] }, 'is an Object'],
      ],
    ],
    ['memoryBudget', 'usage', [...NOT_NUMBERS.filter(([value]) => value !== Infinity), [0, 'is 0'], [-0, 'is -0']]],
  ])('%s (%s)', async (name, kind, cases) => {
    await refuses(kind, name, cases, (value) => create({ device, [name]: value }));
  });

  it('nothing that the device function throws, which is thrown as it is', async () => {
    for (const thrower of [
      async () => Promise.reject(new Error('mine')),
      () => {
        throw new Error('mine');
      },
    ])
      await expect(create({ device: thrower })).rejects.toThrow(/^mine$/);
  });
});

describe('merge refuses', () => {
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

describe('a merge', () => {
  it('reads options and fields once, at the call', async () => {
    /** A field that is right when it is read first, and else wrong. */
    const once = (right: unknown, wrong: unknown): PropertyDescriptor => {
      let reads = 0;
      return { get: () => (reads++ === 0 ? right : wrong), enumerable: true };
    };
    const [a, b, c] = stack();
    const names = ['data', 'width', 'height', 'exposure'];
    const frame = Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, once(b[name], null)])));
    const options = Object.defineProperties(
      { ...PLAIN },
      { method: once('merge', 'network'), align: once('none', null) },
    );
    const frames = [a, frame, c];
    const running = plain.merge(frames, options);
    c.exposure = NaN;
    a.width = 5;
    frames.length = 1;
    expect((await running).radiance).toEqual(good.radiance);
  });

  it("throws what a caller's getter or proxy throws", async () => {
    const throws = {
      get: () => {
        throw new RangeError('mine');
      },
      enumerable: true,
    };
    await expect(merged([stack()[0], Object.defineProperty({}, 'data', throws)])).rejects.toThrow(/^mine$/);
    await expect(plain.merge(stack(), Object.defineProperty({}, 'align', throws))).rejects.toThrow(/^mine$/);
    expect(() => plain.plan(Object.defineProperty({}, 'width', throws))).toThrow(/^mine$/);
  });

  it('takes arrays of any memory and class alike', async () => {
    class Mine extends Uint8Array {}
    const kinds: Record<string, (data: Uint8Array) => unknown> = {
      shared: (data) => {
        const to = new Uint8Array(new SharedArrayBuffer(data.length));
        to.set(data);
        return to;
      },
      resizable: (data) => {
        const to = new Uint8Array(new (ArrayBuffer as Any)(data.length, { maxByteLength: 4000 }));
        to.set(data);
        return to;
      },
      'at an odd place': (data) => {
        const to = new Uint8Array(new ArrayBuffer(data.length + 7), 7);
        to.set(data);
        return to;
      },
      subclass: (data) => Mine.from(data),
      Buffer: (data) => Buffer.from(data),
      clamped: (data) => Uint8ClampedArray.from(data),
    };
    for (const [kind, of] of Object.entries(kinds)) {
      const frames = new Proxy(
        stack().map((frame) => ({ ...frame, data: of(frame.data) })),
        {},
      );
      expect((await plain.merge(frames, PLAIN)).radiance, kind).toEqual(good.radiance);
    }
    const signal = AbortSignal.timeout(60_000);
    const matrices = maps(() => Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
    expect((await plain.merge(stack(), { ...PLAIN, align: { matrices }, signal, reference: 1 })).radiance).toEqual(
      good.radiance,
    );
  });

  it.each(['data', 'coverage', 'motion'])('is refused if its %s is transferred meanwhile', async (what) => {
    const coverage = new Uint8Array(SIZE * SIZE).fill(1);
    const frames = stack().map((frame) => ({ ...frame, coverage: coverage.slice() }));
    const motion = maps(() => map(0)) as Float32Array[];
    const { buffer } = what === 'motion' ? motion[0] : frames[0][what];
    const onProgress = ({ stage }: Any): void => {
      if (stage === 'compile') structuredClone(buffer, { transfer: [buffer] });
    };
    const name = what === 'motion' ? 'motion map 1' : `frame 1: ${what}`;
    await refuses('input', name, [[onProgress, 'was transferred']], (value) =>
      plain.merge(frames, { ...PLAIN, motion, onProgress: value }).then((result: MergeResult) => {
        throw new Error(`merged: ${result.radiance[0]}`);
      }),
    );
    // Before its turn has come.
    const later = stack();
    const runs = [merged(stack()), merged(later)];
    structuredClone(later[2].data.buffer, { transfer: [later[2].data.buffer] });
    await runs[0];
    await expect(runs[1]).rejects.toThrow('frame 3: data was transferred');
  });

  it('is refused if the memory of its frames shrinks meanwhile', async () => {
    const buffer = new (ArrayBuffer as Any)(SIZE * SIZE * 3, { maxByteLength: 4000 });
    const data = new Uint8Array(buffer);
    data.set(stack()[1].data);
    const onProgress = ({ stage }: Any): void => void (stage === 'compile' && buffer.resize(7));
    const running = plain.merge(changed({ data, name: 'b.jpg' }), { ...PLAIN, onProgress });
    await expect(running).rejects.toThrow('b.jpg: data was transferred or resized');
  });

  it('of which the caller cancelled it and took the frames back, is cancelled', async () => {
    const controller = new AbortController();
    const frames = stack();
    const running = plain.merge(frames, {
      ...PLAIN,
      signal: controller.signal,
      onProgress: ({ stage }: Any) => {
        if (stage !== 'compile' || controller.signal.aborted) return;
        controller.abort();
        structuredClone(frames[0].data.buffer, { transfer: [frames[0].data.buffer] });
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(merging({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it.each(['onProgress', 'onRows'])('ends with what %s throws, and the next one works', async (name) => {
    for (const stage of name === 'onRows' ? [undefined] : ['response', 'compile', 'merge']) {
      const thrown = { mine: stage };
      const callback = (event: Any): void => {
        if (stage === undefined || event.stage === stage) throw thrown;
      };
      await expect(merging({ [name]: callback })).rejects.toBe(thrown);
      expect(((await merging({})) as MergeResult).radiance).toEqual(good.radiance);
    }
  });

  it('ends with what onDeviceLost throws, and the next one works', async () => {
    const { requestDevice } = await import('../src/node/adapter.ts');
    const devices: GPUDevice[] = [];
    const own: Any = await Deghoster.create({
      device: async () => {
        const opened = await requestDevice();
        devices.push(opened);
        return opened;
      },
    });
    const thrown = new Error('mine');
    const onProgress = ({ stage }: Any): void => {
      if (stage === 'compile') devices[0].destroy();
    };
    await expect(
      own.merge(stack(), {
        ...PLAIN,
        onProgress,
        onDeviceLost: () => {
          throw thrown;
        },
      }),
    ).rejects.toBe(thrown);
    expect((await own.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
    expect(devices.length).toBe(2);
    own.dispose();
  });

  it('takes -0 for 0', async () => {
    expect(((await merging({ reference: -0 })) as MergeResult).reference).toBe(0);
  });

  it('of exposures as far apart as may be is finite', async () => {
    const { radiance } = await plain.merge(stack([1, 2 ** 63, 2 ** 126]), PLAIN);
    expect(radiance.every((y: number) => y >= 0 && y < Infinity)).toBe(true);
    expect(radiance.some((y: number) => y > 0)).toBe(true);
  });
});

describe('plan and prepare refuse', () => {
  it.each<[string, Case[]]>([
    ['frames', [...NOT_WHOLE, [1, 'is 1'], [17, 'is 17'], [1000, 'is 1000'], [undefined, 'is undefined']]],
    ['width', [...NOT_WHOLE, [0, 'is 0']]],
    ['height', [...NOT_WHOLE, [0, 'is 0']]],
    ['method', NOT_WORDS],
    ['motion', NOT_BOOLEANS],
  ])('%s', async (name, cases) => {
    const size = { width: 30, height: 20, frames: 3 };
    await refuses('usage', name, cases, (value) => any.plan({ ...size, [name]: value }));
    await refuses('usage', name, cases, (value) =>
      name === 'frames' ? any.prepare(value) : any.prepare(3, { ...size, frames: undefined, [name]: value }),
    );
  });

  it('others', async () => {
    const size = { width: 30, height: 20, frames: 3 };
    await refuses('usage', 'reference', [...NOT_WHOLE, [3, 'is 3']], (reference) => any.plan({ ...size, reference }));
    await refuses('usage', 'width', [[{ ...size, width: 2 ** 18, height: 2 ** 18 }, '262144']], (value) =>
      any.plan(value),
    );
    await refuses('usage', 'options', NOT_OBJECTS, (value) => any.plan(value));
    await refuses('usage', 'options', NOT_OBJECTS, (value) => any.prepare(3, value));
    await refuses('usage', 'hight', [[{ ...size, hight: 4 }, 'its options are']], (value) => any.plan(value));
    await refuses('usage', 'reference', [[{ reference: 1 }, 'its options are width, height']], (value) =>
      any.prepare(3, value),
    );
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) => any.prepare(3, { signal }));
    await expect(any.prepare(3, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('functions beside the merge refuse', () => {
  const data = new Float32Array(12);

  it('pictures and sizes that are none', async () => {
    const encoders: Record<string, (...args: Any[]) => unknown> = {
      exr: (...args) => library.encodeExr(...args),
      hdr: (...args) => [...library.encodeRgbe(...args)],
    };
    for (const [name, encode] of Object.entries(encoders)) {
      await refuses(
        'input',
        `${name}: data`,
        [
          [null, 'is null'],
          [[1, 2, 3], 'is an Array'],
          [new Float64Array(12), 'is a Float64Array'],
        ],
        (value) => encode(value, 2, 2),
      );
      await refuses('usage', `${name}: width`, [...NOT_WHOLE, [0, 'is 0']], (value) => encode(data, value, 2));
      await refuses('usage', `${name}: height`, [...NOT_WHOLE, [0, 'is 0']], (value) => encode(data, 2, value));
      await refuses('input', name, [[3, '12 values']], (value) => encode(data, 2, value));
    }
    await refuses(
      'usage',
      'scale',
      NOT_NUMBERS.filter(([value]) => value !== -1),
      (scale) => encoders.hdr(data, 2, 2, scale),
    );
    await refuses(
      'usage',
      'primaries',
      [
        [null, 'is null'],
        [[1, 2], 'is an Array'],
        ['12345678', 'is "12345678"'],
      ],
      (primaries) => encoders.hdr(data, 2, 2, 1, primaries),
    );
    const exr = (options: unknown): unknown => library.streamExr(data, 2, 2, options);
    await refuses('usage', 'options', NOT_OBJECTS, exr);
    await refuses('usage', 'scal', [[{ scal: 1 }, 'its options are scale']], exr);
    for (const [name, cases] of Object.entries({
      scale: NOT_NUMBERS.filter(([value]) => value !== -1),
      type: NOT_WORDS,
      chromaticities: [[[1], 'is an Array']] as Case[],
      deflate: NOT_FUNCTIONS,
      rows: NOT_FUNCTIONS,
      largest: NOT_NUMBERS.filter(([value]) => value !== Infinity),
      signal: NOT_SIGNALS,
    }))
      await refuses('usage', name, cases, (value) => exr({ [name]: value }));
  });

  it('tones', async () => {
    await refuses(
      'input',
      'data',
      [
        [null, 'is null'],
        [[1, 2, 3], 'is an Array'],
        [new Uint8Array(3), 'is a Uint8Array'],
      ],
      library.toneMap,
    );
    await refuses(
      'usage',
      'exposure',
      NOT_NUMBERS.filter(([value]) => value !== Infinity),
      (exposure) => library.toneMap(data, { exposure, white: 1 }),
    );
    await refuses(
      'usage',
      'white',
      [
        [NaN, 'is NaN'],
        [0, 'is 0'],
        [undefined, 'is undefined'],
      ],
      (white) => library.toneMap(data, { exposure: 1, white }),
    );
  });

  it('frames, for a reference or a response', async () => {
    for (const call of [library.chooseReference, library.estimateResponse]) {
      await refuses('usage', 'frames', [...NOT_OBJECTS, [[], 'is an Array']], call);
      await refuses(
        'input',
        'frame 2',
        [
          [changed({ data: undefined, texture: {} }), 'has no data'],
          [changed({ data: new Float64Array(1200) }), 'frame 2: data is a Float64Array'],
          [changed({ data: new Uint8Array(3) }), '3 samples'],
          [changed({ width: 10, height: 40 }), '10x40'],
        ],
        call,
      );
    }
    await refuses('usage', 'linear', NOT_BOOLEANS, (linear) => library.chooseReference(stack(), linear));
    await refuses(
      'input',
      'frame 2: exposure',
      [
        [changed({ exposure: NaN }), 'is NaN'],
        [changed({ exposure: 0.5 }), 'is 0.5, less'],
      ],
      library.estimateResponse,
    );
    await refuses('usage', 'options', NOT_OBJECTS, (options) => library.estimateResponse(stack(), options));
    await refuses('usage', 'gamma', [...NOT_NUMBERS.filter(([value]) => value !== 1), [0, 'is 0']], (gamma) =>
      library.estimateResponse(stack(), { gamma }),
    );
    await refuses('usage', 'gamma', NOT_NUMBERS, library.gammaResponse);
  });

  it('responses, weights, results and devices', async () => {
    await refuses('usage', 'response', NOT_OBJECTS, library.formatResponse);
    await refuses('input', 'response', [[{}, 'channel r is missing']], library.formatResponse);
    await refuses(
      'usage',
      'json',
      [
        [null, 'is null'],
        [5, 'is 5'],
        [undefined, 'is undefined'],
      ],
      library.parseResponse,
    );
    await refuses('usage', 'weights', [...NOT_OBJECTS, [undefined, 'is undefined']], (bytes) =>
      library.loadWeights(bytes),
    );
    await refuses('usage', 'adapter', [...NOT_OBJECTS.slice(0, 3), [{}, 'is an Object']], library.openDevice);
    await refuses('usage', 'pixels', [...NOT_OBJECTS.slice(0, 3), [{}, 'is an Object']], library.clippedShare);
    await refuses('usage', 'frames', NOT_OBJECTS, (frames) => mergeWarnings(frames, good));
    await refuses(
      'usage',
      'result',
      [
        ...NOT_OBJECTS,
        [{}, 'is an Object'],
        [{ ...good, order: [7] }, 'is an Object'],
        [{ ...good, reference: 5 }, 'is an Object'],
      ],
      (result) => mergeWarnings(stack(), result),
    );
  });
});
