/** Tiles cut from frames on the device and results taken from tiles, against the plainest loops. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gpu } from '../../src/device.ts';
import { Commands } from '../../src/graph/commands.ts';
import { DeviceBuffers } from '../../src/graph/deviceBuffers.ts';
import { FrameStore } from '../../src/graph/frameStore.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import { takeFrom } from '../../src/graph/results.ts';
import type { FrameSource } from '../../src/image/frame.ts';
import { NO_DATA } from '../../src/kernels/stack.ts';
import { testDevice } from '../gpu.ts';
import { readBuffer } from '../reference/frames.ts';
import { rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';

let gpu: Gpu;
let memory: DeviceBuffers;
let commands: Commands;

beforeAll(async () => {
  gpu = new Gpu(await testDevice());
  memory = new DeviceBuffers(gpu, () => new Float32Array());
  commands = new Commands(gpu, new Pipelines(gpu));
});

afterAll(() => expect(memory.bytes).toBe(0));

function floats(values: Float32Array<ArrayBuffer>): GPUBuffer {
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffer = gpu.device.createBuffer({ size: values.byteLength, usage: STORAGE | COPY_SRC | COPY_DST });
  gpu.device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** Frames of one size with samples of several types, some without data somewhere. */
function randomFrames(random: Rng, width: number, height: number): FrameSource[] {
  return [1, 2, 4].map((exposure) => {
    const Type = random.pick([Uint8Array, Uint8ClampedArray, Uint16Array, Float32Array]);
    const largest = Type === Float32Array ? 1 : Type === Uint16Array ? 65535 : 255;
    // A view into a larger array, as decoders return them.
    const all = Type.from(
      Array.from({ length: width * height * 3 + 5 }, () => (largest === 1 ? random.next() : random.int(0, largest))),
    );
    const coverage =
      random.next() < 0.5 ? Uint8Array.from({ length: width * height }, () => random.int(0, 1)) : undefined;
    return { data: all.subarray(5), width, height, exposure, ...(coverage && { coverage }) } as FrameSource;
  });
}

const largestOf = (data: unknown): number =>
  data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;

describe('cutting', () => {
  it.each([1, 2, 3])('repeats the edges, scales samples, and puts W or NO_DATA fourth (seed %i)', async (seed) => {
    const random = rng(seed);
    for (let n = 0; n < 20; n++) {
      const [width, height] = [random.int(1, 40), random.int(1, 40)];
      const frames = randomFrames(random, width, height);
      const padded = { width: width + random.int(0, 8), height: height + random.int(0, 8) };
      const maps = frames.map(() => random.floats(padded.width * padded.height, 0, 1));
      const motion = random.next() < 0.6 ? { ...padded, maps } : undefined;
      const tile = { width: random.int(1, 24), height: random.int(1, 24) };
      const skipped = random.int(-1, 2);
      // All pixels, or a tile's.
      const held = random.next() < 0.4 ? undefined : tile;
      const store = await FrameStore.create(gpu, memory, frames, (k) => k === skipped, held);
      await store.setMotion(motion);
      const stack = floats(new Float32Array(4 * (7 + 3 * tile.width * tile.height)));
      // Several tiles of one store, downwards, to the right, and up again.
      for (const [x, y] of [
        [0, 0],
        [random.int(0, width + 3), random.int(0, height + 3)],
        [random.int(0, width - 1), random.int(0, height - 1)],
      ]) {
        await store.bring({ ...tile, x, y });
        store.cut(commands, { ...tile, x, y, buffer: stack, first: 7 });
        await commands.submit('cutting');
        const got = (await readBuffer(gpu.device, stack)).subarray(28);
        for (const [k, frame] of frames.entries()) {
          const { data, coverage } = frame as { data: ArrayLike<number>; coverage?: Uint8Array };
          for (let j = 0; j < tile.height; j++) {
            for (let i = 0; i < tile.width; i++) {
              const pixel = Math.min(y + j, height - 1) * width + Math.min(x + i, width - 1);
              const at = ((k * tile.height + j) * tile.width + i) * 4;
              const own = k !== skipped;
              for (let c = 0; c < 3; c++)
                expect(Math.abs(got[at + c] - (own ? data[3 * pixel + c] / largestOf(data) : 0))).toBeLessThan(1.2e-7);
              const map = Math.min(y + j, padded.height - 1) * padded.width + Math.min(x + i, padded.width - 1);
              const w = own && coverage?.[pixel] === 0 ? NO_DATA : motion ? maps[k][map] : 0;
              expect(got[at + 3]).toBe(Math.fround(w));
            }
          }
        }
      }
      store.dispose();
      stack.destroy();
    }
  });

  it('uploads frames only once, and forgets maps that are replaced', async () => {
    const frames = randomFrames(rng(5), 30, 20).map((frame) => ({ ...frame, coverage: undefined }));
    const store = await FrameStore.create(gpu, memory, frames, () => false, undefined);
    const stack = floats(new Float32Array(4 * 3 * 64));
    const cut = async (x: number, y: number): Promise<Float32Array> => {
      await store.bring({ width: 8, height: 8, x, y });
      store.cut(commands, { width: 8, height: 8, x, y, buffer: stack, first: 0 });
      await commands.submit('cutting');
      return (await readBuffer(gpu.device, stack)) as Float32Array<ArrayBuffer>;
    };
    const before = await cut(3, 2);
    // What changes after the first tile was cut is not seen: it lies on the device.
    for (const frame of frames) (frame as { data: Uint8Array }).data.fill(0);
    expect(await cut(3, 2)).toEqual(before);
    await store.setMotion({ width: 30, height: 20, maps: frames.map(() => new Float32Array(600).fill(0.25)) });
    expect((await cut(0, 0))[3]).toBe(0.25);
    await store.setMotion(undefined);
    expect((await cut(0, 0))[3]).toBe(0);
    store.dispose();
    stack.destroy();
  });
});

describe('taking', () => {
  it.each([1, 2])('copies a part alone, pixel by pixel or channel by channel (seed %i)', async (seed) => {
    const random = rng(seed);
    for (let n = 0; n < 20; n++) {
      const [width, height, channels] = [random.int(2, 30), random.int(2, 30), random.int(1, 7)];
      const blocks = Math.ceil(channels / 4);
      const values = new Float32Array(random.floats(4 * (3 + blocks * width * height)));
      const [left, top] = [random.int(0, width - 1), random.int(0, height - 1)];
      const part = { left, top, width: random.int(1, width - left), height: random.int(1, height - top), x: 0, y: 0 };
      const channel = random.int(0, channels - 1);
      const count = channels - channel;
      const isPixels = random.next() < 0.5;
      const size = part.width * part.height;
      const tile = floats(values);
      const result = floats(new Float32Array(9 + size * count).fill(9));
      const isUnfit = n % 2 === 1;
      if (isUnfit) {
        // One of those that are copied.
        const pixel = (top + random.int(0, part.height - 1)) * width + left + random.int(0, part.width - 1);
        const at = random.int(channel, channels - 1);
        values[4 * (3 + Math.floor(at / 4) * width * height + pixel) + (at % 4)] = random.pick([
          NaN,
          Infinity,
          -Infinity,
        ]);
        gpu.device.queue.writeBuffer(tile, 0, values);
      }
      const unfit = floats(new Float32Array(1));
      takeFrom({ buffer: tile, first: 3, width, height })(commands, part, [channel, count], result, unfit, {
        base: 9,
        ...(isPixels
          ? { pixelStep: count, rowStep: count * part.width, channelStep: 1 }
          : { pixelStep: 1, rowStep: part.width, channelStep: size }),
      });
      await commands.submit('taking');
      const got = await readBuffer(gpu.device, result);
      expect([...got.subarray(0, 9)]).toEqual(Array(9).fill(9));
      const flag = (await readBuffer(gpu.device, unfit)) as Float32Array<ArrayBuffer>;
      expect(new Uint32Array(flag.buffer)[0]).toBe(isUnfit ? 1 : 0);
      unfit.destroy();
      for (let c = 0; c < count; c++) {
        for (let y = 0; y < part.height; y++) {
          for (let x = 0; x < part.width; x++) {
            const pixel = (top + y) * width + left + x;
            const block = Math.floor((channel + c) / 4);
            const expected = values[4 * (3 + block * width * height + pixel) + ((channel + c) % 4)];
            const i = y * part.width + x;
            expect(got[9 + (isPixels ? i * count + c : c * size + i)]).toBe(expected);
          }
        }
      }
      tile.destroy();
      result.destroy();
    }
  });
});
