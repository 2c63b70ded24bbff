/** What `deghost/node` says to calls that no type checker saw. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as entry from '../../src/node/index.ts';
import { encodeNpy } from '../npy.ts';
import { NOT_FUNCTIONS, NOT_NUMBERS, NOT_OBJECTS, NOT_SIGNALS, NOT_WHOLE, NOT_WORDS, refuses } from '../misuse.ts';
import type { Any, Case } from '../misuse.ts';
import { tuneResult } from '../tune/samples.ts';

const node = entry as Any;

const NOT_PATHS: Case[] = [
  [null, 'is null'],
  [undefined, 'is undefined'],
  [5, 'is 5'],
  ['', 'is ""'],
  ['a\0.png', 'is "a\\u0000.png"'],
  [new URL('file:///a.png'), 'is a URL'],
  [Buffer.from('a.png'), 'is a Uint8Array'],
  [['a.png'], 'is an Array'],
];
const SIZE = { width: 3, height: 2 };
let folder: string;
let paths: string[];
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'deghost-misuse-'));
  paths = ['a.npy', 'b.npy', 'c.npy'].map(at);
  for (const [k, path] of paths.entries())
    writeFileSync(path, encodeNpy(new Uint8Array(18).fill(40 * k + 9), [2, 3, 3]));
});

afterAll(() => {
  // Nothing that was refused has left a file.
  expect(readdirSync(folder).sort()).toEqual(['a.npy', 'b.npy', 'c.npy', 'good.exr', 'tuning.json']);
  rmSync(folder, { recursive: true });
});

describe('deghost/node refuses', () => {
  it('paths that are none', async () => {
    const image = { radiance: new Float32Array(18), ...SIZE, scale: 1 };
    const calls: Record<string, (path: unknown) => unknown> = {
      path: (path) => node.readFrame(path),
      'path 2': (path) => node.readStack([paths[0], path]),
      'path ': (path) => node.checkOutputPath(path),
      ' path': (path) => node.outputFormat(path),
    };
    for (const [name, call] of Object.entries(calls)) await refuses('usage', name.trim(), NOT_PATHS, call);
    await refuses('usage', 'path', NOT_PATHS, (path) => node.writeImage(path, image));
    await refuses('usage', 'path', NOT_PATHS, (path) => node.writeSamples(path, { data: new Uint8Array(18), ...SIZE }));
    await refuses('usage', 'path', NOT_PATHS, (path) => node.writeFileAtomic(path, new Uint8Array(1)));
    await refuses('usage', 'dir', NOT_PATHS, node.checkMotionFolder);
    await refuses('usage', 'dir', NOT_PATHS, (dir) => node.writeMotionMaps(dir, [], 3, 2));
    await refuses('usage', 'dir', NOT_PATHS, (dir) => node.readMotionMaps(dir, 2, 3, 2, 0));
    await refuses(
      'usage',
      'path',
      NOT_PATHS.filter(([path]) => path !== undefined),
      (path) => new node.FileTuneCache({ path }),
    );
  });

  it('what readFrame and readStack cannot read with', async () => {
    await refuses('usage', 'options', NOT_OBJECTS, (options) => node.readFrame(paths[0], options));
    await refuses('usage', 'colorSpace', NOT_WORDS, (colorSpace) => node.readFrame(paths[0], { colorSpace }));
    await refuses('usage', 'color', [[{ color: 'p3' }, 'its options are colorSpace']], (options) =>
      node.readFrame(paths[0], options),
    );
    await refuses('usage', 'paths', NOT_OBJECTS, (value) => node.readStack(value));
    await refuses(
      'input',
      'frame',
      [
        [[], '0 frame'],
        [Array(17).fill(paths[0]), '17 frames'],
      ],
      (value) => node.readStack(value),
    );
    const read = (options: unknown): unknown => node.readStack(paths, options);
    await refuses('usage', 'options', NOT_OBJECTS, read);
    await refuses('usage', 'exposure', [[{ exposure: [1, 2, 3] }, 'its options are exposures']], read);
    for (const [name, cases] of Object.entries<Case[]>({
      exposures: [
        ['1,2', 'is "1,2"'],
        [null, 'is null'],
        [{}, 'is an Object'],
      ],
      colorSpace: NOT_WORDS,
      reference: [...NOT_WHOLE, [3, 'is 3']],
      onRead: NOT_FUNCTIONS,
      signal: NOT_SIGNALS,
      response: NOT_WORDS.slice(0, 4),
    }))
      await refuses('usage', name, cases, (value) => read({ [name]: value }));
    await refuses(
      'input',
      'exposure 2',
      [...NOT_NUMBERS.map(([value, said]): Case => [[1, value, 2], said]), [[1, 0, 2], 'is 0']],
      (exposures) => read({ exposures }),
    );
    await refuses('input', 'channel r', [[{}, 'missing']], (response) => read({ response }));
    const { frames } = (await read({ exposures: [4, 1, 2] })) as Any;
    expect(frames.map(({ exposure }: Any) => exposure)).toEqual([4, 1, 2]);
  });

  it('no callback of readStack that throws: the reading ends with that', async () => {
    for (const turn of [1, 2, 3])
      await expect(
        node.readStack(paths, {
          exposures: [1, 2, 3],
          onRead: (done: number) => {
            if (done === turn) throw new Error('mine');
          },
        }),
      ).rejects.toThrow(/^mine$/);
  });

  it('what writeImage cannot write', async () => {
    const good: Any = { radiance: new Float32Array(18).fill(0.5), ...SIZE, scale: 1 };
    const write = (fields: object, name = 'x.exr'): unknown => node.writeImage(at(name), { ...good, ...fields });
    await refuses('usage', 'image', NOT_OBJECTS, (image) => node.writeImage(at('x.exr'), image));
    await refuses(
      'input',
      'radiance',
      [
        [Array(18).fill(1), 'is an Array'],
        [new Float64Array(18), 'is a Float64Array'],
        [undefined, 'is undefined'],
      ],
      (radiance) => write({ radiance }),
    );
    await refuses('input', 'x.exr', [[new Float32Array(17), '17 values, 3x2 RGB needs 18']], (radiance) =>
      write({ radiance }),
    );
    await refuses('usage', 'width', [...NOT_WHOLE, [0, 'is 0']], (width) => write({ width }));
    await refuses('usage', 'height', NOT_WHOLE, (height) => write({ height }));
    await refuses('input', 'scale', [...NOT_NUMBERS, [0, 'is 0']], (scale) => write({ scale }));
    await refuses('usage', 'colorSpace', NOT_WORDS, (colorSpace) => write({ colorSpace }));
    await refuses(
      'input',
      'exif',
      [
        ['text', 'is "text"'],
        [[1], 'is an Array'],
      ],
      (exif) => write({ exif }, 'x.tif'),
    );
    const camera = {
      make: 'a',
      model: 'b',
      whiteBalance: [1, 1, 1],
      toSrgb: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      colorMatrix: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    };
    await refuses('usage', 'camera', NOT_OBJECTS, (value) => write({ camera: value }, 'x.dng'));
    for (const [name, value] of Object.entries({
      make: 5,
      model: null,
      whiteBalance: [1, 1],
      toSrgb: [NaN],
      colorMatrix: 'text',
    }))
      await refuses('usage', `camera: ${name}`, [[value, 'it must be']], (wrong) =>
        write({ camera: { ...camera, [name]: wrong } }, 'x.dng'),
      );
    const options = (value: unknown): unknown => node.writeImage(at('x.exr'), good, value);
    await refuses('usage', 'options', NOT_OBJECTS, options);
    await refuses('usage', 'qualty', [[{ qualty: 5 }, 'its options are exr, tiff']], options);
    for (const [name, cases] of Object.entries({
      exr: NOT_WORDS,
      tiff: NOT_WORDS,
      tone: NOT_WORDS,
      quality: [...NOT_WHOLE, [0, 'is 0'], [101, 'is 101']] as Case[],
      rows: NOT_FUNCTIONS,
      signal: NOT_SIGNALS,
    }))
      await refuses('usage', name, cases, (value) => options({ [name]: value }));
    await expect(
      node.writeImage(at('x.exr'), good, {
        rows: () => {
          throw new Error('mine');
        },
      }),
    ).rejects.toThrow(/^mine$/);
    await node.writeImage(at('good.exr'), good);
  });

  it('what writeSamples and writeFileAtomic cannot write', async () => {
    const good: Any = { data: new Uint8Array(18), ...SIZE };
    const write = (fields: object): unknown => node.writeSamples(at('x.tif'), { ...good, ...fields });
    await refuses('usage', 'picture', NOT_OBJECTS, (picture) => node.writeSamples(at('x.tif'), picture));
    await refuses(
      'input',
      'data',
      [
        [Array(18).fill(1), 'is an Array'],
        [new Float64Array(18), 'is a Float64Array'],
        [undefined, 'is undefined'],
      ],
      (data) => write({ data }),
    );
    await refuses('usage', 'width', [...NOT_WHOLE, [0, 'is 0']], (width) => write({ width }));
    await refuses('usage', 'height', NOT_WHOLE, (height) => write({ height }));
    await refuses('input', 'exif', [['text', 'is "text"']], (exif) => write({ exif }));
    await refuses('input', 'icc', [[[1], 'is an Array']], (icc) => write({ icc }));
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) => node.writeSamples(at('x.tif'), good, { signal }));
    await refuses('usage', 'content', [...NOT_OBJECTS, [{}, 'is an Object'], [undefined, 'is undefined']], (content) =>
      node.writeFileAtomic(at('x'), content),
    );
    await refuses(
      'usage',
      'piece',
      [
        [['text'], 'is "text"'],
        [[null], 'is null'],
        [[{ at: -1, bytes: new Uint8Array(1) }], 'is an Object'],
        [[{ at: 0 }], 'is an Object'],
      ],
      (content) => node.writeFileAtomic(at('x'), content),
    );
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) =>
      node.writeFileAtomic(at('x'), new Uint8Array(1), { signal }),
    );
  });

  it('motion maps that are none', async () => {
    const map = new Float32Array(6);
    await refuses('usage', 'maps', NOT_OBJECTS, (maps) => node.writeMotionMaps(at('m'), maps, 3, 2));
    await refuses(
      'input',
      'motion map 2',
      [
        [[map, null], 'is null'],
        [[map, [1]], 'is an Array'],
        [[map, new Uint8Array(6)], 'is a Uint8Array'],
        [Object.assign(new Array(3), { 0: map, 2: map }), 'is undefined'],
      ],
      (maps) => node.writeMotionMaps(at('m'), maps, 3, 2),
    );
    for (const call of [
      (width: unknown, height: unknown) => node.writeMotionMaps(at('m'), [map], width, height),
      (width: unknown, height: unknown) => node.readMotionMaps(at('m'), 2, width, height, 0),
    ]) {
      await refuses('usage', 'width', [...NOT_WHOLE, [0, 'is 0']], (width) => call(width, 2));
      await refuses('usage', 'height', NOT_WHOLE, (height) => call(3, height));
    }
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) => node.writeMotionMaps(at('m'), [map], 3, 2, { signal }));
    await refuses('usage', 'frames', [...NOT_WHOLE, [0, 'is 0']], (count) =>
      node.readMotionMaps(at('m'), count, 3, 2, 0),
    );
    await refuses('usage', 'reference', [...NOT_WHOLE, [2, 'is 2']], (reference) =>
      node.readMotionMaps(at('m'), 2, 3, 2, reference),
    );
  });

  it('adapters, weights, exposures and caches that are none', async () => {
    for (const call of [node.requestAdapter, node.requestDevice]) {
      await refuses('usage', 'options', NOT_OBJECTS, call);
      await refuses('usage', 'software', NOT_WORDS, (software) => call({ software }));
      await refuses('usage', 'sofware', [[{ sofware: 'only' }, 'its options are software']], call);
    }
    for (const call of [node.shippedWeightsPath, node.readShippedWeights]) {
      await refuses('usage', 'frames', [...NOT_WHOLE, [0, 'is 0'], [undefined, 'is undefined']], (frames) =>
        call(frames),
      );
      await refuses('usage', 'reference', [...NOT_WHOLE, [3, 'is 3']], (reference) => call(3, reference));
    }
    await refuses('usage', 'info', NOT_OBJECTS, node.exposureFromExif);
    await refuses(
      'usage',
      'info: time',
      [
        ['1/60', 'is "1/60"'],
        [NaN, 'is NaN'],
        [null, 'is null'],
      ],
      (time) => node.exposureFromExif({ time }),
    );
    await refuses('usage', 'images', NOT_OBJECTS, node.exposures);
    await refuses(
      'usage',
      'image 1',
      [
        [[null], 'is null'],
        [[{}], 'name is undefined'],
        [[{ name: 'a', exif: 5 }], 'exif is 5'],
        [[{ name: 'a', exif: { time: '1' } }], 'time is "1"'],
      ],
      node.exposures,
    );
    await refuses('usage', 'options', NOT_OBJECTS, (options) => new node.FileTuneCache(options));
    await refuses('usage', 'warn', NOT_FUNCTIONS, (warn) => new node.FileTuneCache({ warn }));
    const cache = new node.FileTuneCache({ path: at('tuning.json') });
    await refuses(
      'usage',
      'key',
      [
        [null, 'is null'],
        [5, 'is 5'],
      ],
      (key) => cache.write(key, tuneResult([])),
    );
    await refuses('usage', 'value', [...NOT_OBJECTS, [{}, 'is an Object']], (value) => cache.write('key', value));
    await cache.write(tuneResult([]).key, tuneResult([]));
    expect(readFileSync(at('tuning.json'), 'utf8')).toContain('an adapter');
  });
});
