/** Warps of frames in every form against f64, and tiles against the whole. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply } from '../../src/align/homography.ts';
import { shiftAt } from '../../src/align/crop.ts';
import type { Mesh, Warp } from '../../src/align/types.ts';
import { Warper } from '../../src/align/warper.ts';
import type { TileBox } from '../../src/align/warper.ts';
import { Gpu } from '../../src/device.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import type { Frame, FrameSource } from '../../src/image/frame.ts';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';
import { isInside, resampled } from '../reference/warp.ts';
import { aboutMiddle } from './scene.ts';

let gpu: Gpu;
let warper: Warper;
beforeAll(async () => {
  gpu = new Gpu(await testDevice());
  warper = new Warper(gpu, new Pipelines(gpu));
});
afterAll(() => warper.dispose());

const W = 0.625;
const NONE = Math.fround(-1e-30);

/** Warps into a tile whose fourth components were W; there are three vec4s before it. */
async function warped(frame: FrameSource, warp: Warp, tile: TileBox): Promise<Float32Array> {
  const { device } = gpu;
  const floats = 4 * (3 + tile.width * tile.height);
  const make = (usage: number): GPUBuffer => device.createBuffer({ size: 4 * floats, usage });
  const [buffer, readback] = [
    make(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST),
    make(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
  ];
  device.queue.writeBuffer(buffer, 0, new Float32Array(floats).fill(W));
  await warper.load(frame, warp, tile, { buffer, first: 3 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, 4 * floats);
  device.queue.submit([encoder.finish()]);
  await gpu.wait(readback.mapAsync(GPUMapMode.READ));
  const values = new Float32Array(readback.getMappedRange().slice(0));
  for (const made of [buffer, readback]) made.destroy();
  expect([...values.subarray(0, 12)]).toEqual(new Array(12).fill(W));
  return values.subarray(12);
}

/** A picture of noise that is smooth enough to have something between pixels, in [0,1]. */
function picture(width: number, height: number, seed: number): Float32Array {
  const random = rng(seed);
  const noise = random.floats(width * height * 3, 0, 1);
  return noise.map((v, i) => 0.6 * v + 0.4 * (noise[i + 3] ?? v));
}

function frameOf(values: Float32Array, width: number, height: number, bits: 8 | 16 | 32): Frame {
  const data =
    bits === 32
      ? values
      : (bits === 8 ? new Uint8Array(values.length) : new Uint16Array(values.length)).map((_, i) =>
          Math.round(values[i] * (2 ** bits - 1)),
        );
  return { data, width, height, exposure: 1 };
}

function unit({ data }: Frame): Float64Array {
  const top = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;
  return Float64Array.from(data, (v) => v / top);
}

/** Checks a whole tile. Places next to the frame's edge are left out: f32 and f64 may disagree on which side they are. */
function expectWarp(values: Float32Array, frame: Frame, warp: Warp, tile: TileBox): { none: number } {
  const source = { data: unit(frame), width: frame.width, height: frame.height };
  let [worst, none, some] = [0, 0, 0];
  for (let j = 0; j < tile.height; j++)
    for (let i = 0; i < tile.width; i++) {
      const [x, y] = [Math.min(tile.x + i, frame.width - 1), Math.min(tile.y + j, frame.height - 1)];
      const [dx, dy] = warp.mesh ? shiftAt(warp.mesh, x, y, frame) : [0, 0];
      const [u, v] = apply(warp.matrix, x + dx, y + dy);
      const at = 4 * (j * tile.width + i);
      resampled(source, u, v).forEach((value, c) => {
        worst = Math.max(worst, Math.abs(values[at + c] - value));
      });
      const near = [-1, 1].map((s) => isInside(source, u + 1e-3 * s, v + 1e-3 * s));
      if (near[0] !== near[1]) continue;
      if (near[0]) some++;
      else none++;
      expect(values[at + 3]).toBe(near[0] ? W : NONE);
    }
  expect(worst).toBeLessThan(2e-4);
  expect(some).toBeGreaterThan(0);
  return { none };
}

const [WIDTH, HEIGHT] = [83, 61];
const SIZE = { width: WIDTH, height: HEIGHT };
const TURN = aboutMiddle(SIZE, { degrees: 5, scale: 1.03, x: 7.3, y: -4.6, tiltX: 1e-4 });
const MESH: Mesh = { columns: 3, rows: 2, shifts: rng(4).floats(12, -2, 2) };

describe('a warp', () => {
  it.each([8, 16, 32] as const)('of an array of %i bits', async (bits) => {
    const frame = frameOf(picture(WIDTH, HEIGHT, bits), WIDTH, HEIGHT, bits);
    // The tile begins inside the picture and ends beyond it.
    const tile = { x: 4, y: 8, width: 96, height: 64 };
    expect(expectWarp(await warped(frame, { matrix: TURN }, tile), frame, { matrix: TURN }, tile).none).toBeGreaterThan(
      50,
    );
  });

  it('by a shift alone, and by none', async () => {
    const frame = frameOf(picture(WIDTH, HEIGHT, 1), WIDTH, HEIGHT, 16);
    const tile = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    for (const matrix of [
      [1, 0, 1.5, 0, 1, -0.25, 0, 0, 1],
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
    ])
      expectWarp(await warped(frame, { matrix }, tile), frame, { matrix }, tile);
  });

  it('with a mesh', async () => {
    const frame = frameOf(picture(WIDTH, HEIGHT, 2), WIDTH, HEIGHT, 8);
    const warp = { matrix: TURN, mesh: MESH };
    const tile = { x: 12, y: 0, width: 71, height: 61 };
    expectWarp(await warped(frame, warp, tile), frame, warp, tile);
  });

  it('of a frame that shows nothing of the tile repeats its edge, without data', async () => {
    const frame = frameOf(picture(WIDTH, HEIGHT, 3), WIDTH, HEIGHT, 8);
    const matrix = [1, 0, 500, 0, 1, 0, 0, 0, 1];
    const values = await warped(frame, { matrix }, { x: 0, y: 0, width: 8, height: 8 });
    const source = { data: unit(frame), ...SIZE };
    for (let i = 0; i < 64; i++) {
      expect(values[4 * i + 3]).toBe(NONE);
      expect(Math.abs(values[4 * i] - resampled(source, 500, Math.floor(i / 8))[0])).toBeLessThan(2e-4);
    }
  });

  it('of a texture and of a buffer are as of the array', async () => {
    const { device } = gpu;
    const values = picture(WIDTH, HEIGHT, 5);
    const frame = frameOf(values, WIDTH, HEIGHT, 32);
    const buffer = device.createBuffer({
      size: values.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
    const texture = device.createTexture({
      size: [WIDTH, HEIGHT],
      format: 'rgba32float',
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
    });
    const rgba = new Float32Array(WIDTH * HEIGHT * 4).map((_, i) => (i % 4 < 3 ? values[3 * (i >> 2) + (i % 4)] : 1));
    device.queue.writeTexture({ texture }, rgba, { bytesPerRow: 16 * WIDTH }, [WIDTH, HEIGHT]);
    const tile = { x: 0, y: 16, width: 80, height: 48 };
    for (const warp of [{ matrix: TURN }, { matrix: TURN, mesh: MESH }]) {
      const expected = await warped(frame, warp, tile);
      for (const other of [
        { buffer, ...SIZE, exposure: 1 },
        { texture, exposure: 1 },
      ]) {
        const got = await warped(other, warp, tile);
        expect(Math.max(...got.map((v, i) => Math.abs(v - expected[i])))).toBeLessThan(1e-4);
      }
    }
    buffer.destroy();
    texture.destroy();
  });

  it('in tiles and blocks is the same as whole', async () => {
    // Larger than a block, and than a box where it is enlarged.
    const [width, height] = [700, 530];
    const frame = frameOf(picture(width, height, 6), width, height, 32);
    const matrix = aboutMiddle({ width, height }, { degrees: 3, scale: 2.6, x: 20 });
    const whole = await warped(frame, { matrix }, { x: 0, y: 0, width, height });
    const tile = { x: 196, y: 300, width: 333, height: 129 };
    const part = await warped(frame, { matrix }, tile);
    let worst = 0;
    for (let j = 0; j < tile.height; j++)
      for (let i = 0; i < 4 * tile.width; i++)
        worst = Math.max(
          worst,
          Math.abs(part[4 * j * tile.width + i] - whole[4 * ((tile.y + j) * width + tile.x) + i]),
        );
    // Positions are relative to each block, so f32 rounds them differently.
    expect(worst).toBeLessThan(2e-4);
  });

  it('has no data where the frame has none, and a little around', async () => {
    const frame = frameOf(picture(WIDTH, HEIGHT, 7), WIDTH, HEIGHT, 8);
    const coverage = new Uint8Array(WIDTH * HEIGHT).fill(255);
    for (let y = 0; y < 20; y++) coverage.fill(0, y * WIDTH, y * WIDTH + 30);
    const matrix = [1, 0, 0.5, 0, 1, 0.25, 0, 0, 1];
    const values = await warped({ ...frame, coverage }, { matrix }, { x: 0, y: 0, ...SIZE });
    for (let y = 0; y < HEIGHT - 1; y++)
      for (let x = 0; x < WIDTH - 1; x++) {
        // A tap of the four by four around the place lies in the hole.
        const isLost = x - 1 < 30 && y - 1 < 20;
        expect(values[4 * (y * WIDTH + x) + 3], `${x}, ${y}`).toBe(isLost ? NONE : W);
      }
  });

  it('is as precise far from the origin', async () => {
    const [width, height] = [6000, 40];
    const frame = frameOf(picture(width, height, 8), width, height, 8);
    const matrix = [1.0003, 0.0001, -0.7, -0.00002, 0.9999, 0.3, 1e-7, 0, 1];
    const tile = { x: 5900, y: 0, width: 100, height: 40 };
    expectWarp(await warped(frame, { matrix }, tile), frame, { matrix }, tile);
  });
});
