/** The lab's tables: which column has the spills, what is counted, compared and refused. */
import { describe, expect, it } from 'vitest';
import { check } from '../../bench/isa/check.ts';
import type { Counts } from '../../bench/isa/counts.ts';
import { REASONS } from '../../bench/isa/reasons.ts';
import { precisionText, spillText, summaryText, waysOf } from '../../bench/isa/summary.ts';
import { compareTables, tableOf, tablesText } from '../../bench/isa/tables.ts';
import type { Tables } from '../../bench/isa/tables.ts';
import { VENDORS, allTargets, spills, tableText, targetName } from '../../bench/isa/vendors.ts';
import type { Compiled, Report } from '../../bench/isa/vendors.ts';

const ZERO: Counts = {
  arithmetic: 1,
  uniform: 0,
  matrix: 0,
  loads: 0.1,
  shared: 0,
  stores: 0,
  spills: 0,
  all: 1.2,
  products: 1,
};
const counts = (arithmetic: number, rest: Partial<Counts> = {}): { counts: Counts } => ({
  counts: { ...ZERO, arithmetic, ...rest },
});

const row = (
  name: string,
  implementation: string,
  share: number,
  statistics: Record<string, number>,
  rest: Partial<Compiled> = {},
): Compiled => ({
  class: name,
  implementation,
  isDefault: false,
  share,
  program: 'p',
  workgroupBytes: 0,
  ms: 1,
  statistics,
  ...rest,
});

const report = (rows: Compiled[], rest: Partial<Report> = {}): Report => ({
  vendor: 'amd',
  chip: 'navi31',
  precision: 'f32',
  compiler: 'radv 1',
  rows,
  ...rest,
});

describe('vendors', () => {
  it.each(Object.entries(VENDORS))('%s: registers come first, spills second', (_, vendor) => {
    expect(vendor.columns[0]).toMatch(/GPRs|Registers/);
    expect(vendor.columns[1]).toMatch(/Spill|STP/);
    expect(vendor.columns).toContain(vendor.occupancy);
    expect(spills(vendor, row('a', 'b', 1, { [vendor.columns[1]]: 7 }))).toBe(7);
    expect(spills(vendor, row('a', 'b', 1, {}))).toBe(0);
  });

  it('all: every chip, f16 where the stub has it', () => {
    const names = allTargets().map(targetName);
    expect(names[0]).toBe('nvidia 192 f32');
    expect(names).toContain('amd vega10 f16');
    expect(names).not.toContain('nvidia 192 f16');
    expect(new Set(names).size).toBe(names.length);
    expect(targetName({ ...allTargets()[0], unchecked: true })).toBe('nvidia 192 f32 unchecked');
  });
});

describe('the table', () => {
  const rows = [
    row('3x3', 'direct', 0.5, { VGPRs: 108, 'Spilled VGPRs': 0, Instructions: 1285 }, { isDefault: true }),
    row('3x3', 'winograd', 0.5, { VGPRs: 256, 'Spilled VGPRs': 82 }, counts(0.5)),
    row('dilated', 'direct', 0.25, { VGPRs: 256, 'Spilled VGPRs': 3 }, { isDefault: true }),
    row('1x1', 'matrix', 0.01, {}, { error: 'no such feature' }),
  ];

  it('a row for each implementation, defaults marked, gaps and failures shown', () => {
    const lines = tableText(VENDORS.amd, rows).split('\n');
    expect(lines).toHaveLength(5);
    const cells = ['3x3', '* direct', '50.0', '108', '0', '-', '-', '1285', '-', '-', '-', '-', '-', '-', '-'];
    expect(lines[1].split(/\s{2,}/)).toEqual(cells);
    expect(lines[2]).toMatch(/^3x3\s+winograd\s+50\.0\s+256\s+82\s.*\s0\.500\s+1\.200\s+0\.100\s+1\.000$/);
    expect(lines[4]).toMatch(/no such feature$/);
    expect(tableText(VENDORS.amd, rows, 0.1).split('\n')).toHaveLength(4);
  });

  it('counts what spills', () => {
    expect(spillText({ vendor: 'amd', rows })).toBe(
      '2 of 3 implementations spill, 1 defaults among them (25.0 % of the multiply-adds); 1 do not compile',
    );
  });
});

describe('the summary', () => {
  const fine = { 'Spilled VGPRs': 0 };
  const rows = [
    row('a', 'direct 2x2x16', 0.75, fine, { isDefault: true, ...counts(1.2) }),
    row('a', 'direct 4x2x8', 0.75, fine, counts(1.1)),
    row('a', 'direct winograd 2x2x16', 0.75, fine, counts(0.6, { products: 0.444 })),
    row('a', 'staged winograd 2x2x16', 0.75, { 'Spilled VGPRs': 9 }, counts(0.5)),
    row('b', 'direct 2x2x4', 0.25, fine, { isDefault: true, ...counts(1.6) }),
    row('blend', '', 0, fine, { isDefault: true }),
  ];

  it('weights by shares; the best candidates do not spill', () => {
    const ways = waysOf(report(rows));
    expect(ways.defaults?.arithmetic).toBeCloseTo(0.75 * 1.2 + 0.25 * 1.6, 10);
    expect(ways['best without Winograd']?.arithmetic).toBeCloseTo(0.75 * 1.1 + 0.25 * 1.6, 10);
    expect(ways.best?.arithmetic).toBeCloseTo(0.75 * 0.6 + 0.25 * 1.6, 10);
    expect(ways.best?.products).toBeCloseTo(0.75 * 0.444 + 0.25, 10);
  });

  it('classes that are not counted leave no sum', () => {
    const broken = [...rows, row('c', 'direct', 0.1, fine, { isDefault: true, uncounted: 'why' })];
    expect(waysOf(report(broken)).defaults).toBeUndefined();
    expect(summaryText(report(broken))).toContain('not counted: c, direct: why');
  });

  it('matrix variants are apart, and f16 beside f32', () => {
    const half = rows.flatMap((one) => {
      const { share, isDefault } = one;
      const own = { ...one, ...(one.counts && counts(one.counts.arithmetic / 2)), isDefault: false };
      const matrix = row(one.class, 'matrix 16x8x32 by 2', share, fine, {
        isDefault,
        ...counts(0.25, { matrix: 0.01 }),
      });
      return isDefault && share > 0 ? [matrix, own] : [own];
    });
    const found = report(half, { precision: 'f16' });
    expect(summaryText(found)).toContain('2 matrix variants, 0 spill');
    expect(summaryText(found)).toContain('0.0100 matrix products, 0.2500 arithmetic');
    expect(summaryText(report(rows))).toContain('no matrix variants');
    expect(waysOf(found).defaults?.arithmetic).toBeCloseTo((0.75 * 1.2 + 0.25 * 1.6) / 2, 10);
    expect(precisionText([report(rows), found])[0]).toContain(
      'amd navi31: arithmetic of f32 by that of f16: defaults 2.00',
    );
  });
});

describe('the committed tables', () => {
  const statistics = { VGPRs: 100, 'Spilled VGPRs': 0, 'Subgroups per SIMD': 8 };
  const rows = [
    row('a', 'direct', 0.5, statistics, { isDefault: true, ...counts(1.2) }),
    row('a', 'winograd', 0.5, { ...statistics, 'Spilled VGPRs': 5 }, counts(0.5)),
    row('b', 'direct', 0.25, statistics, { isDefault: true, ...counts(1.5) }),
  ];
  const tables: Tables = { 'amd navi31 f32': tableOf(report(rows)) };
  const changedAt = (
    index: number,
    change: Partial<Compiled>,
    rest: Partial<Report> = {},
  ): ReturnType<typeof compareTables> =>
    compareTables(tables, [
      report(
        rows.map((one, i) => (i === index ? { ...one, ...change } : one)),
        rest,
      ),
    ]);

  it('are read back as they were written, and sorted', () => {
    const text = tablesText({ z: tableOf(report(rows.toReversed())), ...tables });
    expect(JSON.parse(text)).toEqual({ ...tables, z: tableOf(report(rows)) });
    expect(text.indexOf('amd navi31')).toBeLessThan(text.indexOf('"z"'));
    expect(text.split('\n').filter((line) => line.includes('"a":'))).toHaveLength(2);
  });

  it('nothing is different, or too little to say', () => {
    expect(changedAt(0, {})).toEqual({ lines: ['amd navi31 f32: as in the table'], isWorse: false });
    expect(changedAt(0, counts(1.201)).lines).toEqual(['amd navi31 f32: as in the table']);
  });

  it('more arithmetic is worse, less is better', () => {
    const worse = changedAt(2, counts(1.6));
    expect(worse.isWorse).toBe(true);
    expect(worse.lines).toContain('  worse      b: * direct: arithmetic 1.5 > 1.6');
    const better = changedAt(2, counts(1.4));
    expect(better.isWorse).toBe(false);
    expect(better.lines[0]).toBe('amd navi31 f32: 1 better, 0 worse, 0 otherwise different');
  });

  it('spills count before arithmetic, and arithmetic before occupancy', () => {
    const spilled = changedAt(0, { statistics: { ...statistics, 'Spilled VGPRs': 3 }, ...counts(1) });
    expect(spilled.isWorse).toBe(true);
    expect(spilled.lines[1]).toBe('  worse      a: * direct: spills 0 > 3, arithmetic 1.2 > 1');
    const crowded = changedAt(0, { statistics: { ...statistics, 'Subgroups per SIMD': 4 }, ...counts(1) });
    expect(crowded.isWorse).toBe(false);
    expect(changedAt(0, { statistics: { ...statistics, 'Subgroups per SIMD': 4 } }).isWorse).toBe(true);
    expect(changedAt(0, { statistics: { ...statistics, VGPRs: 90 } }).lines[1]).toMatch(
      /^ {2}different.*registers 100 > 90$/,
    );
  });

  it('says what is new and gone, another default, and what compiles no more', () => {
    const [, winograd, other] = rows;
    const lines = compareTables(tables, [
      report([
        { ...winograd, implementation: 'packed', isDefault: true },
        { ...other, class: 'c' },
      ]),
    ]).lines.join('\n');
    expect(lines).toContain('a: default direct > packed: spills 0 > 5, arithmetic 1.2 > 0.5');
    expect(lines).toContain('a: * packed: new');
    expect(lines).toContain('a: winograd: gone');
    expect(lines).toContain('b: no such class any more');
    expect(lines).toContain('c: new class');
    expect(changedAt(0, { error: 'no' }).lines[1]).toContain('does not compile any more');
  });

  it("another compiler's version explains what is worse; a target may be new", () => {
    const other = changedAt(2, counts(1.6), { compiler: 'radv 2' });
    expect(other.isWorse).toBe(false);
    expect(other.lines[0]).toContain('the compiler was radv 1, it is radv 2 now');
    expect(changedAt(0, {}, { chip: 'navi48' }).lines).toEqual([
      'amd navi48 f32: not in the table: add it with --update',
    ]);
  });
});

describe('what must hold', () => {
  const fine = { 'Number of GPRs': 64, 'Spills to memory': 0, 'Max warps/SM': 16 };
  const name = 'conv2d 3x3 32>32';
  const candidates = ['direct 2x2x16', 'direct 4x2x8', 'staged 2x2x16', 'direct winograd 2x2x8'];
  const rows = candidates.map((one, i) => row(name, one, 0.5, fine, { isDefault: i === 0, ...counts(1) }));
  const found = (change: (rows: Compiled[]) => Compiled[]): ReturnType<typeof check> =>
    check(report(change(rows), { vendor: 'nvidia', chip: '192' }));

  it('four candidates, one of them Winograd, none spills', () => {
    expect(found((own) => own)).toEqual({ faults: [], notes: [] });
  });

  it('refuses spills of defaults and candidates', () => {
    const { faults } = found((own) => [
      ...own,
      row(name, 'direct 4x4x16', 0.5, { ...fine, 'Spills to memory': 12 }),
      row('conv2d 1x1 32>32', 'direct', 0.1, { ...fine, 'Spills to memory': 2 }, { isDefault: true }),
    ]);
    expect(faults).toEqual([
      `nvidia 192 f32: ${name}: a candidate, direct 4x4x16, spills 12 registers`,
      'nvidia 192 f32: conv2d 1x1 32>32: the default, direct, spills 2 registers',
    ]);
  });

  it('refuses too few candidates, no Winograd, what does not compile, what is not counted', () => {
    expect(found((own) => own.slice(0, 3)).faults).toEqual([
      `nvidia 192 f32: ${name}: 3 candidates do not spill, at least 4 must`,
      'nvidia 192 f32: no Winograd candidate without spills',
    ]);
    expect(found((own) => [...own, row(name, 'x', 0.5, fine, { error: 'bad' })]).faults).toEqual([
      `nvidia 192 f32: ${name}: x: bad`,
    ]);
    expect(found((own) => [...own, row(name, 'x', 0.5, fine, { uncounted: 'why' })]).faults).toEqual([
      `nvidia 192 f32: ${name}: x is not counted: why`,
    ]);
  });

  it('a default with few warps needs a reason', () => {
    const few = (own: Compiled[]): Compiled[] =>
      own.map((one, i) => (i ? one : { ...one, statistics: { ...fine, 'Max warps/SM': 4 } }));
    expect(found(few).faults).toEqual([
      `nvidia 192 f32: ${name}: direct 2x2x16, the default, has Max warps/SM 4, under 8, and reasons.ts says not why`,
    ]);
    const before = REASONS.nvidia;
    REASONS.nvidia = { [`${name}: direct 2x2x16`]: 'it reads little' };
    try {
      expect(found(few)).toEqual({
        faults: [],
        notes: [`nvidia 192 f32: ${name}: direct 2x2x16, the default, has Max warps/SM 4, under 8: it reads little`],
      });
    } finally {
      if (before) REASONS.nvidia = before;
      else delete REASONS.nvidia;
    }
  });
});
