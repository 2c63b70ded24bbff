/** Whole estimates: of known homographies, of parallax, and of what cannot be aligned. */
import { describe, expect, it } from 'vitest';
import { fittingBands } from '../../src/align/bands.ts';
import { LEAST_DISPLACEMENT } from '../../src/align/estimate.ts';
import { IDENTITY, displacement, inverse, isPlausible } from '../../src/align/homography.ts';
import { levelsOf } from '../../src/align/levels.ts';
import { CancelledError } from '../../src/errors.ts';
import type { Frame } from '../../src/image/frame.ts';
import { testDevice } from '../gpu.ts';
import { SHOTS, SIZE, align, handHeld, meanDistance } from './estimateChecks.ts';
import { aboutMiddle, scene, shoot } from './scene.ts';

describe('estimated alignments', () => {
  it.each([
    [1, 8],
    [2, 16],
    [3, 32],
  ] as const)('of scene %i in %i bits are within 0.1 px', async (seed, bits) => {
    const found = await align(await testDevice(), handHeld(seed, SHOTS, bits));
    expect(found.map(({ kind }) => kind)).toEqual(['homography', 'reference', 'homography']);
    for (const k of [0, 2]) {
      expect(meanDistance(found[k].matrix, SHOTS[k])).toBeLessThan(0.1);
      expect(found[k].roundTrip).toBeLessThan(0.1);
      expect(found[k].displacement).toBeCloseTo(displacement(SHOTS[k], SIZE), 0);
      expect(found[k].overlap).toBeGreaterThan(0.2);
      expect(found[k].matrix[8]).toBe(1);
      expect(found[k].failed).toBeUndefined();
    }
    expect(found[1]).toEqual({ kind: 'reference', matrix: IDENTITY, displacement: 0 });
  });

  it('of linear light are almost as good: 16 bits leave little of their shadows', async () => {
    const frames = [0.06, 0.25, 1].map((exposure, k) =>
      shoot(scene(4), { ...SIZE, exposure, matrix: SHOTS[k], bits: 16, gamma: 1 }, inverse),
    );
    const found = await align(await testDevice(), frames, { linear: true });
    for (const k of [0, 2]) expect(meanDistance(found[k].matrix, SHOTS[k])).toBeLessThan(0.15);
  });

  it('of frames on the device and of arrays are the same', async () => {
    const device = await testDevice();
    const frames = handHeld(5, SHOTS, 32);
    const buffers = frames.map(({ data }) => {
      const buffer = device.createBuffer({
        size: data.byteLength,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
      return buffer;
    });
    const onDevice = buffers.map((buffer, k) => ({ buffer, ...SIZE, exposure: frames[k].exposure }));
    const [a, b] = [await align(device, frames), await align(device, onDevice)];
    for (const k of [0, 2]) expect(meanDistance(a[k].matrix, b[k].matrix)).toBeLessThan(1e-4);
    for (const buffer of buffers) buffer.destroy();
  });

  it('do not depend on the bands that a large frame is read in', async () => {
    // So small a budget halves the frames first, more than once.
    const frames = handHeld(6, SHOTS);
    const [whole, small] = [
      await align(await testDevice(), frames),
      await align(await testDevice(), frames, { memoryBudget: 300_000 }),
    ];
    for (const k of [0, 2]) {
      expect(meanDistance(small[k].matrix, SHOTS[k])).toBeLessThan(0.3);
      expect(small[k].matrix).not.toEqual(whole[k].matrix);
    }
    // What the error names is just enough.
    const tooSmall = /^memory budget 1000 bytes is too small to align frames of 168x120: that takes ([\d.]+) KiB: /;
    const error: Error = await align(await testDevice(), frames, { memoryBudget: 1000 }).then(
      () => expect.fail('1000 bytes were enough'),
      (thrown: Error) => thrown,
    );
    expect(error.message).toMatch(tooSmall);
    const needed = Math.ceil(1024 * Number(tooSmall.exec(error.message)![1]));
    expect(fittingBands(SIZE, 3, needed).fits).toBe(true);
    expect(fittingBands(SIZE, 3, 0.99 * needed).fits).toBe(false);
  });

  it('leave frames alone that hardly moved', async () => {
    const still = aboutMiddle(SIZE, { x: 0.06, y: -0.05 });
    const [first] = await align(await testDevice(), handHeld(7, [still, IDENTITY, still]));
    expect(first.kind).toBe('none');
    expect(first.matrix).toEqual(IDENTITY);
    expect(first.displacement).toBeLessThan(LEAST_DISPLACEMENT);
    expect(first.displacement).toBeGreaterThan(0.03);
    expect(first.failed).toBeUndefined();
  });

  it('do not exist for pictures below 64 pixels, without a warning', async () => {
    const frames = handHeld(8, SHOTS).map((frame): Frame => {
      const data = new Uint8Array(100 * 63 * 3);
      return { ...frame, data: data.map((_, i) => frame.data[i]), width: 100, height: 63 };
    });
    const found = await align(await testDevice(), frames);
    expect(found.map(({ kind, failed }) => [kind, failed])).toEqual([
      ['none', undefined],
      ['reference', undefined],
      ['none', undefined],
    ]);
  });

  it('are not trusted where the frames show different things', async () => {
    const frames = handHeld(9, SHOTS);
    frames[2] = shoot(scene(99), { ...SIZE, exposure: 1 }, inverse);
    const found = await align(await testDevice(), frames);
    expect(found[0].kind).toBe('homography');
    expect(found[2]).toMatchObject({ kind: 'none', matrix: IDENTITY, displacement: 0, failed: true });
    // Nothing can be found in a frame without structure either.
    const flat = { ...frames[2], data: new Uint8Array(frames[2].data.length).fill(90) };
    expect((await align(await testDevice(), [frames[0], frames[1], flat]))[2].failed).toBe(true);
    const burnt = { ...flat, data: flat.data.fill(255) };
    const [, , lost] = await align(await testDevice(), [frames[0], frames[1], burnt]);
    expect(lost).toMatchObject({ kind: 'none', overlap: 0, failed: true });
  });

  it('do not follow things that move', async () => {
    const frames = handHeld(10, SHOTS);
    // A third of the first frame shows another scene.
    const other = shoot(scene(55), { ...SIZE, exposure: frames[0].exposure }, inverse);
    for (let y = 20; y < 90; y++)
      for (let i = 3 * (y * SIZE.width + 30); i < 3 * (y * SIZE.width + 120); i++) frames[0].data[i] = other.data[i];
    const [first] = await align(await testDevice(), frames);
    expect(first.kind).toBe('homography');
    expect(meanDistance(first.matrix, SHOTS[0])).toBeLessThan(0.2);
  });

  it('stop when they are cancelled', async () => {
    const cancel = new AbortController();
    const seen: number[] = [];
    const running = align(await testDevice(), handHeld(11, SHOTS), {
      signal: cancel.signal,
      onProgress: (done, total) => {
        seen.push(done);
        expect(total).toBe(2);
        if (done === 1) cancel.abort();
      },
    });
    await expect(running).rejects.toThrow(CancelledError);
    expect(seen).toEqual([0, 1]);
  });
});

describe('meshes', () => {
  /** Something near the camera across the middle moves by three pixels more. */
  const shift = (x: number, y: number): [number, number] => {
    const near = Math.exp(-(((y - 120 - 16 * Math.sin(x / 60)) / 50) ** 2));
    return [3 * near, -near];
  };
  const SIZE = { width: 336, height: 240 };
  const SHOTS = [
    aboutMiddle(SIZE, { degrees: -1.4, x: 4.3, y: -6.2 }),
    IDENTITY,
    aboutMiddle(SIZE, { degrees: 1.1, scale: 0.995, x: -9.1 }),
  ];
  const frames = [0.06, 0.25, 1].map((exposure, k) =>
    shoot(scene(12), { ...SIZE, exposure, matrix: SHOTS[k], ...(k !== 1 && { shift }) }, inverse),
  );

  it('take away much of what parallax leaves, and are found by `auto` there alone', async () => {
    const found = await align(await testDevice(), frames);
    const plain = await align(await testDevice(), frames, { method: 'homography' });
    for (const k of [0, 2]) {
      expect(found[k].kind).toBe('mesh');
      expect(plain[k].kind).toBe('homography');
      expect(plain[k].mesh).toBeUndefined();
      const { columns, rows, shifts } = found[k].mesh!;
      const at = (x: number, y: number): [number, number] => {
        const u = Math.min(columns - 1, Math.max(0, ((x + 0.5) * columns) / SIZE.width - 0.5));
        const v = Math.min(rows - 1, Math.max(0, ((y + 0.5) * rows) / SIZE.height - 0.5));
        const [i, j] = [Math.min(columns - 2, Math.floor(u)), Math.min(rows - 2, Math.floor(v))];
        const value = (c: number): number =>
          [0, 1].reduce(
            (sum, b) =>
              sum +
              [0, 1].reduce(
                (line, a) =>
                  line +
                  (a ? u - i : 1 - u + i) * (b ? v - j : 1 - v + j) * shifts[2 * ((j + b) * columns + i + a) + c],
                0,
              ),
            0,
          );
        return [value(0), value(1)];
      };
      const error = (warp: (x: number, y: number) => [number, number]): number => {
        let [sum, n] = [0, 0];
        for (let y = 10; y < SIZE.height - 10; y += 5)
          for (let x = 10; x < SIZE.width - 10; x += 5, n++) {
            const [dx, dy] = shift(x, y);
            const [p, q] = [warp(x, y), through(SHOTS[k], x + dx, y + dy)];
            sum += Math.hypot(p[0] - q[0], p[1] - q[1]);
          }
        return sum / n;
      };
      const flat = error((x, y) => through(found[k].matrix, x, y));
      const bent = error((x, y) => {
        const [dx, dy] = at(x, y);
        return through(found[k].matrix, x + dx, y + dy);
      });
      expect(flat).toBeGreaterThan(0.4);
      expect(bent).toBeLessThan(0.7 * flat);
    }
  });

  it('are made where they are asked for, and hardly bend what is flat', async () => {
    const [first] = await align(await testDevice(), handHeld(13, SHOTS), { method: 'mesh' });
    expect(first.kind).toBe('mesh');
    expect(Math.max(...first.mesh!.shifts.map(Math.abs))).toBeLessThan(0.5);
  });
});

function through(h: readonly number[], x: number, y: number): [number, number] {
  const w = h[6] * x + h[7] * y + h[8];
  return [(h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w];
}

describe('plausible homographies', () => {
  const size = { width: 600, height: 400 };
  it.each([
    [{ degrees: 5, x: 60, y: -50, scale: 1.02 }, true],
    [{ x: 149 }, true],
    [{ x: 151 }, false],
    [{ degrees: 14 }, false],
    [{ scale: 1.3 }, false],
    [{ scale: -1 }, false],
    [{ tiltX: 0.004 }, false],
  ])('%j: %s', (of, expected) => {
    expect(isPlausible(aboutMiddle(size, of), size)).toBe(expected);
  });
});

describe('levels', () => {
  it('halve down to a short side of 20 to 40, and begin at 6 megapixels at most', () => {
    const levels = levelsOf({ width: 6000, height: 4000 });
    expect(levels[0]).toMatchObject({ width: 3000, height: 2000, halvings: 1, first: 0 });
    expect(levels[1]).toMatchObject({ width: 1500, height: 1000, halvings: 2, first: 6_000_000 });
    expect(levels.at(-1)).toMatchObject({ width: 47, height: 32, halvings: 7 });
    expect(levelsOf({ width: 64, height: 64 }).map(({ width }) => width)).toEqual([64, 32]);
  });
});
