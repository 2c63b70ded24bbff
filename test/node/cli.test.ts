/**
 * `deghost merge` from files to files: exit codes, what is printed, and what is in the files, against the spec's
 * formula in f64.
 */
import { execFile, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { array, deghost, picture, scene } from './commandLine.ts';

const W = 37;
const H = 23;
const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
const ANY = 'test/goldens/any-4-merge-r3.weights.safetensors';
const folder = mkdtempSync(join(tmpdir(), 'deghost-cli-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three exposures two stops apart, a square moving through them, as PNG: middle, darkest, brightest. */
let stack: string[];
const samples = [scene(W, H, 1, 12), scene(W, H, 0.25, 4), scene(W, H, 4, 20)];
beforeAll(async () => {
  stack = [
    await picture(folder, 'b.png', samples[0], W, H, '1/80'),
    await picture(folder, 'a.png', samples[1], W, H, '1/320'),
    await picture(folder, 'c.png', samples[2], W, H, '1/20'),
  ];
});

function readNpy(path: string): Float32Array {
  return decodeNpy(readFileSync(path)).data as Float32Array;
}

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

/** The spec's plain merge (Base with every W = 0) in f64. `frames` darkest first. */
function plainMerge(frames: Uint8Array[], taus: number[], reference: number): Float64Array {
  return Float64Array.from(frames[0], (_, i) => {
    let sum = 0;
    let weights = 0;
    frames.forEach((frame, k) => {
      const pixel = 3 * Math.floor(i / 3);
      const hats = [0, 1, 2].map((c) => {
        const v = frame[pixel + c] / 255;
        return (k === 0 && v > 0.5) || (k === frames.length - 1 && v < 0.5) ? 1 : 1 - Math.abs(2 * v - 1);
      });
      const x = frame[i] / 255;
      const hat = Math.min(...hats) + (k === reference ? 1e-3 : 0);
      sum += (hat * x ** 2.2) / taus[k];
      weights += hat;
    });
    return sum / weights;
  });
}

describe('deghost merge', () => {
  it('merges plainly, frames sorted by EXIF exposure, and writes Y to .npy', async () => {
    const ran = await deghost(
      'merge',
      ...stack,
      '-o',
      at('plain.npy'),
      '--method',
      'merge',
      '--response',
      'gamma',
      '--json',
    );
    expect(ran.err + ran.code).toMatch(/0$/);
    const report = JSON.parse(ran.out);
    expect(report).toMatchObject({
      output: at('plain.npy'),
      width: W,
      height: H,
      reference: 2,
      scale: 4,
      method: 'merge',
      motion: [],
      weights: null,
    });
    expect(report.frames.map(({ file }: { file: string }) => file)).toEqual([stack[1], stack[0], stack[2]]);
    expect(report.peakBytes).toBeLessThanOrEqual(report.memoryBudget);
    expect(
      worst(readNpy(at('plain.npy')), plainMerge([samples[1], samples[0], samples[2]], [1, 4, 16], 1)),
    ).toBeLessThan(2e-6);
  });

  it('takes exposures in command-line order, over EXIF, as stops or times alike', async () => {
    for (const [name, ...exposures] of [
      ['ev', '--ev=0,-2,2'],
      ['ev2', '--ev', '-1,-3,1'],
      ['times', '--times', '1/80,0.003125,1/20'],
    ]) {
      const ran = await deghost(
        'merge',
        ...stack,
        '-o',
        at(`${name}.npy`),
        '--method',
        'merge',
        '--response',
        'gamma',
        '--quiet',
        ...exposures,
      );
      expect(ran).toEqual({ code: 0, out: '', err: '' });
      expect(worst(readNpy(at(`${name}.npy`)), readNpy(at('plain.npy')))).toBeLessThan(1e-6);
    }
  });

  it('writes maps as used, reads them back to the same picture, and takes edited ones', async () => {
    // Multiples of 16: elsewhere the padding's own maps, which no file holds, count near the right and lower edge.
    const [W, H] = [48, 32];
    const stack = await Promise.all(
      [0.25, 1, 4].map((exposure, k) =>
        picture(folder, `even${k}.png`, scene(W, H, exposure, 8 * k + 4), W, H, `${exposure * 80}/6400`),
      ),
    );
    const first = await deghost(
      'merge',
      ...stack,
      '-o',
      at('net.npy'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--motion',
      at('maps'),
      '--preview',
      at('p.png'),
      '--save-response',
      at('r.json'),
    );
    expect(first.code, first.err).toBe(0);
    expect(first.out).toBe('');
    expect(first.err).toMatch(/GPU memory: .* at the peak, 512 MiB allowed/);
    expect(readdirSync(at('maps')).sort()).toEqual([1, 2, 3].flatMap((k) => [`motion-${k}.npy`, `motion-${k}.png`]));
    const maps = [1, 2, 3].map((k) => readNpy(at(`maps/motion-${k}.npy`)));
    expect(
      worst(
        maps[1],
        maps[0].map((w, i) => Math.max(w, maps[2][i])),
      ),
    ).toBe(0); // the reference's is the union
    const png = await sharp(at('maps/motion-3.png')).toColourspace('b-w').raw().toBuffer();
    expect(
      worst(
        png,
        maps[2].map((w) => Math.round(255 * w)),
      ),
    ).toBe(0);
    expect(await sharp(at('p.png')).metadata()).toMatchObject({ width: W, height: H, format: 'png' });

    const again = await deghost(
      'merge',
      ...stack,
      '-o',
      at('again.npy'),
      '--weights',
      FIXED,
      '--response',
      at('r.json'),
      '--motion-in',
      at('maps'),
      '--quiet',
    );
    expect(again.code, again.err).toBe(0);
    // The saved curve is gamma sampled at 256 places: 8-bit samples fall on them, rounded in f32.
    expect(worst(readNpy(at('again.npy')), readNpy(at('net.npy')))).toBeLessThan(1e-5);

    mkdirSync(at('edited'));
    for (const k of [1, 3])
      await sharp(Buffer.alloc(W * H, 255), { raw: { width: W, height: H, channels: 1 } })
        .png()
        .toFile(at(`edited/motion-${k}.png`));
    const edited = await deghost(
      'merge',
      ...stack,
      '-o',
      at('edited.npy'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--motion-in',
      at('edited'),
      '--motion',
      at('used'),
      '--quiet',
    );
    expect(edited.code, edited.err).toBe(0);
    expect(worst(readNpy(at('used/motion-2.npy')), new Float32Array(W * H).fill(1))).toBe(0);
    expect(worst(readNpy(at('edited.npy')), readNpy(at('net.npy')))).toBeGreaterThan(1e-3);
  });

  it('takes with --reference auto the frame that lost least, says why, and takes the weights that belong to ' +
    'it', async () => {
    const codes = (code: number, lost: number, as: number): Uint8Array =>
      new Uint8Array(16 * 16 * 3).fill(code).fill(as, 0, 3 * lost);
    const files = [
      await picture(folder, 'r1.png', codes(60, 16, 3), 16, 16, '1/320'),
      await picture(folder, 'r2.png', codes(120, 64, 255), 16, 16, '1/80'),
      await picture(folder, 'r3.png', codes(200, 128, 255), 16, 16, '1/20'),
    ];
    const ran = await deghost(
      'merge',
      files[1],
      files[0],
      files[2],
      '-o',
      at('auto.npy'),
      '--reference',
      'auto',
      '--response',
      'gamma',
      '--json',
    );
    expect(ran.err + ran.code).toMatch(/0$/);
    expect(JSON.parse(ran.out)).toMatchObject({
      reference: 1,
      scale: 1,
      weights: { variant: 'any' },
      referenceChoice: [
        { sampled: 256, burnt: 0, black: 16, share: 0.0625 },
        { sampled: 256, burnt: 64, black: 0, share: 0.25 },
        { sampled: 256, burnt: 128, black: 0, share: 0.5 },
      ],
    });
    expect(ran.err).toContain('r1.png  (reference)');
    expect(ran.err).toContain(
      'reference: frame 1 was chosen, of which 6.3 % is burnt out or black (25.0 % of frame 2, 50.0 % of frame 3)',
    );
    expect(ran.err).toContain('network any from any.safetensors');
    // The same as naming the frame, whose weights are then chosen before the pictures are read.
    const named = await deghost(
      'merge',
      ...files,
      '-o',
      at('named.npy'),
      '--reference',
      '1',
      '--response',
      'gamma',
      '--json',
    );
    expect(JSON.parse(named.out)).toMatchObject({ reference: 1, weights: { variant: 'any' }, referenceChoice: null });
    expect(worst(readNpy(at('auto.npy')), readNpy(at('named.npy')))).toBe(0);
    // Light itself of code 60 would be code 132, and of code 3 code 34: nothing of the first is black.
    const linear = await deghost(
      'merge',
      ...files,
      '-o',
      at('linear.npy'),
      '--reference',
      'auto',
      '--response',
      'linear',
      '--method',
      'merge',
      '--json',
    );
    expect(JSON.parse(linear.out).referenceChoice[0]).toMatchObject({ burnt: 0, black: 0 });
  }, 240_000);

  it('merges two frames of 1x1 float arrays with any weights and a chosen reference', async () => {
    const dark = array(folder, 'dark.npy', Float32Array.of(0.5, 0.25, 0.125), [1, 1, 3]);
    const bright = array(folder, 'bright.npy', Float32Array.of(0.9, 0.5, 0.25), [1, 1, 3]);
    const ran = await deghost(
      'merge',
      bright,
      dark,
      '--ev=2,0',
      '-o',
      at('one.exr'),
      '--weights',
      ANY,
      '--reference',
      '2',
      '--json',
      '--quiet',
    );
    expect(ran.code, ran.err).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({
      width: 1,
      height: 1,
      reference: 2,
      scale: 4,
      response: { kind: 'gamma' },
    });
  });

  it('prints a plan without a GPU, within the default limits for 24 megapixels', async () => {
    const ran = await deghost('plan', '6000x4000', '--frames', '5', '--weights', ANY, '--limits', 'default', '--json');
    expect(ran.code, ran.err).toBe(0);
    const plan = JSON.parse(ran.out);
    expect(plan.stages.map(({ name }: { name: string }) => name)).toEqual(['segmentation', 'fusion']);
    for (const stage of plan.stages) {
      expect(stage.bytes).toBeLessThanOrEqual(512 * 2 ** 20);
      expect(stage.largestBuffer).toBeLessThanOrEqual(128 * 2 ** 20);
    }
    expect((await deghost('plan', '64x48', '--method', 'merge', '--limits', 'default')).out).toMatch(
      /^3 frames of 64x48/,
    );
  });

  it('plans for a GPU within the bytes that it may move', async () => {
    // Three frames; gigabytes that the whole merge reads and writes.
    const cases = [
      ['1500x1000', '4GiB', 'f32', 27e9],
      ['6000x4000', '8GiB', 'f32', 455e9],
      ['6000x4000', '8GiB', 'f16', 235e9],
    ] as const;
    for (const [size, budget, precision, most] of cases) {
      const limits = ['--limits', 'default', '--max-binding', '2GiB', '--memory-budget', budget];
      const ran = await deghost('plan', size, ...limits, '--precision', precision, '--json');
      expect(ran.code, ran.err).toBe(0);
      const { bytes } = JSON.parse(ran.out).traffic;
      expect(bytes, `${size} in ${precision}`).toBeLessThanOrEqual(most);
      expect(bytes).toBeGreaterThan(most / 2);
    }
  });

  it('prints the shader that a step runs, and says which steps there are where there is none of a name', async () => {
    const ran = await deghost('plan', '64x48', '--method', 'merge', '--limits', 'default', '--wgsl', 'B');
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toMatch(/^\/\/ B: picture plain, \d+ x \d+ x 1 workgroups\n/);
    expect(ran.out).toContain('fn average_frames(pixel: u32) -> vec3f {');
    const none = await deghost('plan', '64x48', '--limits', 'default', '--wgsl', 's.1.enc1.9');
    expect(none.code).toBe(2);
    expect(none.err).toMatch(
      new RegExp(
        "--wgsl s\\.1\\.enc1\\.9: none of the plan's \\d+ steps has this name, " +
          'did you mean s\\.1\\.enc1\\.\\d\\?: `deghost plan` lists them',
      ),
    );
  });
});

describe('deghost info', () => {
  it('lists the adapter that is used, its limits and features', async () => {
    const ran = await deghost('info', '--json');
    expect(ran.code, ran.err).toBe(0);
    const report = JSON.parse(ran.out);
    const used = report.adapters.find(({ name }: { name: string }) => name === report.adapter.name);
    expect(used.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(128 * 2 ** 20);
    expect(used.features).toContain('core-features-and-limits');
    const text = (await deghost('info')).out;
    expect(text).toContain(report.adapter.name);
    expect(text).toContain('maxComputeWorkgroupStorageSize');
  });
});

describe('the process', () => {
  const program = ['--import', 'tsx', 'test/node/deghost.ts'];

  it('stops on Ctrl-C with 130 and leaves no file', async () => {
    // Large enough to be busy for many seconds on a software adapter, and for a moment on a GPU: small tiles of a plain
    // network.
    const big = [scene(960, 640, 1), scene(960, 640, 0.25), scene(960, 640, 4)];
    const inputs = await Promise.all(big.map((data, i) => picture(folder, `big${i}.png`, data, 960, 640)));
    mkdirSync(at('stopped'));
    const child = spawn(
      process.execPath,
      [
        ...program,
        'merge',
        ...inputs,
        '--ev=0,-2,2',
        '--weights',
        FIXED,
        '--response',
        'gamma',
        '--align',
        'none',
        '--memory-budget',
        '10MiB',
        '-o',
        at('stopped/x.hdr'),
        '--motion',
        at('stopped/maps'),
        '--preview',
        at('stopped/p.png'),
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let err = '';
    let sent = 0;
    child.stderr.on('data', (text) => {
      err += text;
      if (!sent && /finding motion|merging/.test(err)) {
        sent = performance.now();
        child.kill('SIGINT');
      }
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    const took = performance.now() - sent;
    expect(err).toMatch(/cancelled/);
    expect(code).toBe(130);
    expect(readdirSync(at('stopped'))).toEqual([]);
    expect(took).toBeLessThan(10_000);
  });

  it.runIf(process.platform === 'linux')(
    'exits with 3 and the remedy where there is no adapter, but tells of a bad picture first',
    async () => {
      const arrays = ['d.npy', 'e.npy'].map((name, i) =>
        array(folder, name, Float32Array.of(0.25 * (i + 1), 0.2, 0.1), [1, 1, 3]),
      );
      const bad = array(folder, 'bad.npy', Float32Array.of(0.1, 7, 0.1), [1, 1, 3]);
      const env = {
        ...process.env,
        VK_DRIVER_FILES: '/nonexistent.json',
        HIDE_SWIFTSHADER: '1',
        DEGHOST_ADAPTER: 'auto',
      };
      for (const [second, exit, message] of [
        [arrays[1], 3, /^deghost: WebGPU found no adapter .*mesa-vulkan-drivers/],
        [bad, 1, /^deghost: .*bad\.npy: row 0, column 0, channel 1 is 7/],
      ] as const) {
        const [code, err] = await new Promise<[unknown, string]>((resolve) => {
          execFile(
            process.execPath,
            [...program, 'merge', arrays[0], second, '--ev=0,2', '--weights', ANY, '-o', at('none.hdr')],
            { env },
            (error, _out, stderr) => resolve([error?.code, stderr]),
          );
        });
        expect(code).toBe(exit);
        const ours = err.split('\n').filter((line) => line.startsWith('deghost:'));
        expect(ours).toEqual([expect.stringMatching(message)]);
        expect(existsSync(at('none.hdr'))).toBe(false);
      }
    },
  );
});

describe('what was there before', () => {
  it('keeps an older result when a merge fails', async () => {
    writeFileSync(at('old.hdr'), 'older');
    const nan = array(folder, 'nan.npy', new Float32Array(W * H * 3).fill(NaN), [H, W, 3]);
    const ran = await deghost('merge', stack[0], nan, '--ev=0,2', '-o', at('old.hdr'), '--weights', ANY);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/nan\.npy: row 0, column 0, channel 0 is NaN/);
    expect(readFileSync(at('old.hdr'), 'utf8')).toBe('older');
  });

  it('never writes over a picture it reads', async () => {
    copyFileSync(stack[0], at('copy.png'));
    const ran = await deghost('merge', at('copy.png'), stack[1], '-o', at('copy.png'));
    expect(ran).toMatchObject({ code: 2, err: expect.stringMatching(/would overwrite the picture/) });
    expect(readFileSync(at('copy.png')).equals(readFileSync(stack[0]))).toBe(true);
  });
});
