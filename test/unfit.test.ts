/** No picture of NaN or infinite values leaves a merge: the error says in which part of the network they began. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deghoster, InputError } from '../src/index.ts';
import type { Frame, FrameSource, MergeOptions } from '../src/index.ts';
import { readSafetensors } from '../src/weights/safetensors.ts';
import { writeSafetensors } from '../src/weights/writeSafetensors.ts';
import { testDevice } from './gpu.ts';
import { eightBit } from './reference/frames.ts';

const WEIGHTS = readFileSync(new URL('goldens/fixed-merge-r0.weights.safetensors', import.meta.url));
const OPTIONS = { align: 'none', response: 'gamma', reference: 0 } as const;
const FRAMES = eightBit(40, 24, [1, 4, 16]);
const LARGER = eightBit(160, 96, [1, 4, 16]);

let device: GPUDevice;
/** With the weights as they are. */
let right: Deghoster;

beforeAll(async () => {
  device = await testDevice();
  right = await Deghoster.create({ device, weights: WEIGHTS });
});

afterAll(() => right?.dispose());

/** The weights, those of some tensors multiplied. */
function scaled(pattern: RegExp, factor: number): Uint8Array {
  const { metadata, tensors } = readSafetensors(WEIGHTS);
  const found = [...tensors].map(([name, { shape, data }]) => {
    const values = pattern.test(name) ? data.map((value) => value * factor) : data;
    return [name, { shape, data: values }] as const;
  });
  return writeSafetensors(new Map(found), metadata);
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => {
      throw new Error('a picture left');
    },
    (error: Error) => error,
  );
}

describe('weights that are finite, but too large', () => {
  it.each([
    ['the picture', 'fusion', 'encoder', /^encoder\.\d\.weight/, undefined],
    ['motion maps', 'segmentation', 'seg', /^seg\..*weight/, undefined],
    ['the picture', 'fusion', 'encoder', /^encoder\.\d\.weight/, 7 * 2 ** 20],
  ])('make %s of no numbers: the part and the step are named (%s)', async (made, part, step, pattern, memoryBudget) => {
    const deghoster = await Deghoster.create({ device, weights: scaled(pattern, 1e18), memoryBudget });
    try {
      const frames = memoryBudget ? LARGER : FRAMES;
      if (memoryBudget) {
        const { stages } = deghoster.plan({ width: 160, height: 96, frames: 3 });
        expect(Math.max(...stages.map(({ tiles }) => tiles))).toBeGreaterThan(1);
      }
      const calls = [deghoster.merge(frames, OPTIONS), deghoster.mergeToBuffer(frames, OPTIONS)];
      for (const error of await Promise.all(calls.map(failureOf))) {
        expect(error).toBeInstanceOf(InputError);
        expect(error.message).toContain(`the merge made ${made} of values that are NaN or infinite (${part}, first`);
        expect(error.message).toMatch(
          new RegExp(`first after "[^"]+" with the weights ${step}.*\\): the weights are too large`),
        );
      }
      // What does not need them still works.
      const { radiance } = await deghoster.merge(FRAMES, { ...OPTIONS, method: 'merge' });
      expect(radiance.every(Number.isFinite)).toBe(true);
    } finally {
      deghoster.dispose();
    }
  });
});

describe('frames on the device', () => {
  it('may hold NaN, which counts as 0, and infinite values, which are clamped', async () => {
    const strange = FRAMES.map(({ data, ...frame }) => ({ ...frame, data: Float32Array.from(data, (v) => v / 255) }));
    const plain = strange.map(({ data, ...frame }) => ({ ...frame, data: data.slice() }));
    const holes = [NaN, Infinity, -Infinity, -NaN];
    for (let i = 0; i < 60; i++) {
      const at = (i * 37) % strange[1].data.length;
      strange[1].data[at] = holes[i % 4];
      plain[1].data[at] = i % 4 === 1 ? 1 : 0;
    }
    const onDevice = (frames: readonly Frame[]): FrameSource[] =>
      frames.map(({ data, width, height, exposure }) => {
        const buffer = device.createBuffer({
          size: data.byteLength,
          usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
        });
        device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
        return { buffer, width, height, exposure };
      });
    const merge = async (frames: FrameSource[], options: MergeOptions): Promise<Float32Array> => {
      const { radiance } = await right.merge(frames, options);
      for (const frame of frames) if ('buffer' in frame) frame.buffer.destroy();
      return radiance;
    };
    for (const method of ['merge', 'network'] as const) {
      const options = { ...OPTIONS, method };
      const [made, expected] = [await merge(onDevice(strange), options), await merge(onDevice(plain), options)];
      expect(made.every(Number.isFinite)).toBe(true);
      expect(made).toEqual(expected);
    }
  });
});
