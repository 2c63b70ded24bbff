import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { checkTensors } from '../../src/weights/check.ts';
import { parseConfig } from '../../src/weights/config.ts';
import { expectedTensors } from '../reference/tensors.ts';
import { goldenNames, readGolden } from '../reference/goldens.ts';

const full = {
  width: 32,
  segWidths: [16, 32, 64, 128],
  slope: 0.2,
  gamma: 2.2,
  maskMode: 'soft',
  base: 'none',
  hat: 'channel',
};
const GATE = { codes: 2, relative: 0.06, low: 0.004, high: 0.02 };
const metadata = (config: object | string, more: object = {}): Record<string, string> => ({
  format: 'deghost',
  variant: 'fixed',
  config: typeof config === 'string' ? config : JSON.stringify(config),
  ...more,
});

function failure(data: Record<string, string>): string {
  try {
    parseConfig(data, 'w.safetensors');
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(/^w\.safetensors: .*: /);
    return (error as Error).message;
  }
  throw new Error('accepted');
}

describe('config', () => {
  it('reads every field and keeps free ones', () => {
    const given = {
      width: 8,
      segWidths: [4, 8, 12, 16],
      slope: 0.1,
      gamma: 2,
      maskMode: 'binary',
      base: 'merge',
      hat: 'pixel',
      gate: GATE,
      data: 'x',
      iterations: 7,
      segmentation: 'network',
    };
    expect(parseConfig(metadata(given, { variant: 'any' }))).toEqual({
      variant: 'any',
      width: 8,
      segWidths: [4, 8, 12, 16],
      slope: 0.1,
      gamma: 2,
      maskMode: 'binary',
      base: 'merge',
      hat: 'pixel',
      gate: GATE,
      extra: { data: 'x', iterations: 7 },
    });
  });

  it('absent fields take the defaults', () => {
    expect(parseConfig(metadata({}))).toEqual({ variant: 'fixed', ...full, extra: {} });
  });

  it('the ablation fields may say their first value', () => {
    expect(
      parseConfig(
        metadata({ ...full, segmentation: 'network', memory: 'full', fusion: 'separate', decoder: 'sdc-dense' }),
      ),
    ).toEqual({ variant: 'fixed', ...full, extra: {} });
  });

  it.each([
    ['segmentation', 'difference'],
    ['segmentation', 'none'],
    ['memory', 'shared'],
    ['memory', 'none'],
    ['fusion', 'shared'],
    ['decoder', 'sdc'],
    ['decoder', 'vanilla'],
    ['decoder', 'resnet'],
  ])('the ablation %s "%s" is read, with the first values of the others', (field, value) => {
    const first = { segmentation: 'network', memory: 'full', fusion: 'separate', decoder: 'sdc-dense' };
    const config = parseConfig(metadata({ ...full, base: 'none', [field]: value }));
    expect(config.ablation).toEqual({ ...first, [field]: value });
    expect(config.extra).toEqual({});
  });

  it.each<[Record<string, string>, RegExp]>([
    [{}, /format is missing, expected "deghost"/],
    [metadata(full, { format: 'pt' }), /format is "pt"/],
    [metadata(full, { variant: 'both' }), /variant is "both"/],
    [{ format: 'deghost', variant: 'any' }, /no config/],
    [metadata('{'), /config: expected a string/],
    [metadata('[]'), /expected a JSON object/],
    [metadata('{"width":8,"width":4}'), /duplicate key "width"/],
    [metadata({ ...full, width: 30 }), /width is 30, expected a multiple of 4/],
    [metadata({ ...full, width: 0 }), /width is 0/],
    [metadata({ ...full, width: -4 }), /width is -4/],
    [metadata({ ...full, width: 516 }), /width is 516/],
    [metadata({ ...full, width: '32' }), /width is "32"/],
    [metadata({ ...full, width: null }), /width is null/],
    [metadata({ ...full, segWidths: [4, 4, 4] }), /segWidths is \[4,4,4\], expected four/],
    [metadata({ ...full, segWidths: [4, 4, 4, 6] }), /segWidths/],
    [metadata({ ...full, segWidths: 4 }), /segWidths is 4/],
    [metadata({ ...full, slope: '0.2' }), /slope is "0.2"/],
    [metadata({ ...full, slope: -0.1 }), /slope is -0.1/],
    [metadata({ ...full, gamma: 0 }), /gamma is 0/],
    [metadata({ ...full, maskMode: 'hard' }), /maskMode is "hard", expected "soft" or "binary"/],
    [metadata({ ...full, base: 'triangle' }), /base is "triangle"/],
    [metadata({ ...full, hat: 'pixels' }), /hat is "pixels", expected "channel" or "pixel"/],
    [metadata({ ...full, hat: null }), /hat is null/],
    [metadata({ ...full, gate: null }), /gate\.codes is missing, expected a number from 0/],
    [metadata({ ...full, gate: [2] }), /gate\.0 is 2, expected no such field/],
    [metadata({ ...full, gate: { ...GATE, grow: 9 } }), /gate\.grow is 9, expected no such field/],
    [metadata({ ...full, gate: { codes: 2, relative: 0.06, low: 0.004 } }), /gate\.high is missing, expected a number/],
    [metadata({ ...full, gate: { ...GATE, codes: '2' } }), /gate\.codes is "2", expected a number from 0/],
    [metadata({ ...full, gate: { ...GATE, codes: -0.5 } }), /gate\.codes is -0.5, expected a number from 0/],
    [
      metadata({ ...full, gate: { ...GATE, relative: -0.01 } }),
      /gate\.relative is -0.01, expected a number from 0 to below 1/,
    ],
    [metadata({ ...full, gate: { ...GATE, relative: 1 } }), /gate\.relative is 1/],
    [
      metadata({ ...full, gate: { ...GATE, low: 0.02 } }),
      /gate\.low is 0.02, expected a number below gate\.high, 0.02/,
    ],
    [metadata({ ...full, gate: { ...GATE, high: 1e300 } }), /gate\.high is 1e\+300/],
    [
      metadata({ ...full, segmentation: 'none', gate: GATE }),
      /segmentation is "none", expected "network", which the gate needs/,
    ],
    [
      metadata({ ...full, base: 'merge', segmentation: 'none' }),
      /segmentation is "none", expected "network" or "difference", which base "merge" needs/,
    ],
    [metadata({ ...full, memory: 'big' }), /memory is "big", expected "full" or "shared" or "none"/],
    [metadata({ ...full, decoder: null }), /decoder is null/],
  ])('refuses %j', (data, message) => {
    expect(failure(data)).toMatch(message);
  });
});

describe('tensors', () => {
  const count = (tensors: Map<string, number[]>, prefix = ''): number =>
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

  it("has the spec's parameter counts", () => {
    const fixed = expectedTensors(parseConfig(metadata(full)));
    expect(count(fixed)).toBe(2_782_341);
    expect(count(fixed, 'seg.')).toBe(2_451_042);
    expect(count(expectedTensors(parseConfig(metadata(full, { variant: 'any' }))))).toBe(1_529_172);
    expect(fixed.get('memory.read.static.1.weight')).toEqual([32, 12, 1, 1]);
    expect(fixed.get('seg.long.dec4.1.weight')).toEqual([128, 256, 3, 3]);
    expect(fixed.get('seg.short.dec3.1.weight')).toEqual([64, 192, 3, 3]);
  });

  it.each(goldenNames())('matches the golden weights %s name by name', (name) => {
    const { config, weights } = readGolden(name);
    const expected = expectedTensors(config);
    checkTensors(weights, expected, name);
    expect([...weights.keys()].sort()).toEqual([...expected.keys()].sort());
  });

  it('lists what is missing, unexpected and misshapen', () => {
    const expected = new Map([
      ['a', [2, 3]],
      ['b', [1]],
      ['c', [4]],
    ]);
    const shaped = (...items: [string, number[]][]): Map<string, { shape: number[] }> =>
      new Map(items.map(([name, shape]) => [name, { shape }]));
    expect(() => checkTensors(shaped(['a', [2, 3]], ['b', [1]], ['c', [4]]), expected)).not.toThrow();
    expect(() => checkTensors(shaped(['a', [3, 2]], ['c', [4, 1]], ['x', [9]]), expected, 'w')).toThrow(
      'w: 1 tensor missing: "b" [1]; 1 tensor unexpected: "x" [9]; 2 tensors misshapen: "a" [3,2] instead of [2,3], ' +
        '"c" [4,1] instead of [4]: ',
    );
    const many = shaped(...Array.from({ length: 9 }, (_, i): [string, number[]] => [`t${i}`, []]));
    expect(() => checkTensors(many, new Map(), 'w')).toThrow(
      /9 tensors unexpected: "t0" \[\], "t1" \[\], "t2" \[\], "t3" \[\] and 5 more: /,
    );
    expect(() => checkTensors(many, new Map(), 'w')).toThrow(InputError);
  });
});
