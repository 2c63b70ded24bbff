/** Pictures that are written while they are merged. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RowProgress } from '../../src/index.ts';
import { EarlyOutput } from '../../src/node/cli/earlyOutput.ts';
import type { MergeOptions } from '../../src/node/cli/mergeOptions.ts';
import { writeImage } from '../../src/node/index.ts';
import { rng } from '../reference/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-early-'));
afterAll(() => rmSync(folder, { recursive: true }));

const [width, height] = [37, 53];
const SCALE = 4;
const never = new AbortController().signal;

function optionsFor(output: string, more: Partial<MergeOptions> = {}): MergeOptions {
  return { output, exrType: 'half', color: 'p3', crop: false, skipMisfits: false, ...more } as MergeOptions;
}

/** What a merge tells when its first rows are final. The others are NaN until they are made. */
function merging(): {
  whole: Float32Array<ArrayBuffer>;
  radiance: Float32Array<ArrayBuffer>;
  upTo(rows: number): RowProgress;
} {
  const whole = new Float32Array(rng(3).floats(width * height * 3, 0, 1));
  const radiance = new Float32Array(whole.length).fill(NaN);
  return {
    whole,
    radiance,
    upTo: (rows) => {
      radiance.set(whole.subarray(0, 3 * width * rows));
      return { radiance, width, height, scale: SCALE, rows };
    },
  };
}

const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('a picture that is written while it is merged', () => {
  it.each(['half', 'float'] as const)('is the one that is written after the merge (%s)', async (exrType) => {
    const path = join(folder, `${exrType}.exr`);
    const { whole, upTo } = merging();
    const early = EarlyOutput.of(optionsFor(path, { exrType }), false)!;
    for (const rows of [5, 16, 17, 48, height]) {
      expect(existsSync(path)).toBe(false);
      early.add(upTo(rows));
      await breathe();
    }
    // A merge may still fail when all rows are there.
    expect(existsSync(path)).toBe(false);
    await early.finish(never);
    const after = join(folder, `${exrType} after.exr`);
    await writeImage(after, { radiance: whole, width, height, scale: SCALE, colorSpace: 'p3' }, { exr: exrType });
    expect(readFileSync(path).equals(readFileSync(after))).toBe(true);
  });

  it.each(['half', 'float'] as const)(
    'is refused where a value is not finite, and stops the merge (%s)',
    async (exrType) => {
      const path = join(folder, `nan ${exrType}.exr`);
      const { upTo, radiance } = merging();
      const early = EarlyOutput.of(optionsFor(path, { exrType }), false)!;
      const first = upTo(20);
      radiance[3 * (2 * width + 7)] = NaN;
      early.add(first);
      for (let n = 0; n < 50; n++) {
        await breathe();
        try {
          early.add(upTo(20));
        } catch (error) {
          expect(String(error)).toContain('pixel 7,2 holds NaN');
          await early.cancel(error);
          expect(readdirSync(folder).filter((name) => name.includes('nan'))).toEqual([]);
          return;
        }
      }
      throw new Error('nothing was refused');
    },
  );

  it('leaves an older file as it was when the merge fails', async () => {
    const path = join(folder, 'old.exr');
    writeFileSync(path, 'old');
    const early = EarlyOutput.of(optionsFor(path), false)!;
    early.add(merging().upTo(30));
    await breathe();
    await early.cancel(new Error('lost'));
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.startsWith('.') || name.includes('tmp'))).toEqual([]);
  });

  it('is not begun where the picture changes after its merge, or its format needs all of it', () => {
    const path = join(folder, 'never.exr');
    expect(EarlyOutput.of(optionsFor(path), true)).toBeUndefined();
    expect(EarlyOutput.of(optionsFor(path, { crop: true }), false)).toBeUndefined();
    expect(EarlyOutput.of(optionsFor(path, { skipMisfits: true }), false)).toBeUndefined();
    expect(EarlyOutput.of(optionsFor(join(folder, 'never.hdr')), false)).toBeUndefined();
  });
});
