/**
 * The bench's tables, picture and page: made-up figures in, and what the committed runs say. No peer and no GPU is
 * needed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { largestDifference } from '../../bench/compare.ts';
import { contest, enter } from '../../bench/contest.ts';
import type { Row } from '../../bench/contest.ts';
import { NotInstalled, resized, interleave, pad, planes } from '../../bench/engine.ts';
import type { Contestant, Engine, EngineContext, Planes, Work } from '../../bench/engine.ts';
import { parsePeers, parseSizes } from '../../bench/options.ts';
import { PAGE, PICTURE, committedReports, figures, pictured, withFigures } from '../../bench/performancePage.ts';
import { comparison, contestTable, reportMarkdown } from '../../bench/report.ts';
import type { Report } from '../../bench/report.ts';
import { rooflineDots, rooflineSvg } from '../../bench/roofline.ts';

const WORK: Work = { kind: 'network', width: 32, height: 16 };
const CONTEXT: EngineContext = { software: 'auto', weights: new Uint8Array(), taus: [1], reference: 0 };
const RULES = { runs: 3, limit: 10, tolerance: 1e-3, memory: 1e9 };

/** An engine that answers with one value everywhere, or throws. */
function contestant(id: string, value: number | Error, ms = 0): Contestant {
  const result: Planes = { data: new Float32Array(3 * 512).fill(Number(value)), c: 3, h: 16, w: 32 };
  const engine: Engine = {
    version: '1',
    adapter: 'an adapter',
    prepare: async () => ({
      run: async () => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        if (value instanceof Error) throw value;
      },
      result: () => result,
      release: () => undefined,
    }),
    dispose: () => undefined,
  };
  return { id, name: `engine ${id}`, open: async () => engine };
}

const absent: Contestant = {
  id: 'absent',
  name: 'engine absent',
  open: async () => {
    throw new NotInstalled('npm ci --prefix bench/peers');
  },
};

async function compete(contestants: readonly Contestant[], judge: string): Promise<Map<string, Row>> {
  const entrants = await enter(contestants, CONTEXT, () => undefined);
  const rows = await contest(entrants, WORK, [], 1e9, judge, RULES, () => undefined);
  return new Map(rows.map((row) => [row.id, row]));
}

describe('contest', () => {
  it('marks a wrong engine, keeps its time, and lists one that is absent or fails', async () => {
    const said: string[] = [];
    await enter([absent, { ...absent, name: 'engine gone' }], CONTEXT, (text) => said.push(text));
    expect(said).toEqual(['not installed: engine absent; engine gone (npm ci --prefix bench/peers)']);
    const rows = await compete(
      [
        contestant('deghost', 0.5),
        contestant('wrong', 0.75),
        contestant('nan', NaN),
        contestant('broken', new Error('no such kernel\nat line 3')),
        absent,
        contestant('cpu', 0.5001),
      ],
      'cpu',
    );
    expect(rows.get('deghost')).toMatchObject({ status: 'right', runs: 3 });
    expect(rows.get('deghost')!.error).toBeCloseTo(1e-4, 6);
    expect(rows.get('wrong')).toMatchObject({ status: 'wrong', runs: 3 });
    expect(rows.get('wrong')!.ms).toBeGreaterThanOrEqual(0);
    expect(rows.get('nan')).toMatchObject({ status: 'wrong', error: Infinity });
    expect(rows.get('broken')).toMatchObject({ status: 'failed', note: 'no such kernel' });
    expect(rows.get('broken')!.ms).toBeUndefined();
    expect(rows.get('absent')).toMatchObject({ status: 'not installed' });
    expect(rows.get('cpu')).toMatchObject({ judge: true, error: 0 });
  });

  it('compares with the first that ran where the judge is absent', async () => {
    const rows = await compete([contestant('deghost', 0.5), contestant('other', 0.5), absent], 'absent');
    expect(rows.get('deghost')!.judge).toBe(true);
    expect(rows.get('other')).toMatchObject({ status: 'right', judge: false });
  });

  it('does not start what its last figures say would exceed the limit', async () => {
    const entrants = await enter([contestant('deghost', 0.5), contestant('slow', 0.5)], CONTEXT, () => undefined);
    entrants[1].msPerPixel = 1e4 / 512;
    const rows = await contest(entrants, WORK, [], 1e9, 'deghost', RULES, () => undefined);
    expect(rows[1]).toMatchObject({ status: 'not run', note: 'predicted 10 s a run, the limit is 10 s for two' });
    entrants[1].msPerPixel = undefined;
    entrants[1].engine!.hostBytesPerPixel = 2 ** 30;
    const again = await contest(entrants, WORK, [], 1e9, 'deghost', RULES, () => undefined);
    expect(again[1]).toMatchObject({ status: 'not run', note: 'would take about 512 GiB of memory, 1 are free' });
  });

  it('takes turns', async () => {
    const order: string[] = [];
    const logged = ['a', 'b'].map((id): Contestant => {
      const base = contestant(id, 1);
      return {
        ...base,
        open: async (context) => {
          const engine = await base.open(context);
          return {
            ...engine,
            prepare: async (...args) => ({ ...(await engine.prepare(...args)), run: async () => void order.push(id) }),
          };
        },
      };
    });
    await compete(logged, 'a');
    expect(order.join('')).toBe('abababab');
  });
});

describe('planes', () => {
  it('pads to the grid by repeating, and goes to and from interleaved', () => {
    const x: Planes = { data: Float32Array.from({ length: 2 * 3 * 2 }, (_, i) => i), c: 2, h: 3, w: 2 };
    const padded = pad(x);
    expect([padded.h, padded.w]).toEqual([16, 16]);
    expect([padded.data[0], padded.data[15], padded.data[15 * 16 + 15], padded.data[256 + 1]]).toEqual([0, 1, 5, 7]);
    expect(resized(padded, 3, 2)).toEqual(x);
    expect([...interleave(x).slice(0, 4)]).toEqual([0, 6, 1, 7]);
    expect(planes(interleave(x), 2, 3, 2)).toEqual(x);
    expect(largestDifference(padded, x)).toBe(0);
    padded.data[256 + 16] += 2;
    expect(largestDifference(padded, x)).toBe(2);
    expect(largestDifference(x, padded)).toBe(Infinity);
  });
});

const REPORT: Report = {
  date: '2001-02-03',
  runtime: 'Node v20',
  cpu: { model: 'A CPU', cores: 2 },
  adapter: { name: 'a software adapter', vendor: '', architecture: 'software', software: true, source: 'system' },
  weights: 'weights/fixed.safetensors',
  validated: [{ name: 'fixed-wide', error: 2e-6 }],
  peaks: { gflops: 20, gbytes: 2 },
  kernels: [
    { name: 'conv2d 3x3 32->32', size: '256x256', ms: 100, spread: 0.02, gflops: 10, gbytes: 0.5, error: 1e-7 },
    { name: 'maxPool 32', size: '256x256', ms: 1, spread: 0.02, gflops: 0, gbytes: 1, error: 0 },
  ],
  contests: [
    {
      work: '`fixed`, 3 frames',
      kind: 'network',
      size: '256x256',
      operations: 1e10,
      bytes: 1e9,
      rows: [
        {
          id: 'deghost',
          engine: 'deghost',
          version: '1',
          adapter: 'a software adapter',
          size: '256x256',
          status: 'right',
          error: 2e-6,
          firstMs: 2000,
          runs: 5,
          ms: 1000,
          spread: 0.01,
          gflops: 10,
          peakBytes: 2 ** 24,
        },
        {
          id: 'bad',
          engine: 'bad',
          adapter: 'another adapter',
          size: '256x256',
          status: 'wrong',
          error: 0.578,
          firstMs: 9000,
          runs: 3,
          ms: 8000,
          spread: 0.2,
          gflops: 1.25,
          pausedMs: 5000,
        },
        {
          id: 'cpu',
          engine: 'cpu',
          adapter: 'CPU, 2 cores',
          size: '256x256',
          status: 'right',
          error: 0,
          judge: true,
          firstMs: 500,
          runs: 5,
          ms: 250,
          spread: 0,
          gflops: 40,
        },
        { id: 'gone', engine: 'gone', size: '256x256', status: 'not installed', note: 'gone is not installed' },
        { id: 'broken', engine: 'broken', size: '256x256', status: 'failed', note: 'Concat: 13 > 8 | buffers' },
      ],
    },
  ],
};

describe('tables', () => {
  const lines = contestTable(REPORT.contests, REPORT.peaks).split('\n');

  it('marks what is wrong, absent or failed, and shows losses as losses', () => {
    expect(lines[2]).toBe(
      '| `fixed`, 3 frames, 256x256 | deghost 1 | 1.00 s | ±1 % (5) | 2.00 s | 10.0 (50 %) | 1.0 (50 %) |  | 16 MiB ' +
        '| right (2e-6) |',
    );
    expect(lines[3]).toContain('| 8.0 times as fast, 5.0 times as fast with pauses |  | **wrong** (off by 0.58) |');
    expect(lines[4]).toContain('| **4.0 times slower** |  | the judge |');
    // The adapter's peak is no measure of the CPU beside it.
    expect(lines[4]).toContain('| 40.0 |  | **');
    expect(lines[5]).toContain('| not installed |');
    expect(lines[6]).toContain('| **failed**: Concat: 13 &gt; 8 \\| buffers |');
    for (const line of lines) expect(line.replaceAll('\\|', '').split('|')).toHaveLength(12);
  });

  it('says in words what is faster and what ran elsewhere', () => {
    const text = reportMarkdown(REPORT);
    expect(text).toContain(
      'Faster than deghost here: cpu is 4.0 times as fast as deghost at `fixed`, 3 frames, 256x256.',
    );
    expect(text).toContain('*With pauses* is another engine whose runs were made to pause as well');
    expect(text).toContain('*First run* includes compilation.');
    expect(text).toContain('bad ran on another adapter, another adapter.');
    expect(reportMarkdown({ ...REPORT, remarks: ['The fan was off.'] })).toContain(
      'bad ran on another adapter, another adapter. The fan was off.',
    );
    expect(text).toContain('| conv2d 3x3 32->32 | 256x256 | 100 ms | ±2 % | 10.0 (50 %) | 0.50 (25 %) |');
  });

  it('says so where no real GPU was measured, and only there', () => {
    expect(figures([REPORT])).toContain('No real GPU has been measured');
    const real = { ...REPORT, adapter: { ...REPORT.adapter, name: 'a card', software: false } };
    const both = figures([REPORT, real]);
    expect(both).not.toContain('No real GPU');
    expect(both.indexOf('### a card')).toBeGreaterThan(0);
    expect(both.indexOf('### a card')).toBeLessThan(both.indexOf('### a software adapter'));
    expect(pictured([REPORT, real])).toBe(real);
  });

  it('compares nothing with what did not run', () => {
    expect(comparison(undefined, REPORT.contests[0].rows[1])).toBe('');
    expect(comparison(REPORT.contests[0].rows[0], REPORT.contests[0].rows[3])).toBe('');
  });
});

describe('roofline', () => {
  it('has a dot for each kernel that multiplies and each engine on the adapter, and marks a wrong one', () => {
    expect(rooflineDots(REPORT)).toEqual([
      { label: '3x3 32→32', kind: 'kernel', intensity: 20, gflops: 10 },
      { label: 'whole network: fixed, 3 frames', kind: 'deghost', intensity: 10, gflops: 10 },
      { label: 'bad: fixed, 3 frames (wrong)', kind: 'peer', intensity: 10, gflops: 1.25 },
    ]);
    const svg = rooflineSvg(REPORT);
    expect(svg.match(/<circle class="kernel"/g)).toHaveLength(2); // one in the legend
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('options', () => {
  it('reads sizes and peers, and names what it cannot', () => {
    expect(parseSizes('128x96, 256x256')).toEqual([
      { width: 128, height: 96 },
      { width: 256, height: 256 },
    ]);
    expect(() => parseSizes('128')).toThrow('"128" is not a size of at least 16x16');
    expect(parsePeers('absent', [absent])).toEqual([absent]);
    expect(parsePeers('none', [absent])).toEqual([]);
    expect(() => parsePeers('torch', [absent])).toThrow('"torch" is none of all, none, absent');
  });
});

describe('docs/performance.md', () => {
  const reports = committedReports();

  it('has the figures that the committed runs give', () => {
    expect(reports.length).toBeGreaterThan(0);
    const page = readFileSync(PAGE, 'utf8');
    expect(withFigures(page, figures(reports))).toBe(page);
    expect(() => withFigures('no markers', '')).toThrow('put both lines back');
  });

  it('has the picture that they give', () => {
    expect(existsSync(PICTURE)).toBe(true);
    expect(readFileSync(PICTURE, 'utf8')).toBe(rooflineSvg(pictured(reports)));
  });

  it('is made from runs that name no folder of the machine', () => {
    for (const report of reports)
      expect(JSON.stringify(report)).not.toMatch(/"[^"]*(\/(home|root|tmp|usr|work)\/|[A-Z]:\\\\)/);
  });
});
