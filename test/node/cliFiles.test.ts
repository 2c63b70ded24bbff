/** No command overwrites what it reads, or writes one file twice, whichever way the paths lead there. */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { CommandFiles, currentFiles, placeOf, withFiles } from '../../src/node/files.ts';
import { readFileBytes } from '../../src/node/plainFile.ts';
import { FileGroup, removePublished, writeFileAtomic } from '../../src/node/writeFile.ts';
import { writeSafetensors } from '../../src/weights/writeSafetensors.ts';
import { deghost, picture, scene } from './commandLine.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (...names: string[]): string => join(folder, ...names);
const [W, H] = [24, 16];
const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';

for (const [i, exposure] of [0.25, 1, 4].entries()) await picture(folder, `${i + 1}.png`, scene(W, H, exposure), W, H);
for (const name of ['motion', 'stack', 'scenes/a', 'scenes/b', 'results']) mkdirSync(at(name), { recursive: true });
for (let i = 1; i <= 3; i++) {
  copyFileSync(at(`${i}.png`), at(`motion/motion-${i}.png`));
  for (const stack of ['a', 'b']) copyFileSync(at(`${i}.png`), at(`scenes/${stack}/${i}.png`));
  await picture(at('stack'), `IMG_${i}.jpg`, scene(W, H, 4 ** (i - 2)), W, H, ['1/400', '1/100', '1/25'][i - 1]);
}
for (const stack of ['a', 'b']) writeFileSync(at(`scenes/${stack}/exposure.txt`), '-2\n0\n2\n');
copyFileSync(FIXED, at('w.safetensors'));
writeFileSync(at('results/a.npy'), 'a result');
writeFileSync(at('response.json'), '{}');
writeFileSync(at('map.json'), '{}');
writeFileSync(at('config.json'), '{}');
writeFileSync(at('other.safetensors'), writeSafetensors(new Map(), {}));
// Ways to a file.
symlinkSync('2.png', at('link.png'));
symlinkSync(at('link.png'), at('link2.png'));
linkSync(at('2.png'), at('hard.png'));
symlinkSync('.', at('sub'));
symlinkSync('fresh.png', at('dangling.png'));
symlinkSync('sub/dangling.png', at('dangling2.png'));
symlinkSync('scenes/a', at('alias'));

/** All files below the folder, with their bytes. */
function everything(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
    if (existsSync(at(name)) && !name.startsWith('sub/') && /\.\w+$/.test(name))
      found[name] = readFileSync(at(name)).toString('base64');
  return found;
}
const before = everything();

const pictures = [at('1.png'), at('2.png'), at('3.png')];
const merge = ['merge', ...pictures, '--ev=-2,0,2', '--no-tune'];
const plain = [...merge, '--method', 'merge'];
const maps = [1, 2, 3].map((k) => at(`motion/motion-${k}.png`));

describe('a command does not overwrite what it reads', () => {
  it.each([
    ['itself', [...plain, '-o', at('2.png')]],
    ['by another path', [...plain, '-o', at('scenes/../2.png')]],
    ['a link', [...plain, '-o', at('link.png')]],
    ['a link to a link', [...plain, '-o', at('link2.png')]],
    ['a hard link', [...plain, '-o', at('hard.png')]],
    ['a folder that is a link', [...plain, '-o', at('sub/sub/2.png')]],
    ['a preview', [...plain, '-o', at('x.npy'), '--preview', at('sub/3.png')]],
    ['motion maps', ['merge', ...maps, '--ev=-2,0,2', '-o', at('x.npy'), '--motion', at('sub/motion')]],
    ['motion maps that are read', [...merge, '-o', at('x.npy'), '--motion-in', at('motion'), '--motion', at('motion')]],
    ['a map by -o', [...plain, '-o', at('motion/motion-2.png'), '--motion-in', at('sub/motion')]],
    [
      'weights',
      [...merge, '-o', at('x.npy'), '--weights', at('w.safetensors'), '--save-response', at('sub/w.safetensors')],
    ],
    [
      'a response',
      [...plain, '-o', at('x.npy'), '--response', at('response.json'), '--save-response', at('sub/response.json')],
    ],
    ['a response that is kept', [...plain, '-o', at('x.npy'), '--response', `auto:${at('sub/2.png')}`]],
    ['aligned frames', ['align', ...pictures, '--ev=-2,0,2', '-o', at('sub'), '--format', 'png']],
    ['batch', ['batch', at('stack'), '-o', at('sub/stack'), '--format', 'jpg']],
    ['a report', ['evaluate', at('scenes/a'), '--json', at('scenes/a/exposure.txt')]],
    ['a report through a link', ['evaluate', at('scenes'), '--json', at('alias/2.png')]],
    [
      'a report over a candidate',
      ['evaluate', at('scenes'), '--candidate', `x=${at('results')}`, '--json', at('sub/results/a.npy')],
    ],
    [
      'a report over weights',
      ['evaluate', at('scenes'), '--weights', at('w.safetensors'), '--json', at('sub/w.safetensors')],
    ],
    ['a checkpoint', ['convert', at('w.safetensors'), '-o', at('sub/w.safetensors')]],
    [
      'a map of names',
      ['convert', at('w.safetensors'), '--map', at('map.json'), '--save-map', at('sub/map.json'), '--dry-run'],
    ],
    [
      'a config',
      ['convert', at('w.safetensors'), '--config', at('config.json'), '--save-map', at('sub/config.json'), '--dry-run'],
    ],
  ])('%s', async (_, args) => {
    const { code, err } = await deghost(...args);
    expect(err).toMatch(/^deghost: --[a-z-]+ would overwrite the [a-z' ]+ \/.*: name another file\n$/m);
    expect(code).toBe(2);
    expect(everything()).toEqual(before);
  });

  it('sheets in a stack, which would be frames the next time', async () => {
    const { code, err } = await deghost('evaluate', at('scenes'), '--pictures', at('alias'));
    expect(err).toContain(`--pictures is ${at('alias')}, the folder of the stack ${at('scenes/a')}`);
    expect(code).toBe(2);
  });

  it('tunings, in a file that is something else', async () => {
    const known = process.env.DEGHOST_TUNING;
    process.env.DEGHOST_TUNING = at('sub/w.safetensors');
    try {
      for (const args of [
        ['tune', '--weights', at('w.safetensors')],
        [...merge.slice(0, -1), '-o', at('x.npy'), '--weights', at('w.safetensors')],
      ]) {
        const { code, err } = await deghost(...args);
        expect(err).toContain('the tuning file (DEGHOST_TUNING) would overwrite the weights');
        expect(code).toBe(2);
      }
    } finally {
      process.env.DEGHOST_TUNING = known;
    }
  });
});

describe('a command does not write one file twice', () => {
  it.each([
    ['one path', ['-o', at('x.png'), '--preview', at('x.png')]],
    ['a folder that is a link', ['-o', at('x.png'), '--preview', at('sub/x.png')]],
    ['names that differ in case', ['-o', at('x.png'), '--preview', at('X.PNG')]],
    ['a link to nothing yet', ['-o', at('fresh.png'), '--preview', at('dangling2.png')]],
    ['a response', ['-o', at('x.npy'), '--save-response', at('sub/x.npy')]],
    ['responses', ['-o', at('x.npy'), '--save-response', at('r.json'), '--response', `auto:${at('sub/r.json')}`]],
  ])('%s', async (_, args) => {
    const { code, err } = await deghost(...plain, ...args);
    expect(err).toMatch(/^deghost: --[a-z-]+ (".*" )?and --[a-z-]+ (".*" )?are both .*: name two files\n$/);
    expect(code).toBe(2);
    expect(everything()).toEqual(before);
  });

  it('a map of motion by -o too', async () => {
    const { code, err } = await deghost(...merge, '-o', at('maps/motion-1.png'), '--motion', at('sub/maps'));
    expect(err).toMatch(/--motion ".*" and --output ".*" are both one file/);
    expect(code).toBe(2);
  });
});

describe('at the last moment', () => {
  const write = (path: string, files: CommandFiles): Promise<void> =>
    withFiles(files, () => writeFileAtomic(path, Buffer.from('new')));
  let n = 0;
  beforeEach(() => void n++);

  it('a file that was read without a declaration is safe', async () => {
    const path = at(`beside${n}.bin`);
    writeFileSync(path, 'data');
    symlinkSync(path, at(`to-beside${n}.bin`));
    const files = new CommandFiles();
    await withFiles(files, async () => {
      await readFileBytes(at(`to-beside${n}.bin`));
      await expect(writeFileAtomic(path, Buffer.from('new'))).rejects.toThrow(/would overwrite the file .*to-beside/);
    });
    const declared = new CommandFiles();
    declared.writes('--output', path);
    await expect(withFiles(declared, () => readFileBytes(path))).rejects.toThrow('--output would overwrite the file');
    expect(readFileSync(path, 'utf8')).toBe('data');
  });

  it('so is an input that an output has become a link to meanwhile', async () => {
    const files = new CommandFiles();
    const [input, output] = [at(`in${n}.txt`), at(`out${n}.txt`)];
    writeFileSync(input, 'data');
    files.reads('the picture', input);
    files.writes('--output', output);
    async function* meanwhile() {
      yield Buffer.from('new');
      symlinkSync(input, output);
    }
    await expect(withFiles(files, () => writeFileAtomic(output, meanwhile()))).rejects.toThrow(
      `--output would overwrite the picture ${input} (as ${output}): name another file`,
    );
    expect(readFileSync(input, 'utf8')).toBe('data');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('and an output that another has become a link to', async () => {
    const files = new CommandFiles();
    const [one, two] = [at(`one${n}.txt`), at(`two${n}.txt`)];
    await write(one, files);
    symlinkSync(one, two);
    await expect(write(two, files)).rejects.toThrow(/are both one file/);
    await write(one, files);
  });

  it('a cache is read and written, and an input that was exchanged is safe too', async () => {
    const files = new CommandFiles();
    const [cache, input] = [at(`cache${n}.json`), at(`exchanged${n}.txt`)];
    files.writes('the tuning file', cache, true);
    for (let i = 0; i < 3; i++) {
      await write(cache, files);
      await withFiles(files, () => readFileBytes(cache));
      await writeFileAtomic(cache, Buffer.from('from another process'));
    }
    writeFileSync(input, 'data');
    files.reads('the picture', input);
    await writeFileAtomic(input, Buffer.from('edited'));
    await expect(write(input, files)).rejects.toThrow('would overwrite the picture');
  });

  it('files of a group appear together or not at all', async () => {
    const [old, fresh, blocked] = [at(`old${n}`), at(`fresh${n}`), at(`blocked${n}`)];
    writeFileSync(old, 'old');
    const group = new FileGroup();
    for (const path of [old, fresh, blocked]) await group.with(() => writeFileAtomic(path, Buffer.from('new')));
    expect([readFileSync(old, 'utf8'), existsSync(fresh)]).toEqual(['old', false]);
    mkdirSync(blocked);
    expect(() => group.commit()).toThrow(InputError);
    expect([readFileSync(old, 'utf8'), existsSync(fresh)]).toEqual(['old', false]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('what is removed after a failure is what this process wrote, and not what is there now', async () => {
    const [mine, theirs, older] = [at(`mine${n}`), at(`theirs${n}`), at(`older${n}`)];
    writeFileSync(older, 'older');
    for (const path of [mine, theirs, older]) await writeFileAtomic(path, Buffer.from('new'));
    await deghostElsewhere(theirs);
    removePublished([mine, theirs, older]);
    expect([existsSync(mine), readFileSync(theirs, 'utf8'), readFileSync(older, 'utf8')]).toEqual([
      false,
      'theirs',
      'new',
    ]);
  });

  it('is over when the command is', async () => {
    await withFiles(new CommandFiles(), async () => expect(currentFiles()).toBeDefined());
    expect(currentFiles()).toBeUndefined();
  });
});

/** Another process writes the file as deghost does: beside it, and then in its place. */
async function deghostElsewhere(path: string): Promise<void> {
  const { renameSync } = await import('node:fs');
  writeFileSync(`${path}.other`, 'theirs');
  renameSync(`${path}.other`, path);
}

it('a link to nothing yet is followed when it is written', async () => {
  symlinkSync('later.txt', at('soon.txt'));
  await writeFileAtomic(at('soon.txt'), Buffer.from('text'));
  expect(readFileSync(at('later.txt'), 'utf8')).toBe('text');
  symlinkSync('nowhere/later.txt', at('lost.txt'));
  await expect(writeFileAtomic(at('lost.txt'), Buffer.from('text'))).rejects.toThrow(/nowhere does not exist/);
  symlinkSync('round.txt', at('round.txt'));
  for (const path of [at('round.txt'), 'd/'.repeat(50_000)]) expect(placeOf(path).exists).toBe(false);
  await expect(writeFileAtomic(at('round.txt'), Buffer.from('text'))).rejects.toThrow('too many symbolic links');
});
