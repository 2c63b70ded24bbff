/** Finishing in a shader of one's own, small, and counted: the same as in the finished picture. */
import { describe, expect, it } from 'vitest';
import { Finisher } from '../../src/finish/finisher.ts';
import type { RadiancePicture } from '../../src/finish/pictures.ts';
import { LIVE_FINISH_BYTES, liveFinishWgsl } from '../../src/finish/live.ts';
import type { LiveFinish } from '../../src/finish/live.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';
import { testDevice } from '../gpu.ts';
import { rng } from '../reference/random.ts';

const [WIDTH, HEIGHT] = [48, 20];
/** Light over 18 EV, colourful. */
function scene(): Float32Array {
  const random = rng(3);
  return Float32Array.from({ length: 3 * WIDTH * HEIGHT }, () => 0.18 * 2 ** (18 * random.next() - 11));
}
const picture: RadiancePicture = { radiance: scene(), width: WIDTH, height: HEIGHT, scale: 0.5 };
const settings: Partial<FinishSettings> = {
  exposure: 1,
  shadows: 60,
  highlights: -50,
  saturation: 30,
  temperature: 20,
};

async function withFinisher<T>(use: (finisher: Finisher) => Promise<T>, of = picture): Promise<T> {
  const finisher = await Finisher.create(await testDevice(), of);
  try {
    return await use(finisher);
  } finally {
    finisher.dispose();
  }
}

/** Runs `finish_color` in a compute shader that knows nothing of the finisher's own. */
async function shade({ numbers, table }: LiveFinish): Promise<Float32Array> {
  const device = await testDevice();
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const light = picture.radiance.map((value) => value * (picture.scale ?? 1)) as Float32Array<ArrayBuffer>;
  const bytes = light.byteLength;
  const buffer = (size: number, usage: number): GPUBuffer => device.createBuffer({ size, usage });
  const [input, output, uniform] = [
    buffer(bytes, STORAGE | COPY_DST),
    buffer(bytes, STORAGE | COPY_SRC),
    buffer(LIVE_FINISH_BYTES, UNIFORM | COPY_DST),
  ];
  const readback = buffer(bytes, MAP_READ | COPY_DST);
  device.queue.writeBuffer(input, 0, light);
  device.queue.writeBuffer(uniform, 0, numbers);
  const code = `
@group(0) @binding(0) var<storage, read> light: array<f32>;
@group(0) @binding(1) var<storage, read_write> shown: array<f32>;
${liveFinishWgsl({ group: 1, numbers: 2, table: 5 })}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ${WIDTH * HEIGHT}u) { return; }
  let at = 3u * id.x;
  let place = vec2f(f32(id.x % ${WIDTH}u), f32(id.x / ${WIDTH}u)) + 0.5;
  let color = finish_color(vec3f(light[at], light[at + 1u], light[at + 2u]), place);
  for (var c = 0u; c < 3u; c++) { shown[at + c] = color[c]; }
}`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const group = (index: number, entries: [number, GPUBuffer][]): GPUBindGroup =>
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(index),
      entries: entries.map(([binding, one]) => ({ binding, resource: { buffer: one } })),
    });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    group(0, [
      [0, input],
      [1, output],
    ]),
  );
  pass.setBindGroup(
    1,
    group(1, [
      [2, uniform],
      [5, table],
    ]),
  );
  pass.dispatchWorkgroups(Math.ceil((WIDTH * HEIGHT) / 64));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readback, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const shown = new Float32Array(readback.getMappedRange().slice(0));
  for (const one of [input, output, uniform, readback]) one.destroy();
  return shown;
}

describe('a live picture', () => {
  it.each([0, 2])('is as it is finished, with %s EV of headroom', async (headroom) => {
    await withFinisher(async (finisher) => {
      const expected = await finisher.finish('linear', settings, { headroom });
      const shown = await shade(await finisher.live(settings, { headroom }));
      // 1 is 2^-23 apart from its neighbour; exponentials are within some of those.
      shown.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * 2 ** headroom));
    });
  });

  it('keeps its table while other settings are finished', async () => {
    await withFinisher(async (finisher) => {
      const live = await finisher.live(settings);
      const before = await shade(live);
      const other = { exposure: -2, shadows: -50 };
      await finisher.finish('codes', other);
      expect(await shade(live)).toEqual(before);
      expect(await shade(await finisher.live(other))).not.toEqual(before);
    });
  });
});

describe('a preview', () => {
  it('of a small picture is the finished picture', async () => {
    await withFinisher(async (finisher) => {
      const { codes, width, height } = await finisher.preview(settings);
      expect([width, height]).toEqual([WIDTH, HEIGHT]);
      expect(codes).toEqual(await finisher.finish('codes', settings));
    });
  });

  it('of a large one has at most 512 pixels a side, means of blocks', async () => {
    const [width, height] = [1100, 30];
    const radiance = new Float32Array(3 * width * height).map((_, i) => (Math.floor(i / 3) % 3 === 0 ? 0.54 : 0));
    await withFinisher(
      async (finisher) => {
        const preview = await finisher.preview({ white: 4 });
        expect([preview.width, preview.height]).toEqual([367, 10]);
        const flat = await withFinisher((one) => one.finish('codes', { white: 4 }), {
          radiance: new Float32Array(3 * 64).fill(0.18),
          width: 8,
          height: 8,
        });
        for (const code of preview.codes.subarray(0, 3 * 366)) expect(Math.abs(code - flat[0])).toBeLessThanOrEqual(1);
      },
      { radiance, width, height },
    );
  });
});

describe('a histogram', () => {
  const bin = (light: number, { from, step, red }: { from: number; step: number; red: Float32Array }): number =>
    Math.min(red.length - 1, Math.max(0, Math.floor((Math.log2(light / 0.18) - from) / step)));

  it('counts every pixel of a small picture, by its light and by how it is shown', async () => {
    await withFinisher(async (finisher) => {
      const chosen = { exposure: 1, white: 2, black: -5 };
      const counted = await finisher.histogram(chosen);
      const codes = await finisher.finish('codes', chosen);
      const expected = { luminance: [0], red: [0], green: [0], blue: [0], white: [0], black: [0] };
      for (const name of Object.keys(expected) as (keyof typeof expected)[])
        expected[name] = new Array(counted.red.length).fill(0);
      for (let i = 0; i < WIDTH * HEIGHT; i++) {
        const [r, g, b] = [0, 1, 2].map((c) => picture.radiance[3 * i + c] * 0.5 * 2);
        const luminance = 0.2126390059 * r + 0.7151686788 * g + 0.0721923154 * b;
        const at = bin(luminance, counted);
        expected.luminance[at]++;
        expected.red[bin(r, counted)]++;
        expected.green[bin(g, counted)]++;
        expected.blue[bin(b, counted)]++;
        const shown = codes.subarray(3 * i, 3 * i + 3);
        if (Math.max(...shown) === 255) expected.white[at]++;
        if (Math.max(...shown) === 0) expected.black[at]++;
      }
      for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
        const off = expected[name].reduce((sum, n, i) => sum + Math.abs(n - counted[name][i] * WIDTH * HEIGHT), 0);
        // A pixel at the edge of two bins may be in either, which counts twice.
        expect(off).toBeLessThanOrEqual(6);
      }
      expect(expected.white.reduce((a, b) => a + b)).toBeGreaterThan(20);
      expect(expected.black.reduce((a, b) => a + b)).toBeGreaterThan(20);
    });
  });

  it('begins anew each time', async () => {
    await withFinisher(async (finisher) => {
      const [first, second] = [await finisher.histogram({}), await finisher.histogram({})];
      expect(second).toEqual(first);
      const sum = (values: Float32Array): number => values.reduce((a, b) => a + b, 0);
      for (const values of [first.luminance, first.red, first.green, first.blue]) expect(sum(values)).toBeCloseTo(1, 5);
    });
  });

  it('of a large picture is near its true shares', async () => {
    const [width, height] = [1040, 700];
    // A sixteenth of the pixels, at every fourth column and row, is bright: a plain grid of samples would miss or meet
    // all.
    const radiance = new Float32Array(3 * width * height);
    for (let i = 0; i < width * height; i++) {
      const isBright = (i % width) % 4 === 1 && Math.floor(i / width) % 4 === 2;
      radiance.fill(isBright ? 40 : 0.02, 3 * i, 3 * i + 3);
    }
    await withFinisher(
      async (finisher) => {
        const { white } = await finisher.histogram({});
        const share = white.reduce((a, b) => a + b, 0);
        expect(Math.abs(share - 1 / 16)).toBeLessThan(0.004);
      },
      { radiance, width, height },
    );
  });
});
