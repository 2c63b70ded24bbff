/** `deghost merge` of frames taken by hand: `--align`, `--crop`, `--strength`, and what `--json` says of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inverse } from '../../src/align/homography.ts';
import { decodeNpy } from '../../src/image/npy.ts';
import { aboutMiddle, scene, shoot } from '../align/scene.ts';
import { placeOf } from '../reference/warp.ts';
import { deghost, picture } from './commandLine.ts';

const SIZE = { width: 240, height: 160 };
const folder = mkdtempSync(join(tmpdir(), 'deghost-cli-align-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** From the middle frame's pixels to each frame's, in exposure order. */
const MATRICES = [
  aboutMiddle(SIZE, { x: 6.3, y: -3.2, degrees: 0.5 }),
  aboutMiddle(SIZE, {}),
  aboutMiddle(SIZE, { x: -4.4, y: 5.1, degrees: -0.7 }),
];

/** On the command line the brightest comes first. */
let pictures: string[];
beforeAll(async () => {
  pictures = await Promise.all(
    [2, 1, 0].map((k) => {
      const { data } = shoot(scene(5), { ...SIZE, exposure: 0.25 * 4 ** (k - 1), matrix: MATRICES[k] }, inverse);
      return picture(folder, `hand-${k + 1}.png`, data as Uint8Array, SIZE.width, SIZE.height);
    }),
  );
});

const merge = (...args: string[]) =>
  deghost('merge', ...pictures, '--ev=2,0,-2', '--response', 'gamma', '--json', ...args);

describe('--align', () => {
  it('finds how frames lie by default, and cuts what they do not all cover with --crop', async () => {
    const files = ['-o', at('out.npy'), '--preview', at('out.png'), '--motion', at('maps')];
    const { code, out, err } = await merge('--crop', ...files);
    expect(code, err).toBe(0);
    const report = JSON.parse(out);
    expect(report.align).toBe('auto');
    report.frames.forEach((frame: { file: string; alignment: Record<string, never> }, k: number) => {
      expect(frame.file).toContain(`hand-${k + 1}.png`);
      const { kind, matrix, roundTrip, displacement } = frame.alignment as Record<string, unknown>;
      if (k === 1) {
        expect([kind, matrix, roundTrip, displacement]).toEqual(['reference', [1, 0, 0, 0, 1, 0, 0, 0, 1], null, 0]);
        return;
      }
      expect(kind).toBe('homography');
      expect(roundTrip).toBeLessThan(0.3);
      for (const [x, y] of [
        [20, 20],
        [120, 80],
        [220, 140],
      ]) {
        const [u, v] = placeOf(matrix as number[], x, y);
        const [goalU, goalV] = placeOf(MATRICES[k], x, y);
        expect(Math.hypot(u - goalU, v - goalV), `frame ${k + 1} at ${x}, ${y}`).toBeLessThan(0.2);
      }
    });
    const { x, y, width, height } = report.crop;
    expect([report.width, report.height]).toEqual([width, height]);
    expect(err).toContain(`cropped to ${width}x${height} from (${x}, ${y})`);
    // Every corner of it lies in every frame; a pixel further on some side, not.
    const isCovered = (px: number, py: number): boolean =>
      MATRICES.every((matrix) => {
        const [u, v] = placeOf(matrix, px, py);
        return u >= -0.7 && v >= -0.7 && u < SIZE.width - 0.3 && v < SIZE.height - 0.3;
      });
    for (const px of [x, x + width - 1]) for (const py of [y, y + height - 1]) expect(isCovered(px, py)).toBe(true);
    expect(width * height).toBeGreaterThan(0.85 * SIZE.width * SIZE.height);
    expect(width).toBeLessThan(SIZE.width - 8);

    const shape = (name: string): readonly number[] => decodeNpy(readFileSync(at(name)), name).shape;
    expect(shape('out.npy')).toEqual([height, width, 3]);
    expect(shape('maps/motion-1.npy')).toEqual([height, width]);
    expect(await sharp(at('out.png')).metadata()).toMatchObject({ width, height });
  });

  it('takes pictures as they are with none', async () => {
    const { code, out, err } = await merge('--align', 'none', '--crop', '-o', at('none.npy'));
    expect(code, err).toBe(0);
    const report = JSON.parse(out);
    expect(report.frames.map((frame: { alignment: { kind: string } }) => frame.alignment.kind)).toEqual([
      'none',
      'reference',
      'none',
    ]);
    expect(report.crop).toEqual({ x: 0, y: 0, ...SIZE });
  });

  it('refuses other words', async () => {
    const { code, err } = await merge('--align', 'tripod', '-o', at('out.npy'));
    expect(code).toBe(2);
    expect(err).toContain('--align is "tripod"');
  });
});

describe('--skip-misfits', () => {
  it('leaves out a picture of another scene, takes weights for those that are left, and names it', async () => {
    // A third of three: the weights for three frames cannot take the others.
    const { data } = shoot(scene(99), { ...SIZE, exposure: 1 }, inverse);
    const stray = await picture(folder, 'stray.png', data as Uint8Array, SIZE.width, SIZE.height);
    const [, middle, darkest] = pictures;
    const files = [stray, middle, darkest, '--ev=2,0,-2', '--response', 'gamma', '--json', '-o', at('two.npy')];
    const { code, out, err } = await deghost('merge', ...files, '--skip-misfits');
    expect(code, err).toBe(0);
    const { frames, misfits, reference, weights, warnings } = JSON.parse(out);
    expect(frames.map(({ file }: { file: string }) => file)).toEqual([darkest, middle]);
    expect(reference).toBe(2);
    expect(weights.variant).toBe('any');
    expect(misfits).toEqual([{ file: stray, exposure: 4, alignment: expect.objectContaining({ kind: 'none' }) }]);
    expect(warnings.map(({ kind }: { kind: string }) => kind)).not.toContain('unaligned');
    expect(err).toContain('left out: stray.png, because no alignment to the reference could be trusted (');
    // The same as the middle one of three, where places of the merged frames differ from those of all.
    const placed = ['merge', stray, middle, darkest, '--ev=-1,0,-2', '-r', '3', '--response', 'gamma', '--json'];
    const third = await deghost(...placed, '-o', at('two.npy'), '--method', 'merge', '--skip-misfits', '--crop');
    expect(third.code, third.err).toBe(0);
    expect(JSON.parse(third.out)).toMatchObject({
      frames: [{ file: darkest }, { file: middle }],
      reference: 2,
      misfits: [{ file: stray, exposure: 0.5 }],
    });
    // Without the option it is merged, and the remedy is named.
    const all = await deghost('merge', ...files, '--method', 'merge');
    expect(all.code, all.err).toBe(0);
    expect(JSON.parse(all.out)).toMatchObject({ misfits: [], weights: null });
    expect(all.err).toMatch(/warning: .*stray\.png\).*--skip-misfits/);
  });

  it('has nothing to do with --align none', async () => {
    const { code, err } = await merge('--align', 'none', '--skip-misfits', '-o', at('out.npy'));
    expect(code).toBe(2);
    expect(err).toContain('--skip-misfits is given with --align none, which finds no misfits: leave one of them out');
  });
});

describe('--strength', () => {
  it('changes how much moves', async () => {
    const moving = async (strength: string): Promise<number> => {
      const { code, out, err } = await merge('--strength', strength, '-o', at('strength.npy'));
      expect(code, err).toBe(0);
      const report = JSON.parse(out);
      expect(report.strength).toBe(Number(strength));
      return report.frames[1].motionShare;
    };
    expect(await moving('1')).toBeGreaterThan(await moving('0'));
  });

  it.each(['1.5', '-1', 'much'])('%s is refused', async (strength) => {
    const { code, err } = await merge(`--strength=${strength}`, '-o', at('out.npy'));
    expect(code).toBe(2);
    expect(err).toContain(`--strength is "${strength}": it must be a number from 0 to 1`);
  });
});
