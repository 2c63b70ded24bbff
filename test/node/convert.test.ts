/** `deghost convert`: files, maps of names, what is said and what is refused. The formats' own tests are elsewhere. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { parseConfig } from '../../src/weights/config.ts';
import { readSafetensors } from '../../src/weights/safetensors.ts';
import { writeSafetensors } from '../../src/weights/writeSafetensors.ts';
import { interleavedFrame, planar } from '../reference/golden.ts';
import { readGolden } from '../reference/goldens.ts';
import { FOLDER, NETWORK, goldenWeights } from '../weights/convert/open.ts';
import { field } from '../weights/convert/tensorflowBundle.ts';
import { array, deghost } from './commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-convert-'));
const at = (name: string): string => join(folder, name);
const checkpoint = (name: string): string => join(FOLDER, name);
beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Converts, and expects success. */
async function convert(...args: string[]) {
  const ran = await deghost('convert', ...args);
  expect(ran.code, ran.err).toBe(0);
  return ran;
}

/** What is refused, with its exit code; nothing may be left in the folder. */
async function refused(...args: string[]): Promise<string> {
  const before = readdirSync(folder);
  const { code, out, err } = await deghost('convert', ...args);
  expect(out).toBe('');
  expect(err).toMatch(/^deghost: [^\n]+\n$/);
  expect(readdirSync(folder)).toEqual(before);
  return `${code} ${err.slice('deghost: '.length).trim()}`;
}

describe('deghost convert', () => {
  it('makes weights that give the reference picture within 1e-4', async () => {
    const { out, err } = await convert(checkpoint('keras3.keras'), '-o', at('keras.safetensors'));
    expect(out).toContain('network: fixed, width 4, segmentation none, memory shared, decoder vanilla\n');
    expect(out).toContain('the same shapes has: fixed, width 4, segmentation difference, memory shared, fusion shared');
    expect(out).toMatch(/^encoder\.1\.weight +\[4, 6, 3, 3\] +layers\/conv2d\/vars\/0 +f32 +shape$/m);
    expect(out).toMatch(/^encoder\.2\.bias +\[4\] +layers\/conv2d_1\/vars\/1 +f32 +order$/m);
    expect(out).toContain('30 tensors were told apart by their order alone: check them.');
    expect(out).toContain('does not say slope, gamma, maskMode, base, hat, gate: the defaults are taken');
    expect(err).toMatch(/keras\.safetensors: [\d.]+ KiB, f32\n$/);

    const { frames, taus, reference, config, stages } = readGolden(NETWORK);
    const { slope, gamma, maskMode, base, hat } = config;
    const says = JSON.stringify({ slope, gamma, maskMode, base, hat });
    await convert(checkpoint('keras3.keras'), '-o', at('keras.safetensors'), '--config', says, '-q');
    const files = frames.map((x, k) => {
      const { data, width, height } = interleavedFrame(x, taus[k]);
      return array(folder, `${k}.npy`, data as Float32Array, [height, width, 3]);
    });
    const exposures = ['--times', taus.join(), '--reference', String(reference + 1), '--response', 'gamma'];
    const weights = ['--weights', at('keras.safetensors'), '--align', 'none'];
    const merged = await deghost('merge', ...files, ...exposures, ...weights, '-o', at('out.npy'));
    expect(merged.code, merged.err).toBe(0);
    const expected = stages.get('Y')!;
    const picture = planar(decodeNpy(readFileSync(at('out.npy'))).data, expected.w, expected.h);
    for (let i = 0; i < expected.data.length; i++)
      expect(Math.abs(picture.data[i] - expected.data[i])).toBeLessThan(1e-4);
  });

  it('proposes a map, saves it, and takes it back after it was edited', async () => {
    const file = checkpoint('anonymous.npz');
    const proposed = await convert(file, '--dry-run', '--save-map', at('names.json'));
    expect(existsSync(at('x.safetensors'))).toBe(false);
    expect(proposed.err).toContain('names.json: the map of names\n');
    const map = JSON.parse(readFileSync(at('names.json'), 'utf8')) as Record<string, string | null>;
    expect(Object.keys(map).length).toBe(40);
    expect(map.arr_0).toBe('encoder.1.weight');
    // Two layers of one shape change places.
    [map.arr_2, map.arr_4] = [map.arr_4, map.arr_2];
    writeFileSync(at('names.json'), JSON.stringify(map));
    await convert(file, '-o', at('mapped.safetensors'), '--map', at('names.json'), '-q');
    const { tensors, metadata } = readSafetensors(readFileSync(at('mapped.safetensors')));
    const golden = goldenWeights();
    expect(tensors.get('encoder.2.weight')).toEqual(golden.get('encoder.3.weight'));
    expect(tensors.get('encoder.3.weight')).toEqual(golden.get('encoder.2.weight'));
    expect(tensors.get('encoder.4.weight')).toEqual(golden.get('encoder.4.weight'));
    expect(JSON.parse(metadata.config)).toMatchObject({ width: 4, convertedFrom: 'NPZ' });
    expect(parseConfig(metadata).ablation).toMatchObject({ segmentation: 'none', decoder: 'vanilla' });
  });

  it('reports as JSON', async () => {
    const { out, err } = await convert(checkpoint('training.pth'), '--dry-run', '--json', '-q');
    const report = JSON.parse(out);
    expect(report).toMatchObject({ format: 'PyTorch', layout: 'OIHW', variant: 'fixed', output: null, dtype: 'f32' });
    expect(report.tensors[0]).toEqual({
      target: 'encoder.1.weight',
      source: 'model.module.encoder.1.weight',
      shape: [4, 6, 3, 3],
      dtype: 'f32',
      by: 'name',
    });
    expect(report.leftOut).toContainEqual({ source: 'epoch', what: '3' });
    expect(report.leftOut).toContainEqual({ source: 'optimizer.state.0.exp_avg', what: 'f32 [4, 6, 3, 3]' });
    expect(err).toBe('');
  });

  it('lists every tensor with --all, and few without', async () => {
    expect((await convert(checkpoint('zip.pth'), '--dry-run')).out).toContain('all 40 tensors by their names (--all');
    expect((await convert(checkpoint('zip.pth'), '--dry-run', '--all')).out.match(/ name$/gm)?.length).toBe(40);
    const { out } = await convert(checkpoint('training.pth'), '--dry-run');
    expect(out).toMatch(/^left out: 1\d\d\n(?: {2}.*\n){12} {2}and \d+ more \(--all lists them\)$/m);
  });

  it('saves f16, and says which value it cannot hold', async () => {
    await convert(checkpoint('f64.pt'), '-o', at('half.safetensors'), '--dtype', 'f16', '-q');
    const half = readSafetensors(readFileSync(at('half.safetensors'))).tensors;
    await convert(checkpoint('f16.pt'), '-o', at('from-half.safetensors'), '-q');
    expect(half).toEqual(readSafetensors(readFileSync(at('from-half.safetensors'))).tensors);
    const large = new Map(goldenWeights());
    large.set('encoder.2.bias', { shape: [4], data: Float32Array.of(1, 2, 65520, 3) });
    writeFileSync(at('large.safetensors'), writeSafetensors(large, { format: 'pt' }));
    expect(await refused(at('large.safetensors'), '-o', at('no.safetensors'), '--dtype', 'f16')).toBe(
      '1 tensor "encoder.2.bias" has the value 65520, f16 goes to 65504: save it as f32',
    );
    large.set('encoder.2.bias', { shape: [4], data: Float32Array.of(1, 2, NaN, 3) });
    writeFileSync(at('large.safetensors'), writeSafetensors(large, { format: 'pt' }));
    expect(await refused(at('large.safetensors'), '-o', at('no.safetensors'))).toMatch(
      /large\.safetensors: tensor "encoder\.2\.bias" is NaN at \[2\]/,
    );
  });

  it('reads HWIO kernels of other formats, as their shapes show or as it is told', async () => {
    const turned = new Map(
      [...goldenWeights()].map(([name, { shape, data }]) => {
        if (shape.length !== 4) return [name, { shape, data }] as const;
        const [o, i, h, w] = shape;
        const out = data.map((_, n) => {
          const [output, input] = [n % o, Math.floor(n / o) % i];
          const place = Math.floor(n / o / i);
          return data[(output * i + input) * h * w + place];
        });
        return [name, { shape: [h, w, i, o] as number[], data: out }] as const;
      }),
    );
    writeFileSync(at('hwio.safetensors'), writeSafetensors(turned, { format: 'np' }));
    for (const options of [[], ['--layout', 'HWIO']]) {
      await convert(at('hwio.safetensors'), '-o', at('oihw.safetensors'), ...options, '-q');
      expect(readSafetensors(readFileSync(at('oihw.safetensors'))).tensors).toEqual(goldenWeights());
    }
    expect(await refused(at('hwio.safetensors'), '-o', at('no.safetensors'), '--layout', 'OIHW')).toMatch(
      /expected a multiple of 4|misshapen/,
    );
  });
});

describe('deghost convert refuses', () => {
  it('wrong usage', async () => {
    const file = checkpoint('zip.pth');
    expect(await refused('-o', 'x.safetensors')).toMatch(/^2 0 files are given/);
    expect(await refused(file)).toMatch(/^2 no output given: write -o weights\.safetensors, or --dry-run/);
    expect(await refused(file, '-o', 'x.pt')).toMatch(/^2 -o is "x\.pt": its name must end with \.safetensors/);
    expect(await refused(file, '--dry-run', '--dtype', 'bf16')).toMatch(/^2 --dtype is "bf16".*choose one of f32, f16/);
    expect(await refused(file, '--dry-run', '--config', '{"width":}')).toMatch(/^2 --config: .*write a JSON object/);
    expect(await refused(file, '--dry-run', '--variant', 'three')).toMatch(/^2 --variant is "three"/);
    const own = at('same.safetensors');
    writeFileSync(own, writeSafetensors(goldenWeights(), {}));
    expect(await refused(own, '-o', own)).toMatch(
      /^2 --output would overwrite the checkpoint .*same\.safetensors: name another file/,
    );
    expect(await refused(at('none.pt'), '--dry-run')).toMatch(/^1 cannot read .*none\.pt: no such file/);
    expect(await refused(file, '-o', at('none/x.safetensors'))).toMatch(/the folder .* does not exist/);
  });

  it('an ablation that contradicts the tensors, by their names', async () => {
    expect(await refused(checkpoint('zip.pth'), '--dry-run', '--config', '{"decoder": "resnet"}')).toMatch(
      /^1 .*zip\.pth: 16 tensors missing: "decoder\.res1\.1\.weight" .*; 18 tensors unexpected: "decoder\.conv1/,
    );
    expect(await refused(checkpoint('zip.pth'), '--dry-run', '--config', '{"base": "merge"}')).toMatch(
      /config segmentation is "none", expected .* which base "merge" needs/,
    );
    expect(await refused(checkpoint('zip.pth'), '--dry-run', '--variant', 'any')).toMatch(
      /misshapen: "fuse\.all\.0\.weight" \[4,12,3,3\] instead of \[4,8,3,3\]/,
    );
  });

  it('a map that leaves a tensor over or out, or names one twice', async () => {
    const file = checkpoint('anonymous.npz');
    await convert(file, '--dry-run', '--save-map', at('whole.json'), '-q');
    const whole = JSON.parse(readFileSync(at('whole.json'), 'utf8')) as Record<string, string | null>;
    const withMap = (change: (map: Record<string, unknown>) => void): Promise<string> => {
      const map: Record<string, unknown> = { ...whole };
      change(map);
      writeFileSync(at('whole.json'), JSON.stringify(map));
      return refused(file, '--dry-run', '--map', at('whole.json'));
    };
    expect(await withMap((map) => delete map.arr_3)).toMatch(
      /^1 .*anonymous\.npz: the map leaves "arr_3" \[4\] over, write null to leave it out: correct the map$/,
    );
    expect(await withMap((map) => (map.arr_3 = null))).toMatch(/1 tensor missing: "encoder\.2\.bias" \[4\]/);
    expect(await withMap((map) => (map.arr_3 = map.arr_1))).toMatch(
      /"encoder\.1\.bias" is named for "arr_1" and "arr_3"/,
    );
    expect(await withMap((map) => (map.arr_3 = 'encoder.9.bias'))).toMatch(
      /missing: "encoder\.2\.bias" \[4\]; 1 tensor unexpected: "encoder\.9\.bias" \[4\]/,
    );
    expect(await withMap((map) => (map.arr_99 = 'encoder.2.bias'))).toMatch(/the file has no tensor "arr_99"/);
    expect(await withMap((map) => (map.arr_3 = 7))).toMatch(
      /--map .*"arr_3" is 7: write a name of the network, or null/,
    );
    writeFileSync(at('whole.json'), '{"a": "b", "a": "c"}');
    expect(await refused(file, '--dry-run', '--map', at('whole.json'))).toMatch(/duplicate key "a"/);
  });

  it('another network, by what does not fit', async () => {
    const tensors = new Map([...goldenWeights()].filter(([name]) => !name.startsWith('decoder.conv9')));
    const anonymous = new Map([...tensors.values()].map((tensor, i) => [`layer${Math.floor(i / 2)}.${i % 2}`, tensor]));
    writeFileSync(at('other.safetensors'), writeSafetensors(anonymous, {}));
    const small = '{"segmentation": "none", "memory": "shared", "decoder": "vanilla"}';
    expect(await refused(at('other.safetensors'), '--dry-run', '--config', small)).toMatch(
      /fit no network; beside fixed, width 4, .*: 12 kernels \[4,4,3,3\] are wanted \(such as .*\), 11 found/,
    );
    const biasless = new Map([...anonymous].filter(([name]) => name !== 'layer2.1'));
    writeFileSync(at('other.safetensors'), writeSafetensors(biasless, {}));
    expect(await refused(at('other.safetensors'), '--dry-run')).toMatch(/"layer2\.0" \[4,4,3,3\] has no bias/);
    writeFileSync(at('other.safetensors'), writeSafetensors(new Map(), {}));
    expect(await refused(at('other.safetensors'), '--dry-run')).toMatch(/it holds no tensors of floats$/);
  });

  it('data outside the folder', async () => {
    const text = (value: string): number[] => [...Buffer.from(value)];
    for (const location of ['../secret', '/etc/passwd', '..', 'a\\b', '']) {
      const where = field(13, [...field(1, text('location')), ...field(2, text(location))]);
      const tensor = [...field(1, 4), ...field(2, 1), ...field(8, text('a')), ...where, ...field(14, 1)];
      writeFileSync(at('outside.onnx'), Uint8Array.from([...field(1, 8), ...field(7, field(5, tensor))]));
      expect(await refused(at('outside.onnx'), '--dry-run')).toMatch(/only files beside it are read/);
    }
  });
});
