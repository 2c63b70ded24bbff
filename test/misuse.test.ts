/**
 * What the core says to calls that no type checker saw: every argument and option but those of a merge
 * (mergeMisuse.test.ts), wrong in every way. An error names the argument and its value.
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
  PLAIN,
  changed,
  refuses,
  stack,
} from './misuse.ts';
import type { Any, Case } from './misuse.ts';
import { readGolden } from './reference/goldens.ts';

const { Deghoster } = deghost;
const library = deghost as Any;

let device: GPUDevice;
let any: Any;
let good: MergeResult;

beforeAll(async () => {
  device = await testDevice();
  any = await Deghoster.create({ device, weights: readGolden('any-5').weightsBytes });
  good = await any.merge(stack(), PLAIN);
});

afterAll(async () => {
  // Nothing of what was refused has done any harm.
  expect((await any.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
  any.dispose();
});

describe('Deghoster.create refuses', () => {
  const create = async (options: unknown): Promise<void> => {
    (await library.Deghoster.create(options)).dispose();
  };

  it('options that are none, and names that are none', async () => {
    await refuses('usage', 'options', NOT_OBJECTS, create);
    await refuses(
      'usage',
      'wieghts',
      [[{ device, wieghts: 1 }, 'its options are weights, momentWeights, device']],
      create,
    );
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
      hdr: (...args) => Array.from(library.encodeRgbe(...args)),
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
