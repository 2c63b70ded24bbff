/** What bad command lines and bad input get: one line that names the thing, the right exit code, nothing written. */
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { MERGE_OPTIONS, bytesOption, parseCommand, sizeArgument, suggestion } from '../../src/node/cli/args.ts';
import { main } from '../../src/node/cli.ts';
import { array, deghost, picture, scene } from './commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-errors-'));
const at = (name: string): string => join(folder, name);
const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
const ANY = 'test/goldens/any-2.weights.safetensors';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A safetensors file with one part of its header or data changed. */
// biome-ignore lint/suspicious/noExplicitAny: a change may reach anywhere into the header
function changedWeights(name: string, change: (header: Record<string, any>, data: Buffer) => void): void {
  const file = readFileSync(FIXED);
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length));
  const data = Buffer.from(file.subarray(8 + length));
  change(header, data);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(at(name), Buffer.concat([size, text, data]));
}

beforeAll(async () => {
  const small = scene(16, 12, 1);
  await picture(folder, 'a.jpg', scene(16, 12, 0.25), 16, 12, '1/320');
  await picture(folder, 'b.jpg', small, 16, 12, '1/80');
  await picture(folder, 'c.jpg', scene(16, 12, 4), 16, 12, '1/20');
  await picture(folder, 'bare.jpg', small, 16, 12);
  await picture(folder, 'zero.jpg', small, 16, 12, '0/1');
  await picture(folder, 'wide.jpg', scene(20, 12, 1), 20, 12, '1/20');
  writeFileSync(at('cut.jpg'), readFileSync(at('b.jpg')).subarray(0, 500));
  writeFileSync(at('text.jpg'), 'this is not a picture, just some text');
  writeFileSync(at('empty.png'), '');
  await picture(folder, 'ok.png', small, 16, 12);
  const lie = readFileSync(at('ok.png'));
  lie.writeUInt32BE(60000, 16);
  lie.writeUInt32BE(60000, 20);
  writeFileSync(at('lie.png'), lie);
  await sharp(small, { raw: { width: 16, height: 12, channels: 3 } })
    .ensureAlpha(0)
    .png()
    .toFile(at('glass.png'));
  writeFileSync(at('photo.nef'), Buffer.concat([Buffer.from('MM\0*'), Buffer.alloc(64)]));
  array(folder, 'big.npy', new Float32Array(16 * 12 * 3).fill(1.5), [12, 16, 3]);
  writeFileSync(at('bad.json'), JSON.stringify({ r: [0, 1], g: [], b: [] }));
  mkdirSync(at('nomaps'));
  changedWeights('missing.safetensors', (header) => {
    header['encoder.9.bias'] = header['encoder.1.bias'];
    delete header['encoder.1.bias'];
  });
  changedWeights(
    'shape.safetensors',
    (header) => (header['encoder.1.bias'].shape = [2, header['encoder.1.bias'].shape[0] / 2]),
  );
  changedWeights(
    'nan.safetensors',
    (header, data) => void data.writeFloatLE(NaN, header['decoder.out.bias'].data_offsets[0]),
  );
});

const three = ['a.jpg', 'b.jpg', 'c.jpg'];

/** Arguments after `deghost merge`; files are in the test's folder. -o and --weights are added unless given. */
const cases: [title: string, args: string[], code: number, message: RegExp][] = [
  ['no picture', [], 2, /no pictures given/],
  ['one frame', ['a.jpg'], 2, /1 picture given \(.*a\.jpg\), at least 2/],
  ['seventeen frames', Array(17).fill('a.jpg'), 2, /17 pictures given, at most 16/],
  ['a missing file', ['a.jpg', 'gone.jpg'], 1, /gone\.jpg: no such file/],
  ['sizes that differ', ['a.jpg', 'wide.jpg'], 1, /wide\.jpg is 20x12 but .*a\.jpg is 16x12/],
  [
    'no exposure',
    ['a.jpg', 'bare.jpg', 'c.jpg'],
    1,
    /bare\.jpg has no exposure time in its EXIF data: give the exposures with --ev or --times$/m,
  ],
  ['an exposure of zero', ['a.jpg', 'zero.jpg', 'c.jpg'], 1, /zero\.jpg has an exposure time of 0 s.*--ev/],
  ['a negative time', [...three, '--times', '1/320,-1,1/20'], 2, /"-1" is not a positive time/],
  ['a time divided by zero', [...three, '--times', '1/320,1/0,1/20'], 2, /"1\/0" is not a positive time/],
  [
    'equal exposures',
    [...three, '--ev=0,0,0'],
    1,
    new RegExp(
      'all 3 frames have the same exposure \\(1\\): pass brackets of different exposure, ' +
        'or give the true ones with --ev or --times$',
      'm',
    ),
  ],
  ['too few exposures', [...three, '--ev=-2,0'], 2, /--ev gives 2 values for 3 frames/],
  ['exposures that are no numbers', [...three, '--ev=-2,zero,2'], 2, /--ev: "zero" is not a number/],
  ['exposures given twice', [...three, '--ev=-2,0,2', '--times', '1,2,3'], 2, /--ev and --times are both given/],
  ['a truncated JPEG', ['a.jpg', 'cut.jpg', 'c.jpg'], 1, /cut\.jpg cannot be decoded/],
  ['a lying header', ['ok.png', 'lie.png', '--ev=0,2'], 1, /lie\.png is 60000x60000/],
  ['text', ['a.jpg', 'text.jpg', 'c.jpg'], 1, /text\.jpg/],
  ['an empty file', ['ok.png', 'empty.png', '--ev=0,2'], 1, /empty\.png/],
  ['a folder', ['ok.png', 'nomaps', '--ev=0,2'], 1, /nomaps is a folder/],
  [
    'transparency',
    ['ok.png', 'glass.png', '--ev=0,2'],
    1,
    /glass\.png is transparent everywhere: it has no data to merge/,
  ],
  ['a working space', [...three, '--color', 'adobe'], 2, /--color/],
  ['RAW', ['ok.png', 'photo.nef', '--ev=0,2'], 1, /photo\.nef/],
  ['values above 1', ['ok.png', 'big.npy', '--ev=0,2'], 1, /big\.npy: row 0, column 0, channel 0 is 1\.5/],
  ['an unknown option', [...three, '--refrence', '1'], 2, /unknown option --refrence, did you mean --reference\?/],
  ['an option without its value', [...three, '--preview', '--json'], 2, /option --preview needs a value, got "--json"/],
  ['an unknown output format', [...three, '-o', 'x.tga'], 2, /x\.tga has the unknown extension "\.tga"/],
  ['a missing output folder', [...three, '-o', 'gone/x.hdr'], 1, /the folder .*gone does not exist, create it first/],
  ['a missing folder for the preview', [...three, '--preview', 'gone/x.png'], 1, /the folder .*gone does not exist/],
  ['a missing folder for the maps', [...three, '--motion', 'gone/maps'], 1, /the folder .*gone does not exist/],
  ['a preview that is no picture', [...three, '--preview', 'x.exr'], 2, /give it the extension \.png/],
  ['one file for two results', [...three, '-o', 'x.png', '--preview', 'x.png'], 2, /--preview and --output are both/],
  [
    'a reference beyond the frames',
    [...three, '--reference', '4'],
    2,
    /--reference is "4": it must be a whole number from 1 to 3, or auto/,
  ],
  [
    'a response that is no curve',
    [...three, '--response', 'bad.json'],
    1,
    /bad\.json: channel r has 2 values, 256 are needed, .*: `deghost merge --save-response FILE` writes such a file$/m,
  ],
  ['a response that is no file', [...three, '--response', 'gama'], 1, /gama: no such file/],
  ['maps that are not there', [...three, '--motion-in', 'nomaps'], 1, /motion-1\.png is missing/],
  ['moments that are not there', [...three, '--moment-in', 'gone.png'], 1, /gone\.png: no such file/],
  ['a budget that is no size', [...three, '--memory-budget', 'lots'], 2, /--memory-budget is "lots"/],
  [
    'a budget too small',
    [...three, '--memory-budget', '10KiB'],
    1,
    /memory budget 10\.0 KiB is too small: .*: raise --memory-budget$/m,
  ],
  ['an unknown precision', [...three, '--precision', 'f64'], 2, /--precision is "f64": choose one of f32, f16/],
  ['an unknown method', [...three, '--method', 'network2'], 2, /--method is "network2", did you mean network\?/],
  [
    'weights for another number of frames',
    ['a.jpg', 'b.jpg', '--weights', FIXED],
    1,
    /exactly 3 frames, 2 are given: pass weights of the variant "any", or leave --weights out$/m,
  ],
  ['weights that are a picture', [...three, '--weights', 'a.jpg'], 1, /a\.jpg/],
  [
    'weights with a tensor renamed',
    [...three, '--weights', 'missing.safetensors'],
    1,
    /missing\.safetensors: .*"encoder\.1\.bias".*"encoder\.9\.bias"/,
  ],
  [
    'weights with another shape',
    [...three, '--weights', 'shape.safetensors'],
    1,
    /shape\.safetensors: .*"encoder\.1\.bias"/,
  ],
  ['weights with a NaN', [...three, '--weights', 'nan.safetensors'], 1, /nan\.safetensors: .*"decoder\.out\.bias"/],
];

describe('deghost merge refuses', () => {
  it.each(cases)('%s', async (_title, args, code, message) => {
    const before = readdirSync(folder).sort();
    const isFile = (word: string): boolean =>
      /^(gone\/)?\w+(\.\w+|\/maps)?$/.test(word) && (/\./.test(word) || /^gone|^nomaps/.test(word));
    const full = args.map((word) => (isFile(word) ? at(word) : word));
    if (!args.includes('-o')) full.push('-o', at('out.hdr'));
    if (!args.includes('--weights')) full.push('--weights', ANY);
    const ran = await deghost('merge', ...full);
    expect(ran.err).toMatch(message);
    expect(ran.code).toBe(code);
    const ours = ran.err.split('\n').filter((line) => line.startsWith('deghost: '));
    expect(ours).toHaveLength(1);
    expect(ran.err).not.toMatch(/^ {4}at |unexpected error/m);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('says so as JSON too', async () => {
    const ran = await deghost('merge', at('a.jpg'), at('gone.jpg'), '-o', at('x.hdr'), '--weights', ANY, '--json');
    expect(JSON.parse(ran.out)).toEqual({
      error: { code: 'input', message: expect.stringMatching(/gone\.jpg: no such file/) },
    });
  });
});

describe('deghost', () => {
  it.each([
    [[], 2, /no command given/],
    [['mrege'], 2, /unknown command "mrege", did you mean merge\?/],
    [['test/gpu.ts'], 2, /a file has this name: to merge pictures, `deghost merge/],
    [['--jsn'], 2, /unknown option --jsn: .*merge, batch, align, plan, tune, evaluate, convert or info/],
    [['plan'], 2, /no size given/],
    [['plan', '100'], 2, /write WIDTHxHEIGHT/],
    [['plan', '60000x60000'], 2, /3600 megapixels/],
    [['plan', '64x64', '--frames', '17'], 2, /from 2 to 16/],
    [['info', '--adapter', 'foo'], 2, /unknown adapter "foo"/],
    [['constructor'], 2, /unknown command/],
  ] as [string[], number, RegExp][])('%j', async (args, code, message) => {
    const ran = await deghost(...args);
    expect(ran.err).toMatch(message);
    expect(ran.code).toBe(code);
    expect(ran.out).toBe('');
  });

  it('helps', async () => {
    for (const args of [
      ['--help'],
      ['help'],
      ['merge', '--help'],
      ['help', 'merge'],
      ['plan', '-h'],
      ['info', '--help'],
    ]) {
      const ran = await deghost(...args);
      expect(ran).toMatchObject({ code: 0, err: '' });
      for (const line of ran.out.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    }
    // Every option is explained.
    const { out } = await deghost('merge', '--help');
    for (const name of Object.keys(MERGE_OPTIONS)) expect(out).toContain(`--${name}`);
  });

  it('is cancelled before it starts when asked to', async () => {
    const written: string[] = [];
    const io = {
      stdout: { write: () => true },
      stderr: { write: (text: string) => written.push(text) },
      signal: AbortSignal.abort(),
    };
    expect(await main(['merge', ...three.map(at), '-o', at('x.hdr'), '--weights', FIXED], io)).toBe(130);
    expect(written.join('')).toBe('cancelled: nothing was written\n');
  });
});

describe('arguments', () => {
  it('are split', () => {
    const args = parseCommand(['a', '-oX', '--ev', '-2,0', '--json', '--', '--b'], MERGE_OPTIONS, 'merge');
    expect(args.positionals).toEqual(['a', '--b']);
    expect(args.values).toEqual({ output: 'X', ev: '-2,0' });
    expect([...args.flags]).toEqual(['json']);
    expect(() => parseCommand(['--ev=1', '--ev=2'], MERGE_OPTIONS, 'merge')).toThrow('option --ev is given twice');
    expect(() => parseCommand(['-z'], MERGE_OPTIONS, 'merge')).toThrow('unknown option -z');
    expect(() => parseCommand(['--toString'], MERGE_OPTIONS, 'merge')).toThrow(UsageError);
  });

  it('hold sizes', () => {
    const bytes = (text: string) => bytesOption({ values: { m: text }, flags: new Set(), positionals: [] }, 'm');
    expect(bytes('512MiB')).toBe(512 * 2 ** 20);
    expect(bytes('1.5 gib')).toBe(1.5 * 2 ** 30);
    expect(bytes('300000000')).toBe(3e8);
    expect(bytes('2MB')).toBe(2e6);
    for (const bad of ['0', '-1', '1e9', '5 miles', 'MiB', '99999999GiB']) expect(() => bytes(bad)).toThrow(UsageError);
    expect(sizeArgument('60x40', 1e6)).toEqual({ width: 60, height: 40 });
  });

  it('are guessed only when near', () => {
    expect(suggestion('motoin', ['motion', 'motion-in'], '--')).toBe(', did you mean --motion?');
    expect(suggestion('quite', ['quiet', 'json'])).toBe(', did you mean quiet?');
    expect(suggestion('xyz', ['motion', 'ev'])).toBe('');
  });
});
