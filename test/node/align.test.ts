/** `deghost align` and the alignment of `deghost merge`, end to end. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inverse } from '../../src/align/homography.ts';
import { readFrame } from '../../src/node/index.ts';
import { SHOTS, SIZE, handHeld, meanDistance } from '../align/estimateChecks.ts';
import { scene, shoot } from '../align/scene.ts';
import { deghost } from './commandLine.ts';

let folder: string;
let pictures: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deghost-align-'));
  const frames = handHeld(31, SHOTS);
  pictures = await Promise.all(
    frames.map(async ({ data, width, height }, k) => {
      const path = join(folder, `hand-${k + 1}.png`);
      await sharp(data as Uint8Array, { raw: { width, height, channels: 3 } })
        .png()
        .toFile(path);
      return path;
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EV = '--ev=-2,0,2';

describe('deghost align', () => {
  it('writes aligned frames of 16 bits, and says how in JSON', async () => {
    const out = join(folder, 'aligned');
    const { code, out: stdout, err: stderr } = await deghost('align', ...pictures, EV, '-o', out, '--json');
    expect(stderr).toContain('homography, by');
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.frames.map(({ alignment }: { alignment: { kind: string } }) => alignment.kind)).toEqual([
      'homography',
      'reference',
      'homography',
    ]);
    for (const k of [0, 2]) {
      const { matrix, roundTrip, displacement } = report.frames[k].alignment;
      expect(meanDistance(matrix, SHOTS[k])).toBeLessThan(0.1);
      expect(roundTrip).toBeLessThan(0.1);
      expect(displacement).toBeGreaterThan(5);
    }
    expect(readdirSync(out).sort()).toEqual(['hand-1.tif', 'hand-2.tif', 'hand-3.tif']);
    // The aligned frame is the scene as the reference sees it.
    const aligned = await readFrame(join(out, 'hand-3.tif'));
    expect([aligned.width, aligned.height, aligned.bits]).toEqual([SIZE.width, SIZE.height, 16]);
    const expected = shoot(scene(31), { ...SIZE, exposure: 1, bits: 16 }, inverse);
    let [sum, n] = [0, 0];
    for (let y = 20; y < SIZE.height - 20; y++)
      for (let i = 3 * (y * SIZE.width + 25); i < 3 * (y * SIZE.width + SIZE.width - 25); i++, n++)
        sum += ((aligned.data[i] - expected.data[i]) / 65535) ** 2;
    expect(-10 * Math.log10(sum / n)).toBeGreaterThan(38);
    // The reference itself is as it was, in 16 bits.
    const reference = await readFrame(join(out, 'hand-2.tif'));
    const before = await readFrame(pictures[1]);
    expect([...reference.data.slice(0, 300)]).toEqual([...before.data.slice(0, 300)].map((v) => v * 257));
  });

  it('cuts to what all frames cover, as PNG', async () => {
    const out = join(folder, 'cut');
    const { code, out: stdout } = await deghost(
      'align',
      ...pictures,
      EV,
      '-o',
      out,
      '--crop',
      '--format',
      'png',
      '--json',
    );
    expect(code).toBe(0);
    const { crop, width, height } = JSON.parse(stdout);
    expect(crop).toMatchObject({ width, height });
    expect(width).toBeLessThan(SIZE.width);
    expect(width * height).toBeGreaterThan(0.7 * SIZE.width * SIZE.height);
    const { width: w, height: h } = await sharp(join(out, 'hand-1.png')).metadata();
    expect([w, h]).toEqual([width, height]);
  });

  it('refuses what it cannot do, and leaves nothing', async () => {
    const none = await deghost('align', pictures[0], '-o', join(folder, 'none'));
    expect(none).toMatchObject({ code: 2 });
    expect(none.err).toContain('1 pictures given, 2 to 16 are aligned');
    expect((await deghost('align', ...pictures, EV)).err).toContain('no output given');
    const twice = join(folder, 'other');
    mkdirSync(twice);
    const other = join(twice, 'hand-1.png');
    await sharp(readFileSync(pictures[1])).png().toFile(other);
    const same = await deghost('align', pictures[0], other, EV.replace(',2', ''), '-o', join(folder, 'none'));
    expect(same.err).toContain('would both become');
    const over = await deghost('align', ...pictures, EV, '-o', folder, '--format', 'png');
    expect(over.err).toContain('would overwrite the picture');
    expect(readdirSync(folder)).not.toContain('none');
  });
});

describe('deghost merge', () => {
  it('aligns, says how, and cuts with --crop', async () => {
    const out = join(folder, 'out.npy');
    const run = await deghost('merge', ...pictures, EV, '-o', out, '--method', 'merge', '--crop', '--json');
    expect(run.err).toMatch(/aligned: hand-1\.png by \d+\.\d px, hand-3\.png by \d+\.\d px/);
    expect(run.err).toMatch(/cropped to \d+x\d+ from/);
    const report = JSON.parse(run.out);
    expect(report.crop).toMatchObject({ width: report.width, height: report.height });
    expect(report.frames[1].alignment).toMatchObject({ kind: 'reference', roundTrip: null, displacement: 0 });
    expect(meanDistance(report.frames[0].alignment.matrix, SHOTS[0])).toBeLessThan(0.1);
    const none = await deghost('merge', ...pictures, EV, '-o', out, '--method', 'merge', '--align', 'none', '--json');
    expect(JSON.parse(none.out).frames[0].alignment.kind).toBe('none');
    const bad = await deghost('merge', ...pictures, EV, '-o', out, '--align', 'yes');
    expect(bad.err).toContain('--align is "yes": choose one of auto, none, homography, mesh');
    const strong = await deghost('merge', ...pictures, EV, '-o', out, '--strength', '2');
    expect(strong.err).toContain('--strength is "2": it must be a number from 0 to 1');
  });
});
