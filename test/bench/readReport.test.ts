/** Reports that people send: tables of what was measured, and refusals of what is no report. No GPU. */
import { describe, expect, it } from 'vitest';
import { adapterText, browserText } from '../../app/src/bench/browserText.ts';
import { readReport } from '../../bench/readReport.ts';
import { fastest, layerTable, mergeTable, peaksText, variantTable } from '../../bench/deviceTables.ts';
import { reportBody } from '../../bench/report.ts';
import type { Report } from '../../bench/report.ts';

const LAYER = {
  precision: 'f32' as const,
  name: 'conv2d 3x3 32>32',
  share: 0.25,
  tile: '640x640',
  fallback: 'direct 2x2x4',
  chosen: 'direct 2x2x4',
  gflops: { 'direct 2x2x4': 500, 'direct 4x2x8': 505, winograd: 'differs', staged: 'not reached' },
};
const CASE = { width: 1500, height: 1000, memoryBudget: 2 ** 29, variants: 'default' as const };

const REPORT: Report = {
  date: '2001-02-03',
  runtime: 'Chrome 156 on Linux',
  cpu: { cores: 16 },
  adapter: { name: 'A card <1>', vendor: 'v', architecture: 'a', software: false, source: 'browser' },
  weights: 'weights/fixed.safetensors',
  remarks: ['Measured in a browser.'],
  clock: 'timestamps',
  validated: [
    { name: 'fixed-wide', error: 2e-6 },
    { name: 'any-5', wrong: 'any-5 Y: index 3 is 1 | 2' },
  ],
  peaks: { gflops: 1000, gbytes: 200, gflopsF16: 2000, dispatchUs: 1.7, roundTripUs: 30 },
  kernels: [
    { name: 'maxPool, 32->32', size: '1024x1024', ms: 1, spread: 0.02, gflops: 0, gbytes: 100, error: 1, wrong: true },
  ],
  layers: [LAYER],
  unreached: 3,
  merges: [
    {
      ...CASE,
      precision: 'f32',
      firstMs: 2000,
      runs: 5,
      ms: 400,
      spread: 0.1,
      gpuMs: 100,
      multiplyAdds: 2e10,
      peakBytes: 2 ** 28,
    },
    {
      ...CASE,
      precision: 'f16',
      runs: 5,
      ms: 200,
      spread: 0.1,
      multiplyAdds: 2e10,
      peakBytes: 2 ** 28,
      difference: 1e-3,
      psnrMu: 98.76,
    },
    { ...CASE, precision: 'f16', runs: 1, ms: 200, spread: 0, difference: 0.5, psnrMu: 20, wrong: true },
    { ...CASE, precision: 'f32', memoryBudget: 2 ** 33, error: 'out of GPU memory | 8 GiB' },
    { ...CASE, precision: 'f32', width: 6000, height: 4000, error: 'left out: a run would take about 90 s here' },
  ],
  contests: [],
};

describe('a report of a browser', () => {
  it('has GPU time where it is known, the peak of its precision, and what failed', () => {
    const rows = mergeTable(REPORT.merges!, REPORT.peaks).rows.map((row) => row.join(' | '));
    expect(rows).toEqual([
      'f32, 1500x1000 | 512 MiB | default | 100 ms | 400 (40 %) | 400 ms | ±10 % (5) | 256 MiB | the judge',
      'f16, 1500x1000 | 512 MiB | default |  | 200 (10 %) | 200 ms | ±10 % (5) | 256 MiB | right (98.8 dB)',
      'f16, 1500x1000 | 512 MiB | default |  |  | 200 ms | ±0 % (1) |  | **wrong** (20.0 dB)',
      'f32, 1500x1000 | 8,192 MiB | default |  |  |  |  |  | **failed**: out of GPU memory \\| 8 GiB',
      'f32, 6000x4000 | 512 MiB | default |  |  |  |  |  | left out: a run would take about 90 s here',
    ]);
  });

  it('shows a layer by its default and its fastest variant', () => {
    expect(fastest(LAYER)).toBe('direct 4x2x8');
    expect(layerTable([LAYER], REPORT.peaks).rows).toEqual([
      ['f32, conv2d 3x3 32>32', '25 %', '`direct 2x2x4` 500 (50 %)', '`direct 4x2x8` 505 (51 %)', '2', '2'],
    ]);
  });

  it('lists all variants, and why some have no time', () => {
    expect(variantTable([LAYER], REPORT.peaks).rows.map((row) => row.slice(1).join(' | '))).toEqual([
      'direct 2x2x4 (default) | 500 (50 %) | ',
      'direct 4x2x8 | 505 (51 %) | ',
      'winograd |  | differs',
      'staged |  | not reached',
    ]);
  });

  it('becomes a part of docs/performance.md, wrong results marked', () => {
    const text = reportBody(REPORT);
    expect(text).toContain('### A card &lt;1&gt;\n\nA GPU, 16 cores, Chrome 156 on Linux, 2001-02-03.');
    expect(text).toContain('`fixed-wide` 2e-6, `any-5` **wrong** (any-5 Y: index 3 is 1 \\| 2).');
    expect(text).toContain('| maxPool, 32->32 **wrong** | 1024x1024 |');
    expect(text).toContain('3 classes of layers were not reached in time. Measured in a browser.');
    expect(text).not.toContain('deghost ran with its defaults');
    expect(text).not.toMatch(/undefined|NaN|Infinity/);
    expect(peaksText(REPORT.peaks)).toBe(
      'Its measured peaks: 1,000 GFLOP/s of multiply-adds (2,000 in f16), 200 GB/s copied; a dispatch takes at least ' +
        '1.7 µs; the way to the GPU and back 30.0 µs.',
    );
  });
});

describe('readReport', () => {
  const json = JSON.stringify(REPORT);

  it('gives what was written', () => {
    expect(readReport(json, 'a.json')).toEqual(REPORT);
    // What is not finite was written as null.
    expect(readReport(json.replace('"error":1,', '"error":null,'), 'a.json').kernels[0].error).toBeNull();
  });

  it.each([
    ['not JSON', '{', 'a.json is not JSON'],
    ['a list', '[]', 'the object'],
    ['no adapter', json.replace('"adapter"', '"other"'), 'adapter'],
    ['an adapter without a name', json.replace('"name":"A card <1>"', '"name":7'), 'adapter.name'],
    ['a text for a figure', json.replace('"gflops":1000', '"gflops":"1000"'), 'peaks.gflops'],
    ['no kernels', json.replace('"kernels":[', '"kernel":['), 'kernels'],
    ['a kernel without a time', json.replace('"ms":1,', ''), 'kernels[0].ms'],
    ['a merge without a size', json.replace('"width":1500,', ''), 'merges[0].width'],
    ['a rate that is an object', json.replace('"direct 2x2x4":500', '"direct 2x2x4":{}'), 'layers[0].gflops'],
    ['an engine without rows', json.replace('"contests":[]', '"contests":[{"work":"w"}]'), 'contests[0].size'],
  ])('refuses %s, by name', (_, text, message) => {
    expect(text).not.toBe(json);
    expect(() => readReport(text, 'a.json')).toThrow(message);
    expect(() => readReport(text, 'a.json')).toThrow('a.json');
  });
});

describe('the names of browsers and adapters', () => {
  const agents: [string, string][] = [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox 153 on Linux'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 ' +
        'Safari/605.1.15',
      'Safari 26.1 on macOS',
    ],
    [
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36',
      'Chromium 156 on Android',
    ],
    ['something else', 'an unknown browser'],
  ];

  it.each(agents)('%s', (userAgent, text) => {
    expect(browserText({ userAgent })).toBe(text);
  });

  it('prefers what a browser says of itself', () => {
    const brands = [
      { brand: 'Not;A=Brand', version: '8' },
      { brand: 'Chromium', version: '156' },
      { brand: 'Google Chrome', version: '156' },
    ];
    expect(browserText({ userAgent: '', userAgentData: { brands, platform: 'Windows' } })).toBe(
      'Google Chrome 156 on Windows',
    );
    expect(adapterText({ vendor: 'nvidia', architecture: 'hopper', device: '', description: '' }).name).toBe(
      'nvidia hopper',
    );
    expect(adapterText(undefined).name).toBe('A GPU without a name');
  });
});
