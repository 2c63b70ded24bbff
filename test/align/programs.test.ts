/** Each of alignment's programs against f64. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CORRELATE, PICK, searchSize } from '../../src/align/coarsePrograms.ts';
import { ACCUMULATE, ADVANCE, SOLVE, SUMS, groupsOf, modelParams } from '../../src/align/gaussNewtonPrograms.ts';
import type { Model } from '../../src/align/gaussNewtonPrograms.ts';
import { inverse, normalization, toPixels } from '../../src/align/homography.ts';
import { VEC4_BITS } from '../../src/align/pixels.ts';
import { HALVE, LUMA, NORMALIZE, normalizeGroups } from '../../src/align/pyramidPrograms.ts';
import { AT, HYPOTHESES, STATE_FLOATS } from '../../src/align/state.ts';
import { Gpu } from '../../src/device.ts';
import { Pipelines } from '../../src/graph/pipelines.ts';
import { flatGrid } from '../../src/kernels/flat.ts';
import { rowsOf } from '../../src/kernels/program.ts';
import type { ParamValues, Program } from '../../src/kernels/program.ts';
import { testDevice } from '../gpu.ts';
import { correlationAt, halved, lumaOf, normalizedLuma, updated } from '../reference/align.ts';
import type { Pixels } from '../reference/align.ts';
import { rng } from '../reference/random.ts';
import { Commands } from '../../src/graph/commands.ts';
import { aboutMiddle, scene, shoot } from './scene.ts';

let gpu: Gpu;
let pipelines: Pipelines;
beforeAll(async () => {
  gpu = new Gpu(await testDevice());
  pipelines = new Pipelines(gpu);
});

type Data = Float32Array | Uint32Array;

/** Runs programs one after another on shared buffers, and reads one of them back. */
async function run(
  data: Record<string, Data>,
  steps: [Program, ParamValues, string[], readonly [number, number, number]][],
  result: string,
): Promise<Float32Array> {
  const { device } = gpu;
  const buffers = Object.fromEntries(
    Object.entries(data).map(([name, values]) => {
      const made = device.createBuffer({
        size: Math.max(16, values.byteLength),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(made, 0, values as Float32Array<ArrayBuffer>);
      return [name, made];
    }),
  );
  const readback = device.createBuffer({
    size: data[result].byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const commands = new Commands(gpu, pipelines);
  for (const [program, params, names, grid] of steps)
    commands.add(
      program,
      params,
      names.map((name) => buffers[name]),
      grid,
    );
  await commands.submit('a test', (encoder) =>
    encoder.copyBufferToBuffer(buffers[result], 0, readback, 0, data[result].byteLength),
  );
  await gpu.wait(readback.mapAsync(GPUMapMode.READ));
  const values = new Float32Array(readback.getMappedRange().slice(0));
  for (const made of [...Object.values(buffers), readback]) made.destroy();
  return values;
}

/** Largest difference. */
function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

/** Pixels of noise with weights. */
function noise(width: number, height: number, seed: number): Pixels {
  return { width, height, data: Float64Array.from(rng(seed).floats(2 * width * height, 0, 1)) };
}
/** Pixels as words (pixels.ts): luma, or features, which go from -5 to 5. */
function words({ data }: Pixels, kind: 'luma' | 'feature'): Uint32Array {
  const packed = kind === 'luma' ? new Uint16Array(data.length) : new Int16Array(data.length);
  data.forEach((value, i) => (packed[i] = Math.round(kind === 'luma' ? 65535 * value : 32767 * scaled(value, i))));
  return new Uint32Array(packed.buffer);
}
const scaled = (value: number, i: number): number => (i % 2 === 0 ? value / 5 : value);
/** What words hold. */
function pixelsOf(values: Float32Array, kind: 'luma' | 'feature'): number[] {
  if (kind === 'luma') return [...new Uint16Array(values.buffer)].map((word) => word / 65535);
  return [...new Int16Array(values.buffer)].map((word, i) => (word / 32767) * (i % 2 === 0 ? 5 : 1));
}
/** The pixels that words can hold. */
function held(pixels: Pixels, kind: 'luma' | 'feature'): Pixels {
  const packed = new Float32Array(words(pixels, kind).buffer);
  return { ...pixels, data: Float64Array.from(pixelsOf(packed, kind)) };
}
/** Half of the smallest difference that words hold, and rounding. */
const STEP = { luma: 0.52 / 65535, feature: (0.52 * 5) / 32767 };

describe('luma', () => {
  const [width, rows] = [7, 5];
  const random = rng(3);
  const codes = Array.from({ length: width * rows * 3 }, () => random.next() ** 2);
  it.each([
    [8, false],
    [8, true],
    [16, false],
    [32, true],
    [VEC4_BITS, false],
  ])('of %s-bit samples, linear: %s', async (bits, linear) => {
    const top = bits === 8 ? 255 : bits === 16 ? 65535 : 1;
    const values = codes.map((v) => (top === 1 ? Math.fround(v * 1.1 - 0.05) : Math.round(v * top)));
    const packed =
      bits === 8
        ? Uint8Array.from([...values, 0, 0, 0])
        : bits === 16
          ? Uint16Array.from([...values, 0])
          : Float32Array.from(bits === VEC4_BITS ? values.flatMap((v, i) => (i % 3 === 2 ? [v, 9] : [v])) : values);
    const words = new Uint32Array(packed.buffer, 0, packed.byteLength >> 2);
    const out = await run(
      { samples: words, coverage: new Uint32Array(16), pixels: new Uint32Array(width * rows + 4) },
      [
        [
          LUMA,
          { width, rows, bits, linear: linear ? 1 : 0, use_coverage: 0, first: 4 },
          ['samples', 'coverage', 'pixels'],
          flatGrid(width * rows),
        ],
      ],
      'pixels',
    );
    const expected = Array.from({ length: width * rows }, (_, i) =>
      lumaOf(
        values.slice(3 * i, 3 * i + 3).map((v) => v / top),
        linear,
      ),
    ).flat();
    const found = pixelsOf(out, 'luma');
    expect(worst(found.slice(8), expected)).toBeLessThan(STEP.luma + 2e-5);
    expect(worst(found.slice(0, 8), new Float32Array(8))).toBe(0);
  });

  it('weighs nothing where there is no data', async () => {
    const covered = Uint8Array.from({ length: 36 }, (_, i) => (i % 3 === 0 ? 0 : 200));
    const out = await run(
      {
        samples: new Uint32Array(27).fill(0x80808080),
        coverage: new Uint32Array(covered.buffer),
        pixels: new Uint32Array(35),
      },
      [
        [
          LUMA,
          { width, rows, bits: 8, linear: 0, use_coverage: 1, first: 0 },
          ['samples', 'coverage', 'pixels'],
          flatGrid(35),
        ],
      ],
      'pixels',
    );
    const found = pixelsOf(out, 'luma');
    for (let i = 0; i < 35; i++) expect(found[2 * i + 1]).toBe(i % 3 === 0 ? 0 : 1);
  });
});

// Levels have sides of 20 pixels and more; mirroring goes as far as one mirror.
describe('the pyramid', () => {
  it.each([
    [21, 14],
    [8, 33],
    [3, 4],
  ])('halves %s x %s, whole and in bands', async (width, height) => {
    const source = held(noise(width, height, 5), 'luma');
    const expected = halved(source);
    const { width: w, height: h } = expected;
    const params = { width: w, first: 3, from_first: 0, from_width: width, from_height: height };
    const all = words(source, 'luma');
    const whole = await run(
      { source: all, pixels: new Uint32Array(w * h + 3) },
      [[HALVE, { ...params, top: 0, rows: h, from_top: 0 }, ['source', 'pixels'], flatGrid(w * h)]],
      'pixels',
    );
    expect(worst(pixelsOf(whole, 'luma').slice(6), expected.data)).toBeLessThan(STEP.luma);
    // The last row alone, from the rows that it needs.
    const from = Math.max(0, 2 * (h - 1) - 2);
    const band = await run(
      { source: all.slice(width * from), pixels: new Uint32Array(w * h + 3) },
      [[HALVE, { ...params, top: h - 1, rows: 1, from_top: from }, ['source', 'pixels'], flatGrid(w)]],
      'pixels',
    );
    const last = (values: Float32Array): number[] => pixelsOf(values, 'luma').slice(6 + 2 * w * (h - 1));
    expect(worst(last(band), last(whole))).toBe(0);
  });

  it.each([
    [31, 22],
    [9, 8],
    [16, 33],
  ])('normalises luma of %s x %s', async (width, height) => {
    const source = held(noise(width, height, 6), 'luma');
    const out = await run(
      { luma: Uint32Array.from([7, ...words(source, 'luma')]), features: new Uint32Array(width * height + 2) },
      [
        [
          NORMALIZE,
          { width, height, from_first: 1, first: 2 },
          ['luma', 'features'],
          normalizeGroups({ width, height }),
        ],
      ],
      'features',
    );
    expect(worst(pixelsOf(out, 'feature').slice(4), normalizedLuma(source).data)).toBeLessThan(STEP.feature + 2e-5);
  });

  it('holds the largest feature that there can be', async () => {
    const spot = { width: 41, height: 41, data: new Float64Array(2 * 41 * 41).fill(1) };
    spot.data.forEach((_, i) => (spot.data[i] = i % 2 || i === 2 * (20 * 41 + 20) ? 1 : 0));
    const largest = Math.max(...normalizedLuma(spot).data);
    expect(largest).toBeGreaterThan(4.5);
    expect(largest).toBeLessThan(5);
  });
});

/** Features of a scene's frames, from the f64 reference. */
function features(matrix: readonly number[], width = 70, height = 51, exposure = 1): Pixels {
  const { data } = shoot(scene(9), { width, height, exposure: 0.2 * exposure, matrix }, inverse);
  const pixels = new Float64Array(2 * width * height);
  for (let i = 0; i < width * height; i++) pixels.set(lumaOf([0, 1, 2].map((c) => data[3 * i + c] / 255)), 2 * i);
  return held(normalizedLuma({ width, height, data: pixels }), 'feature');
}

const SIZE = { width: 70, height: 51 };
const REFERENCE = features(aboutMiddle(SIZE, {}));
const MOVED = features(aboutMiddle(SIZE, { degrees: 2, x: 5, y: -3 }), 70, 51, 3);

describe('Gauss-Newton', () => {
  it.each(['translation', 'similarity', 'homography'] as const)('updates a %s as in f64', async (model: Model) => {
    const { width, height } = SIZE;
    const { tilesX, tiles, each, groups } = groupsOf(width, height);
    const { unit } = normalization(SIZE);
    const n = [0.999, -0.03, 0.13, 0.031, 1.001, -0.08, 0.001, -0.002, 1];
    const state = new Float32Array(HYPOTHESES * STATE_FLOATS);
    for (const h of [0, 2]) state.set(n, STATE_FLOATS * h);
    state[STATE_FLOATS + AT.done] = 1;
    const common = { width, height, groups, unit };
    const out = await run(
      {
        reference: words(REFERENCE, 'feature'),
        frame: words(MOVED, 'feature'),
        state,
        sums: new Float32Array(HYPOTHESES * groups * SUMS),
      },
      [
        [
          ACCUMULATE,
          { ...common, first: 0, tiles_x: tilesX, tiles, each, robust: 4 },
          ['reference', 'frame', 'state', 'sums'],
          [groups, 1, 3],
        ],
        [SOLVE, { ...common, ...modelParams(model) }, ['sums', 'state'], [3, 1, 1]],
      ],
      'state',
    );
    const expected = updated(REFERENCE, MOVED, [...Float32Array.from(n)], { model, c: 0.5 });
    expect(worst(out.subarray(0, 9), expected.next)).toBeLessThan(2e-5);
    expect(out[AT.inliers]).toBeCloseTo(expected.inliers, 5);
    expect(out[AT.overlap]).toBeCloseTo(expected.overlap, 5);
    expect(out[AT.correlation]).toBeCloseTo(expected.correlation, 4);
    expect(out[AT.updates]).toBe(1);
    // A hypothesis that is done stays as it is, and the next is not disturbed by it.
    expect([...out.subarray(STATE_FLOATS, STATE_FLOATS + 9)]).toEqual(new Array(9).fill(0));
    expect([...out.subarray(2 * STATE_FLOATS, 2 * STATE_FLOATS + 9)]).toEqual([...out.subarray(0, 9)]);
  });

  it('marks a hypothesis as done when it no longer moves, and where nothing overlaps', async () => {
    const { width, height } = SIZE;
    const { tilesX, tiles, each, groups } = groupsOf(width, height);
    const common = { width, height, groups, unit: normalization(SIZE).unit };
    const state = new Float32Array(HYPOTHESES * STATE_FLOATS);
    state.set([1, 0, 0, 0, 1, 0, 0, 0, 1], 0);
    state.set([1, 0, 5, 0, 1, 0, 0, 0, 1], STATE_FLOATS);
    const out = await run(
      {
        reference: words(REFERENCE, 'feature'),
        frame: words(REFERENCE, 'feature'),
        state,
        sums: new Float32Array(2 * groups * SUMS),
      },
      [
        [
          ACCUMULATE,
          { ...common, first: 0, tiles_x: tilesX, tiles, each, robust: 4 },
          ['reference', 'frame', 'state', 'sums'],
          [groups, 1, 2],
        ],
        [SOLVE, { ...common, ...modelParams('homography') }, ['sums', 'state'], [2, 1, 1]],
      ],
      'state',
    );
    expect(out[AT.done]).toBe(1);
    expect(out[AT.inliers]).toBeCloseTo(1, 5);
    expect(worst(out.subarray(0, 9), [1, 0, 0, 0, 1, 0, 0, 0, 1])).toBeLessThan(1e-6);
    expect(out[STATE_FLOATS + AT.overlap]).toBe(0);
    expect(out[STATE_FLOATS + AT.done]).toBe(1);
  });

  it("moves homographies to the next level's coordinates, and keeps the best", async () => {
    const [from, to] = [
      { width: 35, height: 26 },
      { width: 70, height: 51 },
    ];
    const [a, b] = [normalization(from), normalization(to)];
    const n = [0.99, -0.03, 0.11, 0.031, 1.02, -0.08, 0.01, -0.02, 1];
    const state = new Float32Array(HYPOTHESES * STATE_FLOATS);
    for (let h = 0; h < HYPOTHESES; h++) {
      state.set(h === 2 ? n : [1, 0, h, 0, 1, 0, 0, 0, 1], STATE_FLOATS * h);
      state[STATE_FLOATS * h + AT.inliers] = h === 2 ? 0.7 : 0.9;
      state[STATE_FLOATS * h + AT.overlap] = h === 2 ? 0.06 : 0.03;
    }
    const out = await run(
      { state },
      [
        [
          ADVANCE,
          {
            count: 1,
            keep_best: 1,
            scale: (2 * a.unit) / b.unit,
            shift_x: (2 * a.cx - b.cx) / b.unit,
            shift_y: (2 * a.cy - b.cy) / b.unit,
          },
          ['state'],
          [1, 1, 1],
        ],
      ],
      'state',
    );
    // In pixels, the same homography at twice the size.
    const h = toPixels([...Float32Array.from(n)], from);
    const doubled = [h[0], h[1], 2 * h[2], h[3], h[4], 2 * h[5], h[6] / 2, h[7] / 2, 1];
    expect(worst(toPixels([...out.subarray(0, 9)], to), doubled)).toBeLessThan(1e-4);
  });
});

describe('the coarse search', () => {
  it('correlates as in f64, and its hypotheses begin with the best', async () => {
    const { width, height } = SIZE;
    const { reach, side, count } = searchSize(width, height);
    const params = { width, height, first: 0, reach, side, count };
    const data = {
      reference: words(REFERENCE, 'feature'),
      frame: words(MOVED, 'feature'),
      scores: new Float32Array(count),
      state: new Float32Array(HYPOTHESES * STATE_FLOATS),
    };
    const correlate: [Program, ParamValues, string[], readonly [number, number, number]] = [
      CORRELATE,
      params,
      ['reference', 'frame', 'scores'],
      [...rowsOf(count), 1],
    ];
    const scores = await run(data, [correlate], 'scores');
    const shiftOf = (i: number): [number, number, number] => [
      -4 + 2 * Math.floor(i / side ** 2),
      (i % side) - reach,
      (Math.floor(i / side) % side) - reach,
    ];
    for (let i = 0; i < count; i += 97)
      expect(Math.abs(scores[i] - correlationAt(REFERENCE, MOVED, ...shiftOf(i)))).toBeLessThan(2e-4);
    const best = scores.indexOf(Math.max(...scores));
    expect(shiftOf(best)[0]).toBe(2);
    const state = await run(
      data,
      [correlate, [PICK, { ...params, unit: normalization(SIZE).unit }, ['scores', 'state'], [1, 1, 1]]],
      'state',
    );
    const [degrees, dx, dy] = shiftOf(best);
    const turn = aboutMiddle(SIZE, { degrees });
    const shifted = turn.map((v, i) => (i % 3 === 2 ? turn[i - 2] * dx + turn[i - 1] * dy + v : v));
    expect(worst(toPixels([...state.subarray(0, 9)], SIZE), shifted)).toBeLessThan(1e-3);
    // The others are apart from it.
    for (let h = 1; h < HYPOTHESES; h++) {
      const other = toPixels([...state.subarray(STATE_FLOATS * h, STATE_FLOATS * h + 9)], SIZE);
      expect(Math.max(...other.map((v, i) => Math.abs(v - shifted[i])))).toBeGreaterThan(0.03);
    }
  });
});
