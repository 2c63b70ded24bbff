/**
 * Warping into tiles, against f64: every form of a frame that Node has, every model, tiles, coverage. Browsers warp
 * ImageBitmaps in the same way as textures.
 */
import { describe, expect, it } from 'vitest';
import { Warper } from '../../src/align/warper.ts';
import type { Warp } from '../../src/align/types.ts';
import type { Frame, FrameSource } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { asBuffer, asTexture, readBuffer } from '../reference/frames.ts';
import { expectClose, rng } from '../reference/random.ts';
import { resampled } from '../reference/warp.ts';
import type { Grid } from '../reference/warp.ts';
import { alignDevice } from './estimateChecks.ts';
import { aboutMiddle } from './scene.ts';

/** f32 against f64: positions to 1e-4 pixels, which noise turns into as much of its range. */
const TOLERANCE = 3e-4;
const W = 0.25;

/** Noise, the worst case for a filter. */
function noise(width: number, height: number, bits: 8 | 16 | 32): Frame {
  const random = rng(width + bits);
  const top = bits === 32 ? 1 : 2 ** bits - 1;
  const make = { 8: Uint8Array, 16: Uint16Array, 32: Float32Array }[bits];
  const data = new make(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = bits === 32 ? random.next() : Math.round(random.next() * top);
  return { data, width, height, exposure: 1 };
}

/** Warps one tile. @returns `[height, width, 4]`. */
async function warped(
  frame: FrameSource,
  warp: Warp,
  tile: { x: number; y: number; width: number; height: number },
  before = 3,
): Promise<Float32Array> {
  const device = await testDevice();
  const pixels = tile.width * tile.height;
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const buffer = device.createBuffer({ size: 16 * (before + pixels), usage: STORAGE | COPY_DST | COPY_SRC });
  device.queue.writeBuffer(buffer, 0, new Float32Array(4 * (before + pixels)).fill(W));
  const on = alignDevice(device);
  const warper = new Warper(on, [frame]);
  await warper.load(frame, warp, tile, { buffer, first: before });
  const all = await readBuffer(device, buffer);
  warper.dispose();
  on.dispose();
  buffer.destroy();
  expect(all.subarray(0, 4 * before).every((value) => value === W)).toBe(true);
  return all.slice(4 * before);
}

/** Compares a tile with f64. */
function check(
  got: Float32Array,
  { data, width, height, coverage }: Frame,
  warp: Warp,
  tile: { x: number; y: number; width: number; height: number },
): { without: number } {
  const top = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 65535 : 255;
  const frame = { data: Float64Array.from(data, (v) => v / top), width, height, coverage };
  const expected = new Float64Array(got.length);
  let without = 0;
  for (let j = 0; j < tile.height; j++) {
    for (let i = 0; i < tile.width; i++) {
      const [x, y] = [Math.min(tile.x + i, width - 1), Math.min(tile.y + j, height - 1)];
      const { rgb, hasData, margin } = resampled(frame, warp.matrix, warp.mesh as Grid | undefined, x, y);
      const at = 4 * (j * tile.width + i);
      expected.set([...rgb, W], at);
      if (margin > 1e-3) expect(got[at + 3] < 0, `data at ${x}, ${y}`).toBe(!hasData);
      if (!hasData) without++;
      if (got[at + 3] < 0) {
        expect(got[at + 3]).toBeGreaterThan(-1e-20);
        expected[at + 3] = got[at + 3];
      }
    }
  }
  expectClose(got, expected, { tol: TOLERANCE, scale: 1, label: 'warped' });
  return { without };
}

const whole = ({ width, height }: { width: number; height: number }) => ({ x: 0, y: 0, width, height });

function meshOf({ width }: { width: number }): NonNullable<Warp['mesh']> {
  const random = rng(width);
  return { columns: 5, rows: 4, shifts: Float32Array.from({ length: 40 }, () => 6 * random.next() - 3) };
}

describe('a warp agrees with f64', () => {
  const size = { width: 271, height: 131 };
  it.each([
    ['a shift by whole pixels', { x: 7, y: -3 }],
    ['a shift', { x: 2.3, y: 0.4 }],
    ['a rotation', { degrees: 4 }],
    ['a large rotation and scale', { degrees: 38, scale: 1.4 }],
    ['a smaller frame', { scale: 0.6 }],
    ['perspective', { degrees: 2, tiltX: 4e-4, tiltY: -3e-4 }],
  ])('%s', async (_, how) => {
    const frame = noise(size.width, size.height, 8);
    const warp = { matrix: aboutMiddle(size, how) };
    check(await warped(frame, warp, whole(size)), frame, warp, whole(size));
  });

  it('with a mesh', async () => {
    const frame = noise(size.width, size.height, 8);
    const warp = { matrix: aboutMiddle(size, { degrees: 1, x: 3 }), mesh: meshOf(size) };
    check(await warped(frame, warp, whole(size)), frame, warp, whole(size));
  });

  it.each([8, 16, 32] as const)('of %d bits, with a box that must be halved', async (bits) => {
    const large = { width: 1003, height: 801 };
    const frame = noise(large.width, large.height, bits);
    const warp = { matrix: aboutMiddle(large, { degrees: 3, scale: 2.8 }) };
    const tile = { x: 300, y: 290, width: 270, height: 150 };
    check(await warped(frame, warp, tile), frame, warp, tile);
  });

  it.each([
    [1, 1],
    [1, 9],
    [17, 2],
  ])('of %d x %d pixels', async (width, height) => {
    const frame = noise(width, height, 16);
    const warp = { matrix: [1, 0, 0.3, 0, 1, -0.2, 0, 0, 1] };
    const padded = { x: 0, y: 0, width: 16, height: 16 };
    check(await warped(frame, warp, padded), frame, warp, padded);
  });

  it('far from the corner of a large picture', async () => {
    const wide = { width: 9001, height: 40 };
    const frame = noise(wide.width, wide.height, 8);
    const warp = { matrix: [1.001, 0.002, -30.37, -0.0001, 0.999, 1.21, 1e-7, 0, 1] };
    const tile = { x: 8700, y: 0, width: 320, height: 48 };
    check(await warped(frame, warp, tile), frame, warp, tile);
  });
});

describe('frames on the device', () => {
  it('are warped as arrays are', async () => {
    const device = await testDevice();
    const size = { width: 213, height: 131 };
    const frame = noise(size.width, size.height, 8);
    const warp = { matrix: aboutMiddle(size, { degrees: 5, x: 1.5, tiltX: 1e-4 }) };
    const expected = await warped(frame, warp, whole(size));
    const texture = asTexture(device, frame);
    const buffer = asBuffer(device, frame);
    for (const source of [texture, buffer]) {
      const got = await warped(source, warp, whole(size));
      expectClose(got, expected, { tol: 2e-6, scale: 1, label: 'on the device' });
    }
    texture.texture.destroy();
    buffer.buffer.destroy();
  });
});

describe('tiles', () => {
  it('hold the very same as the whole picture, and its last row and column beyond it', async () => {
    const size = { width: 523, height: 301 };
    const frame = noise(size.width, size.height, 8);
    const warp = {
      matrix: aboutMiddle(size, { degrees: 4, x: 2.7, y: -8.1, tiltX: 1e-4 }),
      mesh: meshOf(size),
    };
    const all = await warped(frame, warp, whole(size));
    for (const tile of [
      { x: 0, y: 0, width: 100, height: 301 },
      { x: 250, y: 131, width: 290, height: 180 },
      { x: 500, y: 4, width: 64, height: 64 },
    ]) {
      const got = await warped(frame, warp, tile, 0);
      for (let j = 0; j < tile.height; j++) {
        for (let i = 0; i < tile.width; i++) {
          const [x, y] = [Math.min(tile.x + i, size.width - 1), Math.min(tile.y + j, size.height - 1)];
          const at = 4 * (y * size.width + x);
          const here = 4 * (j * tile.width + i);
          for (let c = 0; c < 4; c++)
            if (got[here + c] !== all[at + c]) throw new Error(`${x}, ${y}: ${got[here + c]}, ${all[at + c]}`);
        }
      }
    }
  });
});

describe('coverage', () => {
  it('holes of a frame go where the warp takes them', async () => {
    const size = { width: 120, height: 90 };
    const coverage = new Uint8Array(size.width * size.height).fill(1);
    for (let y = 20; y < 30; y++) coverage.fill(0, y * size.width + 40, y * size.width + 55);
    const frame = { ...noise(size.width, size.height, 8), coverage };
    const shift = { matrix: [1, 0, 5, 0, 1, 0, 0, 0, 1] };
    const got = await warped(frame, shift, whole(size));
    // A shift by whole pixels takes the hole as it is, and 5 columns are beyond the frame.
    expect(check(got, frame, shift, whole(size)).without).toBe(150 + 5 * 90);
    const turned = { matrix: aboutMiddle(size, { degrees: 7 }) };
    expect(check(await warped(frame, turned, whole(size)), frame, turned, whole(size)).without).toBeGreaterThan(250);
  });
});
