/**
 * `deghost evaluate` on stacks made here, in all three layouts: which files are read, the figures against the
 * definitions in f64, the JSON, the sheets, and one-line errors.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { decodeRgbe, encodeRgbe } from '../../src/image/rgbe.ts';
import { main } from '../../src/node/cli.ts';
import { toneOperators } from '../../src/image/toneOperators.ts';
import { clipped } from '../../src/node/evaluate/figures.ts';
import { METHODS } from '../../src/node/evaluate/methods/index.ts';
import { mertens } from '../../src/node/evaluate/methods/mertens.ts';
import { findStacks, readStack } from '../../src/node/evaluate/readStack.ts';
import { mergeBase } from '../reference/exposure.ts';
import { tensor } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import { array, deghost } from './commandLine.ts';

const [W, H] = [48, 32];
const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
const root = mkdtempSync(join(tmpdir(), 'deghost-evaluate-'));
const at = (...names: string[]): string => join(root, ...names);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Radiance (1 saturates the shortest frame) with a bright square whose left edge is at `x`. */
function radiance(square: number): Float32Array {
  return Float32Array.from({ length: W * H * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
    if (x >= square && x < square + 8 && y >= 8 && y < 16) return 0.16;
    return 0.01 + 0.5 * (x / W) ** 2 * (0.6 + 0.4 * Math.sin(y / 5 + (i % 3)));
  });
}
const TAUS = [1, 4, 16];
const SQUARES = [4, 14, 24];
const codes = TAUS.map((tau, k) =>
  Uint8Array.from(radiance(SQUARES[k]), (y) => Math.round(255 * Math.min(1, y * tau) ** (1 / 2.2))),
);
const truth = radiance(SQUARES[1]);
const motion = SQUARES.map((square) =>
  Float32Array.from({ length: W * H }, (_, p) => {
    const [x, y] = [p % W, Math.floor(p / W)];
    return y >= 8 && y < 16 && ((x >= square && x < square + 8) || (x >= SQUARES[1] && x < SQUARES[1] + 8)) ? 1 : 0;
  }),
);

function hdr(path: string, data: Float32Array, scale: number, width = W, height = H): void {
  writeFileSync(path, Buffer.concat([...encodeRgbe(data, width, height, scale)]));
}
async function picture(path: string, data: Uint8Array, deep = false): Promise<void> {
  const raw = { width: W, height: H, channels: 3 } as const;
  const image = deep
    ? sharp(
        Uint16Array.from(data, (v) => v * 257),
        { raw },
      ).toColourspace('rgb16')
    : sharp(data, { raw });
  await (path.endsWith('.tif') ? image.tiff({ compression: 'none' }) : image.png()).toFile(path);
}
async function grey(path: string, map: Float32Array): Promise<void> {
  await sharp(
    Uint8Array.from(map, (w) => 255 * w),
    { raw: { width: W, height: H, channels: 1 } },
  )
    .toColourspace('b-w')
    .png()
    .toFile(path);
}

/** Ours, Kalantari's (16 bit, other names, darkest not first) and Prabhakar's (with the static frames beside). */
beforeAll(async () => {
  for (const name of ['set/ours', 'set/kalantari', 'prabhakar']) mkdirSync(at(name), { recursive: true });
  for (const k of [0, 1, 2]) {
    await picture(at('set/ours', `frame-${k + 8}.png`), codes[k]); // 8, 9, 10: by number, not by letters
    if (k !== 1) await grey(at('set/ours', `motion-${k + 1}.png`), motion[k]);
    await picture(at('set/kalantari', `IMG_${9 - k}.tif`), codes[k], true);
    await picture(at('prabhakar', `input_${k + 1}_aligned.tif`), codes[k], true);
    await picture(at('prabhakar', `input_${k + 1}.tif`), new Uint8Array(codes[k].length), true);
    await picture(at('prabhakar', `ref_${k + 1}_aligned.tif`), new Uint8Array(codes[k].length), true);
  }
  writeFileSync(at('set/ours/exposure.txt'), '-2\n0\n2\n');
  hdr(at('set/ours/ground-truth.hdr'), truth, 4);
  stored = decodeRgbe(readFileSync(at('set/ours/ground-truth.hdr'))).data;
  writeFileSync(at('set/kalantari/exposure.txt'), '4.00\r\n2.00\r\n0.00\r\n\r\n');
  hdr(at('set/kalantari/HDRImg.hdr'), truth, 1);
  writeFileSync(at('prabhakar/input_exp.txt'), '0\n2\n4');
  hdr(at('prabhakar/ref_hdr_aligned.hdr'), truth, 1);
  hdr(at('prabhakar/ref_hdr.hdr'), truth, 2);
});

/** What our stack's file holds of the truth: RGBE has steps of up to 0.8 %. */
let stored: Float32Array;

/** What the figures are expected to be, from the definitions. */
function psnr(
  made: ArrayLike<number>,
  encode: (y: number) => number,
  scale: number,
  where?: (pixel: number) => boolean,
): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < made.length; i++) {
    if (where && !where(Math.floor(i / 3))) continue;
    sum += (encode(Math.min(1, made[i])) - encode(Math.min(1, stored[i] * scale))) ** 2;
    count++;
  }
  return -10 * Math.log10(sum / count);
}
const linear = (y: number): number => y;
const mu = (y: number): number => Math.log(1 + 5000 * y) / Math.log(5001);
const planar = (data: ArrayLike<number>, c: number): Tensor => ({
  ...tensor(c, H, W),
  data: Float64Array.from({ length: c * W * H }, (_, i) => data[(i % (W * H)) * c + Math.floor(i / (W * H))]),
});
const interleaved = ({ data }: Tensor): Float64Array =>
  Float64Array.from({ length: data.length }, (_, i) => data[(i % 3) * W * H + Math.floor(i / 3)]);
function merged(masks?: Float32Array[]): Float64Array {
  const frames = codes.map((frame) =>
    planar(
      Array.from(frame, (v) => v / 255),
      3,
    ),
  );
  return interleaved(
    mergeBase(
      frames,
      TAUS,
      1,
      2.2,
      'pixel',
      masks?.map((map) => planar(map, 1)),
    ),
  );
}

describe('deghost evaluate', () => {
  it('judges a folder of stacks: every row by its definition, the mean, JSON and sheets', async () => {
    const ran = await deghost(
      'evaluate',
      at('set'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--json',
      at('figures.json'),
      '--pictures',
      at('sheets'),
      '--quiet',
    );
    expect(ran.err + ran.code).toBe('0');
    const report = JSON.parse(readFileSync(at('figures.json'), 'utf8'));
    const [kalantari, ours] = report.stacks;
    expect([kalantari.name, ours.name]).toEqual(['kalantari', 'ours']);
    expect(ours).toMatchObject({
      width: W,
      height: H,
      reference: 2,
      truth: { file: 'ground-truth.hdr' },
      weights: 'fixed-merge-r0.weights.safetensors',
    });
    expect(ours.frames).toEqual([8, 9, 10].map((n, k) => ({ file: `frame-${n}.png`, exposure: TAUS[k] })));
    expect(kalantari.frames.map(({ file }: { file: string }) => file)).toEqual(['IMG_9.tif', 'IMG_8.tif', 'IMG_7.tif']);
    // RGBE and 8 bits leave this much.
    expect(Math.abs(ours.truth.scale * 4 - 1)).toBeLessThan(0.003);
    expect(Math.abs(kalantari.truth.scale - 1)).toBeLessThan(0.003);
    expect(ours.truth.residual).toBeLessThan(0.01);

    const lone = Float64Array.from(codes[1], (v) => (v / 255) ** 2.2 / 4);
    const union = motion[0].map((w, p) => Math.max(w, motion[2][p]));
    const expected: Record<string, ArrayLike<number>> = {
      reference: lone,
      merge: merged(),
      'merge, truth': merged([motion[0], union, motion[2]]),
    };
    for (const [name, made] of Object.entries(expected)) {
      const { scale } = ours.truth;
      const row = ours.rows[name];
      expect(Math.abs(row.psnr.linear - psnr(made, linear, scale)), name).toBeLessThan(2e-3);
      expect(Math.abs(row.psnr.mu - psnr(made, mu, scale)), name).toBeLessThan(2e-3);
      expect(Math.abs(row.moving.psnr.mu - psnr(made, mu, scale, (p) => union[p] > 0)), name).toBeLessThan(2e-3);
      expect(Math.abs(row.still.psnr.mu - psnr(made, mu, scale, (p) => union[p] === 0)), name).toBeLessThan(2e-3);
    }
    const { rows } = ours;
    expect(Object.keys(rows)).toEqual([
      'network',
      'reference',
      'merge',
      'merge, difference',
      'merge, S',
      'merge, truth',
    ]);
    expect(rows['merge, truth'].moving.psnr.mu).toBeGreaterThan(rows.merge.moving.psnr.mu + 10);
    expect(rows['merge, difference'].moving.psnr.mu).toBeGreaterThan(rows.merge.moving.psnr.mu + 10);
    expect(rows['merge, difference'].iou).toBeGreaterThan(0.4);
    expect(rows['merge, S'].iou).toBe(rows.network.iou);
    expect(rows.merge.iou).toBeNull();
    expect(kalantari.rows['merge, truth']).toBeUndefined();
    expect(kalantari.rows.network.moving.psnr.mu).toBeNull();
    expect(kalantari.rows.merge.psnr.mu).toBeCloseTo(rows.merge.psnr.mu, 0); // the same picture in 16 bit
    expect(report.mean.merge.psnr.mu).toBeCloseTo((rows.merge.psnr.mu + kalantari.rows.merge.psnr.mu) / 2, 10);

    for (const title of ['kalantari (truth x ', 'ours (truth x ', 'mean of 2 stacks']) expect(ran.out).toContain(title);
    const line = ran.out.split('\n').find((text) => text.startsWith('merge, truth'))!;
    expect(line.split(/ {1,}/).slice(2, 4).map(Number)).toEqual(
      [rows['merge, truth'].psnr.linear, rows['merge, truth'].psnr.mu].map((v) => Number(v.toFixed(2))),
    );

    const sheet = await sharp(at('sheets/ours.png')).raw().toBuffer({ resolveWithObject: true });
    expect(sheet.info).toMatchObject({ width: 8 * (W + 4) - 4, height: 3 * (H + 11), channels: 3 });
    // The reference as taken, and the true motion under the truth, pixel by pixel.
    const pixel = (x: number, y: number): number => sheet.data[3 * (y * sheet.info.width + x)];
    for (const [x, y] of [
      [0, 0],
      [17, 10],
      [47, 31],
    ]) {
      expect(pixel(x, 11 + y)).toBe(codes[1][3 * (y * W + x)]);
      expect(pixel(W + 4 + x, 2 * (H + 11) + 11 + y)).toBe(255 * union[y * W + x]);
    }
  });

  it('compares with classical methods, and a display picture after tone mapping alone; sheets show them', async () => {
    const ran = await deghost(
      'evaluate',
      at('set/ours'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--method',
      'khan,mertens, pece',
      '--json',
      at('methods.json'),
      '--pictures',
      at('method-sheets'),
      '--quiet',
    );
    expect(ran.err + ran.code).toBe('0');
    const { rows, truth: fitted } = JSON.parse(readFileSync(at('methods.json'), 'utf8')).stacks[0];
    expect(Object.keys(rows).slice(6)).toEqual(['khan', 'pece', 'mertens']);
    const [folder] = await findStacks(at('set/ours'));
    const stack = await readStack(folder);
    const seen = {
      ...{ width: W, height: H, gamma: 2.2, taus: TAUS, coverage: [undefined, undefined, undefined] },
      frames: stack.frames.map(({ data }) => Float32Array.from(data, (v) => v / 255)),
    };
    for (const { name, run } of METHODS.filter(({ output }) => output === 'radiance'))
      expect(Math.abs(rows[name].psnr.mu - psnr(await run(seen), mu, fitted.scale)), name).toBeLessThan(2e-3);
    // Against the truth after Reinhard's operator, which is a picture for a display too.
    const picture = await mertens.run(seen);
    const target = toneOperators(clipped(stored.map((y) => y * fitted.scale)), W, H, 4000).reinhard(
      clipped(stored.map((y) => y * fitted.scale)),
    );
    const square = picture.reduce((sum, x, i) => sum + (x - target[i]) ** 2, 0) / picture.length;
    expect(Math.abs(rows.mertens.psnr.reinhard + 10 * Math.log10(square))).toBeLessThan(2e-3);
    for (const name of ['linear', 'mu', 'pu21']) expect(rows.mertens.psnr[name]).toBeNull();
    expect(rows.mertens.ssim.linear).toBeNull();
    expect(rows.mertens.ssim.durand).toBeGreaterThan(0);
    expect(ran.out).toMatch(/^mertens +- +- +\d/m);

    const sheet = await sharp(at('method-sheets/ours.png')).raw().toBuffer({ resolveWithObject: true });
    expect(sheet.info).toMatchObject({ width: 11 * (W + 4) - 4, height: 3 * (H + 11) });
    const [x, y] = [20, 9];
    expect(sheet.data[3 * ((11 + y) * sheet.info.width + 10 * (W + 4) + x)]).toBe(
      Math.round(255 * picture[3 * (y * W + x)]),
    );
  });

  it('says that methods need a ground truth', async () => {
    mkdirSync(at('no-truth'));
    for (const k of [0, 1, 2]) await picture(at('no-truth', `${k}.png`), codes[k]);
    writeFileSync(at('no-truth/exposure.txt'), '-2\n0\n2\n');
    const ran = await deghost(
      'evaluate',
      at('no-truth'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--method',
      'khan',
    );
    expect(ran.code, ran.err).toBe(0);
    expect(ran.out).toContain('not measured: khan: methods are compared only with a ground truth');
  });

  it('is the place of maps that deghost merge takes without a network', async () => {
    const pictures = [8, 9, 10].map((n) => at('set/ours', `frame-${n}.png`));
    const ran = await deghost(
      'merge',
      ...pictures,
      '--ev=-2,0,2',
      '--method',
      'merge',
      '--motion-in',
      at('set/ours'),
      '--response',
      'gamma',
      '-o',
      at('masked.npy'),
    );
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain('merge without a network, with the motion maps in');
    const union = motion[0].map((w, p) => Math.max(w, motion[2][p]));
    const expected = merged([motion[0], union, motion[2]]);
    const made = decodeNpy(readFileSync(at('masked.npy'))).data;
    expect(Math.max(...expected.map((y, i) => Math.abs(y - made[i])))).toBeLessThan(2e-6);
    const refused = await deghost(
      'merge',
      ...pictures,
      '--ev=-2,0,2',
      '--method',
      'merge',
      '--motion',
      at('maps'),
      '-o',
      at('x.npy'),
    );
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toMatch(/--motion is given with --method merge, which uses no weights and finds no motion/);
  });

  it('leaves no sheet behind when stopped', async () => {
    const controller = new AbortController();
    let err = '';
    // Stopped once the first table is printed, its sheet being written by then.
    const stdout = { write: () => void controller.abort() };
    const code = await main(
      [
        'evaluate',
        at('set'),
        '--weights',
        FIXED,
        '--response',
        'gamma',
        '--pictures',
        at('stopped'),
        '--json',
        at('stopped.json'),
        '-q',
      ],
      { stdout, stderr: { write: (text: string) => void (err += text) }, signal: controller.signal },
    );
    expect([code, err]).toEqual([130, 'cancelled: nothing was written\n']);
    expect(existsSync(at('stopped'))).toBe(false);
    expect(existsSync(at('stopped.json'))).toBe(false);
  });

  it("takes Prabhakar's aligned pictures and their truth", async () => {
    const [folder, ...others] = await findStacks(at('prabhakar'));
    expect(others).toEqual([]);
    expect(folder.pictures.map((path) => path.slice(root.length + 1))).toEqual(
      [1, 2, 3].map((k) => join('prabhakar', `input_${k}_aligned.tif`)),
    );
    expect(folder).toMatchObject({
      exposures: at('prabhakar/input_exp.txt'),
      truth: at('prabhakar/ref_hdr_aligned.hdr'),
      motion: [],
    });
  });

  it('uses the frames it is told to, with their maps', async () => {
    const [folder] = await findStacks(at('set/ours'));
    const all = await readStack(folder);
    expect(all.motion![1]).toEqual(motion[0].map((w, p) => Math.max(w, motion[2][p])));
    const two = await readStack(folder, { picks: [1, 2], reference: 0 });
    expect(two.frames.map(({ name }) => name)).toEqual(['frame-9.png', 'frame-10.png']);
    expect(two.motion).toEqual([motion[2], motion[2]]);
    expect(two.reference).toBe(0);
  });

  it('has one-line errors that name the file and the remedy', async () => {
    const broken = async (name: string, change: (folder: string) => void | Promise<void>): Promise<string> => {
      mkdirSync(at(name));
      for (const k of [0, 1, 2]) await picture(at(name, `${k}.png`), codes[k]);
      writeFileSync(at(name, 'exposure.txt'), '-2\n0\n2\n');
      hdr(at(name, 'HDRImg.hdr'), truth, 1);
      await change(at(name));
      return at(name);
    };
    mkdirSync(at('empty'));
    const dark = new Uint8Array(codes[0].length);
    const cases: [string[], number, RegExp][] = [
      [[], 2, /no folder given/],
      [[at('set/ours'), '--method', 'khan,sen'], 2, /"sen" is not a method, choose from khan, pece, mertens/],
      [[at('set/ours'), '--method', 'khan,khan'], 2, /khan is named twice, name it once/],
      [[at('nowhere')], 1, /cannot read the stack in .*nowhere: no such file/],
      [[at('empty')], 1, /empty holds no stack: a stack is a folder with pictures/],
      [[at('set/ours'), at('set')], 2, /ours is named twice/],
      [
        [await broken('no-exposure', (folder) => rmSync(join(folder, 'exposure.txt')))],
        1,
        new RegExp(
          'no-exposure has no exposure\\.txt: write one, .* ' +
            '\\(EXIF does not help: \\S*0\\.png has no exposure time in its EXIF data\\)$',
          'm',
        ),
      ],
      [
        [await broken('few', (folder) => writeFileSync(join(folder, 'exposure.txt'), '0\n2\n'))],
        1,
        /exposure\.txt has 2 exposures for 3 pictures/,
      ],
      [
        [await broken('words', (folder) => writeFileSync(join(folder, 'exposure.txt'), '0\ntwo\n4\n'))],
        1,
        /line 2 is "two", an exposure is a number of stops/,
      ],
      [
        [await broken('seconds', (folder) => writeFileSync(join(folder, 'exposure.txt'), '0\n2\n4000\n'))],
        1,
        /line 3 is "4000"/,
      ],
      [
        [await broken('equal', (folder) => writeFileSync(join(folder, 'exposure.txt'), '2\n2\n2\n'))],
        1,
        /all 3 frames have the same exposure \(4\): .* write the true ones to exposure\.txt/,
      ],
      [
        [
          await broken('two-truths', (folder) => {
            rmSync(join(folder, 'HDRImg.hdr'));
            hdr(join(folder, 'a.hdr'), truth, 1);
            hdr(join(folder, 'b.hdr'), truth, 1);
          }),
        ],
        1,
        /has 2 \.hdr files \(a\.hdr, b\.hdr\): call the ground truth/,
      ],
      [
        [
          await broken('small-truth', (folder) =>
            hdr(join(folder, 'HDRImg.hdr'), truth.subarray(0, 3 * 16 * 8), 1, 16, 8),
          ),
        ],
        1,
        /HDRImg\.hdr is 16x8 but the pictures are 48x32/,
      ],
      [
        [await broken('no-hdr', (folder) => writeFileSync(join(folder, 'HDRImg.hdr'), 'hello'))],
        1,
        /HDRImg\.hdr cannot be read: not a Radiance/,
      ],
      [
        [await broken('one', (folder) => ['0.png', '1.png'].forEach((name) => rmSync(join(folder, name))))],
        1,
        /holds 1 pictures, a stack has 2 to 16/,
      ],
      [
        [await broken('lone-map', (folder) => grey(join(folder, 'motion-1.png'), motion[0]))],
        1,
        /motion-3\.png is missing/,
      ],
      [[at('set/ours'), '--frames', '1,4'], 1, /has 3 frames, --frames names 4/],
      [[at('set/ours'), '--frames', '3,1'], 2, /--frames is "3,1"/],
      [[at('set/ours'), '--reference', '4'], 1, /has 3 frames, --reference is 4/],
      [[at('set/ours'), '--truth-scale', '0'], 2, /--truth-scale is "0": it must be a positive number/],
      [[at('set/ours'), '--peak-luminance', 'bright'], 2, /--peak-luminance is "bright"/],
      [[at('set/ours'), '--json', at('nowhere/x.json')], 1, /nowhere/],
      [[at('set/ours'), '--pictures', at('figures.txt/sheets')], 1, /sheets/],
      [[at('set/kalantari'), '--frames', '1,2', '--weights', FIXED], 1, /exactly 3 frames, 2 are given/],
      [
        [
          await broken('dark', async (folder) => void (await picture(join(folder, '1.png'), dark))),
          '--weights',
          FIXED,
          '--quiet',
        ],
        1,
        /cannot be fitted to the reference/,
      ],
    ];
    for (const [args, code, message] of cases) {
      const ran = await deghost('evaluate', ...args);
      expect(ran.err, args.join(' ')).toMatch(message);
      expect(ran.err.trimEnd().split('\n'), args.join(' ')).toHaveLength(1);
      expect(ran.code, ran.err).toBe(code);
      expect(ran.out).toBe('');
    }
  });
});

describe('--candidate', () => {
  const evaluate = (candidate: string, json: string) =>
    deghost(
      ...['evaluate', at('set'), '--weights', FIXED, '--response', 'gamma', '--json', at(json)],
      ...['--candidate', candidate],
    );

  it('judges the pictures of others, in any scale, and says where there is none', async () => {
    mkdirSync(at('others'));
    mkdirSync(at('doubled'));
    // The plain merge as somebody would publish it: 8 times as bright, and as an array.
    const plain = Float32Array.from(merged());
    hdr(at('others/ours.hdr'), plain, 8);
    array(
      at('doubled'),
      'ours.npy',
      plain.map((value) => 2 * value),
      [H, W, 3],
    );
    const { code, err } = await evaluate(`yan19=${at('others')},wu18=${at('doubled')}`, 'candidates.json');
    expect(code, err).toBe(0);
    expect(err).toContain(`kalantari: yan19 has no picture of it in ${at('others')}`);
    const { stacks } = JSON.parse(readFileSync(at('candidates.json'), 'utf8'));
    const [kalantari, ours] = stacks;
    expect(Object.keys(kalantari.rows)).not.toContain('yan19');
    const { yan19, wu18, merge } = ours.rows;
    // They are fitted to the reference, and RGBE rounds.
    expect(Math.abs(wu18.psnr.mu - merge.psnr.mu)).toBeLessThan(0.3);
    expect(Math.abs(yan19.psnr.mu - wu18.psnr.mu)).toBeLessThan(0.1);
  });

  it.each<[string, () => string, RegExp]>([
    ['without a name', () => at('set'), /--candidate is ".*": write a name and a folder of pictures/],
    ['of no folder', () => `a=${at('nowhere')}`, /--candidate a: no such folder: .*nowhere/],
    ['named as a row of ours', () => `merge=${at('set')}`, /there is a row merge already/],
    ['named as a method', () => `khan=${at('set')}`, /there is a row khan already/],
    ['named twice', () => `a=${at('set')},a=${at('set')}`, /there is a row a already/],
  ])('%s is refused', async (_, candidate, message) => {
    const { code, err } = await evaluate(candidate(), 'refused.json');
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  it.each<[string, (folder: string) => void, RegExp]>([
    [
      'of another size',
      (folder) => array(folder, 'ours.npy', new Float32Array(12), [2, 2, 3]),
      /ours\.npy is 2x2, but/,
    ],
    ['that is damaged', (folder) => writeFileSync(join(folder, 'ours.hdr'), 'no picture'), /ours\.hdr cannot be read/],
    [
      'with a value that is no number',
      (folder) => array(folder, 'ours.npy', new Float32Array(3 * W * H).fill(NaN), [H, W, 3]),
      /ours\.npy: sample 0 is NaN/,
    ],
    [
      'that is black',
      (folder) => array(folder, 'ours.npy', new Float32Array(3 * W * H), [H, W, 3]),
      /ours\.npy cannot be fitted to the reference/,
    ],
  ])('a picture %s is named', async (name, write, message) => {
    const folder = at(`bad ${name}`);
    mkdirSync(folder);
    write(folder);
    const { code, err } = await evaluate(`a=${folder}`, 'bad.json');
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});
