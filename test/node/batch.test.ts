/** `deghost batch`, end to end on small pictures. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { planBatch } from '../../src/node/cli/batchPlan.ts';
import { ComingEngine } from '../../src/node/cli/engine.ts';
import { FORTY_BRACKETS, writeForty } from '../folderOfForty.ts';
import { deghost, scene } from './commandLine.ts';

let folder: string;
let photos: string;
const [WIDTH, HEIGHT] = [48, 32];

async function photo(name: string, second: number, stops: number, view = 0): Promise<void> {
  const data = scene(WIDTH, HEIGHT, 2 ** stops, 8 + view);
  const time = stops >= 0 ? `${2 ** stops}/100` : `1/${100 * 2 ** -stops}`;
  await sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .withExif({
      IFD0: { Make: 'Maker', Model: 'One' },
      IFD2: {
        ExposureTime: time,
        FNumber: '8/1',
        ISOSpeedRatings: '100',
        DateTimeOriginal: `2026:05:01 12:00:${String(second).padStart(2, '0')}`,
      },
    })
    .jpeg({ quality: 95 })
    .toFile(join(photos, name));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'deghost-batch-'));
  photos = join(folder, 'photos');
  mkdirSync(photos);
  for (const [view, start] of [0, 20, 40].entries())
    for (const [i, stops] of [0, -2, 2].entries()) await photo(`IMG_${view}${i}.jpg`, start + i, stops, view);
  await photo('IMG_90.jpg', 58, 0);
  writeFileSync(join(photos, 'notes.txt'), 'no picture');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A name space in which a test may mount a small disk, where the system allows that. */
const IN_NAMESPACE = ['--user', '--map-root-user', '--mount'];
const CAN_MOUNT = spawnSync('unshare', [...IN_NAMESPACE, 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0;

const PLAIN = ['--method', 'merge', '--response', 'gamma'];

describe('deghost batch', () => {
  it('prints the plan and writes nothing with --dry-run', async () => {
    const out = join(folder, 'dry');
    const { code, out: text, err } = await deghost('batch', photos, '-o', out, '--dry-run', '--json');
    expect(code).toBe(0);
    expect(existsSync(out)).toBe(false);
    const plan = JSON.parse(text);
    expect(plan.stacks.map(({ output }: { output: string }) => output)).toEqual(
      ['IMG_00', 'IMG_10', 'IMG_20'].map((stem) => join(out, `${stem}.exr`)),
    );
    expect(plan.stacks[1].files.map((file: string) => file.slice(-10))).toEqual([
      'IMG_10.jpg',
      'IMG_11.jpg',
      'IMG_12.jpg',
    ]);
    expect(plan.stacks[1].stops.map(Math.round)).toEqual([0, -2, 2]);
    expect(plan.skipped).toHaveLength(1);
    expect(err).toContain('3 brackets:');
    expect(err).toContain('IMG_90.jpg: no other picture of the scene');
  });

  it('passes over folders and pipes that are named like pictures', async () => {
    const mixed = join(folder, 'mixed');
    mkdirSync(join(mixed, 'IMG_015.jpg'), { recursive: true });
    for (const name of ['IMG_00.jpg', 'IMG_01.jpg', 'IMG_02.jpg']) copyFileSync(join(photos, name), join(mixed, name));
    writeFileSync(join(mixed, 'IMG_015.jpg', 'IMG_1.jpg'), 'of another folder');
    expect(spawnSync('mkfifo', [join(mixed, 'pipe.png')]).status).toBe(0);
    symlinkSync(photos, join(mixed, 'link.tif'));
    const {
      code,
      out: text,
      err,
    } = await deghost('batch', mixed, mixed, '-o', join(folder, 'no'), '--dry-run', '--json');
    expect(err).toContain('3 files in no bracket:');
    expect(err).toContain('  IMG_015.jpg: a folder, not a picture\n');
    expect(err).toContain('  link.tif: a folder, not a picture\n');
    expect(err).toContain('  pipe.png: a pipe, not a picture\n');
    expect(code).toBe(0);
    const { stacks, skipped } = JSON.parse(text);
    expect(stacks.map(({ files }: { files: string[] }) => files.map((file) => basename(file)))).toEqual([
      ['IMG_00.jpg', 'IMG_01.jpg', 'IMG_02.jpg'],
    ]);
    expect(skipped.map(({ kind }: { kind: string }) => kind)).toEqual(['no-file', 'no-file', 'no-file']);
    for (const name of ['IMG_00.jpg', 'IMG_01.jpg', 'IMG_02.jpg', 'link.tif']) rmSync(join(mixed, name));
    const none = await deghost('batch', mixed, '-o', join(folder, 'no'));
    expect([none.code, none.err]).toEqual([
      1,
      `deghost: no pictures in ${mixed} (IMG_015.jpg: a folder, not a picture; pipe.png: a pipe, not a picture): ` +
        'name a folder with brackets\n',
    ]);
  });

  it('still stops at a picture of a folder that cannot be read: its bracket would lack a frame', async () => {
    const gone = join(folder, 'gone');
    mkdirSync(gone);
    for (const name of ['IMG_00.jpg', 'IMG_01.jpg']) copyFileSync(join(photos, name), join(gone, name));
    symlinkSync(join(gone, 'nothing'), join(gone, 'IMG_02.jpg'));
    const { code, err } = await deghost('batch', gone, '-o', join(folder, 'no'), '--dry-run');
    expect(code).toBe(1);
    expect(err).toMatch(/cannot read .*IMG_02\.jpg: no such file or folder/);
  });

  it('groups a folder of forty files as a person would', async () => {
    const forty = join(folder, 'forty');
    mkdirSync(forty);
    await writeForty(forty);
    const options = { inputs: [forty], folder: join(folder, 'out'), format: 'exr', frames: undefined };
    const { stacks, skipped } = await planBatch(options, new AbortController().signal);
    expect(stacks.map(({ files }) => files.map((file) => basename(file)).join(' '))).toEqual(FORTY_BRACKETS);
    expect(skipped).toHaveLength(11);
  });

  it('merges each stack, as deghost merge does', async () => {
    const out = join(folder, 'all');
    const {
      code,
      out: text,
      err,
    } = await deghost('batch', photos, '-o', out, ...PLAIN, '--format', 'npy', '--preview', '--json');
    expect(err).toContain('stack 3 of 3: IMG_20.jpg to IMG_22.jpg: 3 frames, 0.0 -2.0 +2.0 EV');
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(
      ['IMG_00', 'IMG_10', 'IMG_20'].flatMap((stem) => [`${stem}.npy`, `${stem}.preview.png`]),
    );
    const { results } = JSON.parse(text);
    expect(results.map(({ status }: { status: string }) => status)).toEqual(['merged', 'merged', 'merged']);
    expect(results[0].report.frames).toHaveLength(3);
    const lone = join(folder, 'lone.npy');
    const files = [0, 1, 2].map((i) => join(photos, `IMG_1${i}.jpg`));
    expect((await deghost('merge', ...files, '-o', lone, ...PLAIN)).code).toBe(0);
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(join(out, 'IMG_10.npy')).equals(readFileSync(lone))).toBe(true);
  });

  it('goes on after a failure, lists it, and tries it again with --resume', async () => {
    const out = join(folder, 'failing');
    mkdirSync(out);
    // A folder where the second picture should go.
    mkdirSync(join(out, 'IMG_10.npy'));
    const args = ['batch', photos, '-o', out, ...PLAIN, '--format', 'npy'];
    const first = await deghost(...args);
    expect(first.code).toBe(1);
    expect(first.err).toContain('1 of 3 stacks failed (IMG_10.jpg)');
    expect(readdirSync(out).sort()).toEqual(['IMG_00.npy', 'IMG_10.npy', 'IMG_20.npy']);
    // The folder is no result.
    const still = await deghost(...args, '--resume');
    expect([still.code, still.err]).toEqual([1, expect.stringContaining('1 of 3 stacks failed (IMG_10.jpg)')]);
    rmSync(join(out, 'IMG_10.npy'), { recursive: true });
    // Nor is a link to itself, at which nothing can be looked for.
    symlinkSync('IMG_10.npy', join(out, 'IMG_10.npy'));
    const linked = await deghost(...args, '--resume');
    expect([linked.code, linked.err]).toEqual([1, expect.stringContaining('1 of 3 stacks failed (IMG_10.jpg)')]);
    rmSync(join(out, 'IMG_10.npy'));
    const again = await deghost(...args, '--resume');
    expect(again.code).toBe(0);
    expect(again.err).toMatch(/stack 1 of 3: .* exists/);
    expect(again.err).toContain('1 merged, 0 failed');
  });

  it('opens another device where one is lost, for the stacks behind', async () => {
    const out = join(folder, 'lost');
    const { ready } = ComingEngine.prototype;
    let asked = 0;
    const losing = vi.spyOn(ComingEngine.prototype, 'ready').mockImplementation(async function (this: ComingEngine) {
      const engine = await ready.call(this);
      if (asked++ > 0) return engine;
      const { device } = engine.deghoster;
      device.destroy();
      await device.lost;
      return engine;
    });
    try {
      const { code, err } = await deghost('batch', photos, '-o', out, ...PLAIN, '--format', 'npy');
      expect(err).toContain('2 merged, 1 failed');
      expect(err).toMatch(/failed: .*device/);
      expect(code).toBe(1);
      expect(readdirSync(out).sort()).toEqual(['IMG_10.npy', 'IMG_20.npy']);
    } finally {
      losing.mockRestore();
    }
  });

  it.skipIf(!CAN_MOUNT)('goes on where the disk is full, and --resume makes the rest', async () => {
    // The result of one stack has no room beside the others', which are smaller.
    const small = join(folder, 'small');
    mkdirSync(small);
    for (const file of readdirSync(photos).filter((name) => /^IMG_[012].*jpg$/.test(name))) {
      const width = file.startsWith('IMG_1') ? 2 * WIDTH : WIDTH;
      await sharp(join(photos, file)).withMetadata().resize(width).toFile(join(small, file));
    }
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const command = [process.execPath, '--import', 'tsx', 'test/node/deghost.ts', 'batch', small, '-o', disk, ...PLAIN];
    const script = `mount -t tmpfs -o size=80k none ${disk}
      "$@"; echo "code $?"; ls ${disk}
      mount -o remount,size=1m ${disk}
      "$@" --resume; echo "code $?"; ls ${disk}`;
    const { stdout, stderr } = spawnSync(
      'unshare',
      [...IN_NAMESPACE, 'bash', '-c', script, 'bash', ...command, '--format', 'npy'],
      { encoding: 'utf8' },
    );
    expect(stdout, stderr).toBe('code 1\nIMG_00.npy\nIMG_20.npy\ncode 0\nIMG_00.npy\nIMG_10.npy\nIMG_20.npy\n');
    expect(stderr).toMatch(/cannot write .*IMG_10\.npy: no space left on the disk: free some, or write elsewhere/);
    expect(stderr).toContain('1 of 3 stacks failed (IMG_10.jpg): the others are merged; --resume tries');
    expect(stderr).toContain('1 merged, 0 failed');
  });

  it('takes a part with --shard; the parts together are the whole', async () => {
    const out = join(folder, 'shards');
    for (const part of [1, 2]) {
      const { code } = await deghost('batch', photos, '-o', out, ...PLAIN, '--format', 'npy', '--shard', `${part}/2`);
      expect(code).toBe(0);
      expect(readdirSync(out)).toHaveLength(part === 1 ? 2 : 3);
    }
  });

  it('refuses what it cannot do', async () => {
    const out = join(folder, 'refused');
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const texts: [string[], string][] = [
      [['batch', '-o', out], 'no folder or pictures given'],
      [['batch', photos], 'no output given'],
      [['batch', empty, '-o', out], 'no pictures in'],
      [['batch', join(photos, 'IMG_90.jpg'), join(photos, 'IMG_00.jpg'), '-o', out], 'no brackets among 2 pictures'],
      [['batch', photos, '-o', out, '--shard', '3/2'], '--shard is "3/2": write the part'],
      [['batch', photos, '-o', photos, '--format', 'jpg'], 'would overwrite the picture'],
      [['batch', photos, '-o', out, '--method', 'none'], '--method is "none"'],
    ];
    for (const [args, message] of texts) {
      const { code, err } = await deghost(...args);
      expect(code).toBeGreaterThan(0);
      expect(err).toContain(message);
    }
    expect(existsSync(out)).toBe(false);
  });
});

describe('deghost merge', () => {
  it('refuses two brackets in one call, with the command that merges each', async () => {
    const files = [0, 1].flatMap((view) => [0, 1, 2].map((i) => join(photos, `IMG_${view}${i}.jpg`)));
    const out = join(folder, 'both.npy');
    const { code, err } = await deghost('merge', ...files, '-o', out, ...PLAIN);
    expect(code).toBe(1);
    expect(err).toContain('the pictures are 2 brackets: the exposures begin again with IMG_10.jpg');
    expect(err).toContain(`deghost batch ${files.join(' ')} -o ${folder}`);
    // Whoever gives the exposures knows better.
    const ev = `--ev=${[0, -2, 2, 0, -2, 2].join(',')}`;
    expect((await deghost('merge', ...files, ev, '-o', out, ...PLAIN)).code).toBe(0);
  });
});
