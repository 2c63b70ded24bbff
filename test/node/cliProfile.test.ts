/** `deghost merge --profile`: the table, and the same as JSON. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { profileText } from '../../src/node/cli/profile.ts';
import type { CommandProfile } from '../../src/node/cli/profile.ts';
import { deghost, picture, scene } from './commandLine.ts';

const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
const [W, H] = [48, 32];
const folder = mkdtempSync(join(tmpdir(), 'deghost-profile-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const stack = Promise.all(
  [0.25, 1, 4].map((exposure, k) =>
    picture(folder, `${k}.png`, scene(W, H, exposure, 8 * k + 4), W, H, `${exposure * 80}/6400`),
  ),
);

describe('deghost merge --profile', () => {
  it('prints where the time went: every part, every operation, and no more than the total', async () => {
    const inputs = await stack;
    const ran = await deghost(
      'merge',
      ...inputs,
      '-o',
      at('a.exr'),
      '--preview',
      at('a.png'),
      '--weights',
      FIXED,
      '--profile',
      '--json',
      '--quiet',
    );
    expect(ran.code, ran.err).toBe(0);
    const profile = JSON.parse(ran.out).profile as CommandProfile;
    const { merge } = profile;
    const parts = [
      profile.startMs,
      profile.checkMs,
      profile.readMs,
      profile.waitMs,
      merge.responseMs,
      merge.compileMs,
      ...merge.stages.map(({ ms }) => ms),
      profile.writeMs,
    ];
    expect(parts.every((ms) => ms >= 0)).toBe(true);
    expect(parts.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(profile.totalMs);
    expect(profile.files.map(({ file }) => file).sort()).toEqual([at('a.exr'), at('a.png')]);
    for (const { ms } of profile.files) expect(ms).toBeLessThanOrEqual(profile.writeMs);
    expect(profile.engine.openedMs).toBeGreaterThan(0);

    // With --quiet it is all there is on stderr.
    expect(ran.err).toMatch(/^where the time went, in seconds\n/);
    for (const row of [
      'starting up',
      'reading pictures',
      'camera response',
      'finding motion, 1 tile',
      'merging, 1 tile',
      'writing',
      'everything else',
      'total',
    ])
      expect(ran.err).toMatch(new RegExp(`^  ${row} +-?\\d+\\.\\d\\d`, 'm'));
    for (const { op, program, dispatches } of merge.stages.flatMap(({ programs }) => programs))
      expect(ran.err).toMatch(new RegExp(`^  ${op} +${program.replace(/\W/g, '\\$&')} +${dispatches} `, 'm'));
    const total = Number(/^ {2}total +([\d.]+)/m.exec(ran.err)![1]);
    expect(total).toBeCloseTo(profile.totalMs / 1000, 1);
    expect(
      (await deghost('merge', ...inputs, '-o', at('b.exr'), '--weights', FIXED, '--json', '--quiet')).out,
    ).not.toContain('"profile"');
  });

  it('says so where the adapter has no timestamps', () => {
    const stage = {
      name: 'merge',
      tiles: 2,
      ms: 50,
      prepareMs: 1,
      sendMs: 2,
      pasteMs: 3,
      busyMs: 40,
      cutMs: null,
      computeMs: null,
      takeMs: null,
      submissions: 2,
    } as const;
    const programs = [{ op: 'picture', program: 'picture plain', dispatches: 2, ms: null, multiplyAdds: 0 }];
    const merge = { timestamps: false, ms: 60, responseMs: 1, compileMs: 2, stages: [{ ...stage, programs }] };
    const text = profileText({
      startMs: 100,
      checkMs: 5,
      readMs: 6,
      engine: {},
      waitMs: 0,
      merge,
      writeMs: 7,
      files: [],
      totalMs: 200,
    });
    expect(text).toContain('this adapter has no timestamps: there are no times by operation');
    const meanwhile = /CPU meanwhile: prepare 0\.00, send 0\.00, paste 0\.00/.source;
    expect(text).toMatch(
      new RegExp(`^ {2}merging, 2 tiles +0\\.05 {3}GPU busy 0\\.04; ${meanwhile}; 2 submissions$`, 'm'),
    );
    expect(text).toMatch(/^ {2}total +0\.20 {3}the GPU computed for 0\.04 of this; the rest is 0\.16$/m);
    expect(text).toMatch(/^ {2}picture +picture plain +2 {7}- {6}- {8}-$/m);
  });
});

describe('files written at the same time', () => {
  it('are all taken back when one of them cannot be written', async () => {
    mkdirSync(at('taken/motion-2.npy'), { recursive: true });
    mkdirSync(at('out'));
    const ran = await deghost(
      'merge',
      ...(await stack),
      '-o',
      at('out/a.exr'),
      '--preview',
      at('out/a.png'),
      '--save-response',
      at('out/r.json'),
      '--motion',
      at('taken'),
      '--weights',
      FIXED,
      '--quiet',
    );
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/motion-2\.npy: it is a folder/);
    expect(readdirSync(at('out'))).toEqual([]);
    expect(readdirSync(at('taken'))).toEqual(['motion-2.npy']);
  });
});
