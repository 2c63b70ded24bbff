/** What `deghost/align` says to calls that no type checker saw. */
import { beforeAll, describe, expect, it } from 'vitest';
import * as align from '../../src/align/index.ts';
import { testDevice } from '../gpu.ts';
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
} from '../misuse.ts';
import type { Any, Case } from '../misuse.ts';

const { alignStack, coveredRectangle, warpFrame } = align as Any;
const I = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const SIZE = { width: 6, height: 4 };
const frame = (exposure: number): Any => ({ data: new Uint8Array(72).fill(20 * exposure), ...SIZE, exposure });
const mesh = (fields: object): object => ({ columns: 2, rows: 2, shifts: new Float32Array(8), ...fields });

const MATRICES: Case[] = [
  [null, 'is null'],
  ['123456789', 'is "123456789"'],
  [[1, 2], 'is an Array'],
  [I.with(4, NaN), 'is an Array'],
  [I.with(8, 0), 'is an Array'],
  [I.map(String), 'is an Array'],
  [undefined, 'is undefined'],
];
const MESHES: [kind: 'usage' | 'input', name: string, cases: Case[]][] = [
  ['usage', 'mesh', NOT_OBJECTS],
  ['usage', 'columns', [...NOT_WHOLE, [1, 'is 1']].map(([columns, said]) => [mesh({ columns }), said] as Case)],
  ['usage', 'rows', [[mesh({ rows: undefined }), 'is undefined']]],
  [
    'input',
    'shifts',
    [
      [mesh({ shifts: Array(8).fill(0) }), 'is an Array'],
      [mesh({ shifts: new Float32Array(8).fill(NaN) }), 'NaN'],
      [mesh({ rows: 3 }), '8 shifts'],
    ],
  ],
];

let device: GPUDevice;

beforeAll(async () => {
  device = await testDevice();
});

describe('alignStack refuses', () => {
  it('a device, frames and options that are none', async () => {
    await refuses('usage', 'device', NOT_DEVICES, (value) => alignStack(value, [frame(1), frame(4)]));
    await refuses('usage', 'frames', NOT_OBJECTS, (value) => alignStack(device, value));
    await refuses(
      'input',
      'frame 2',
      [
        [[frame(1), null], 'is null'],
        [[frame(1), frame(NaN)], 'is NaN'],
      ],
      (value) => alignStack(device, value),
    );
    await refuses('usage', 'options', NOT_OBJECTS, (value) => alignStack(device, [frame(1), frame(4)], value));
    await refuses('usage', 'align', [[{ align: 'auto' }, 'its options are reference, method']], (value) =>
      alignStack(device, [frame(1), frame(4)], value),
    );
  });

  it.each<[string, Case[]]>([
    ['reference', [...NOT_WHOLE, [2, 'is 2']]],
    ['method', NOT_WORDS],
    ['linear', NOT_BOOLEANS],
    ['memoryBudget', NOT_NUMBERS.filter(([value]) => value !== Infinity)],
    ['signal', NOT_SIGNALS],
    ['onProgress', NOT_FUNCTIONS],
  ])('%s', async (name, cases) => {
    await refuses('usage', name, cases, (value) => alignStack(device, [frame(1), frame(4)], { [name]: value }));
  });
});

describe('warpFrame refuses', () => {
  it('a device, a frame and a warp that are none', async () => {
    const warp = { matrix: I };
    await refuses('usage', 'device', NOT_DEVICES, (value) => warpFrame(value, frame(1), warp));
    await refuses(
      'input',
      'frame 1',
      [
        [null, 'is null'],
        [{}, 'no pixels'],
        [{ ...frame(1), data: new Float64Array(72) }, 'is a Float64Array'],
        [{ ...SIZE, texture: {} }, 'no data'],
      ],
      (value) => warpFrame(device, value, warp),
    );
    await refuses('usage', 'warp', NOT_OBJECTS, (value) => warpFrame(device, frame(1), value));
    await refuses('input', 'matrix', MATRICES, (matrix) => warpFrame(device, frame(1), { matrix }));
    for (const [kind, name, cases] of MESHES)
      await refuses(kind, name, cases, (value) => warpFrame(device, frame(1), { ...warp, mesh: value }));
    await refuses('usage', 'signal', NOT_SIGNALS, (signal) => warpFrame(device, frame(1), warp, { signal }));
    const moved = await warpFrame(
      device,
      { ...frame(3), name: 'a', more: 1 },
      { matrix: Float64Array.from(I), kind: 'homography' },
    );
    expect(moved).toMatchObject({ name: 'a', more: 1, exposure: 3, data: frame(3).data });
  });
});

describe('coveredRectangle refuses', () => {
  it('a size, frames and warps that are none', async () => {
    await refuses('usage', 'size', NOT_OBJECTS, (value) => coveredRectangle(value, []));
    await refuses('usage', 'width', [...NOT_WHOLE, [0, 'is 0']], (width) => coveredRectangle({ ...SIZE, width }, []));
    await refuses('usage', 'height', NOT_WHOLE, (height) => coveredRectangle({ ...SIZE, height }, []));
    await refuses('usage', 'frames', NOT_OBJECTS, (value) => coveredRectangle(SIZE, value));
    await refuses('usage', 'frame 1', NOT_OBJECTS, (value) => coveredRectangle(SIZE, [value]));
    await refuses('usage', 'warp', NOT_OBJECTS, (warp) => coveredRectangle(SIZE, [{ warp }]));
    await refuses('input', 'matrix', MATRICES, (matrix) => coveredRectangle(SIZE, [{ warp: { matrix } }]));
    for (const [kind, name, cases] of MESHES)
      await refuses(kind, name, cases, (value) => coveredRectangle(SIZE, [{ warp: { matrix: I, mesh: value } }]));
    await refuses(
      'input',
      'frame 2',
      [
        [new Uint8Array(3), '3 values of coverage'],
        [Array(24).fill(1), 'is an Array'],
        [null, 'is null'],
      ],
      (coverage) => coveredRectangle(SIZE, [{}, { coverage }]),
    );
    expect(coveredRectangle(SIZE, [{}, { warp: { matrix: I, mesh: mesh({}) } }])).toEqual({ x: 0, y: 0, ...SIZE });
  });
});
