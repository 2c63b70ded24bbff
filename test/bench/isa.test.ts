/** The table of compilers' statistics: which column has the spills, what is counted. */
import { describe, expect, it } from 'vitest';
import { VENDORS, spills, summaryText, tableText } from '../../bench/isa/vendors.ts';
import type { Compiled } from '../../bench/isa/vendors.ts';

const row = (
  name: string,
  implementation: string,
  share: number,
  statistics: Record<string, number>,
  rest: Partial<Compiled> = {},
): Compiled => ({ class: name, implementation, isDefault: false, share, program: 'p', ms: 1, statistics, ...rest });

describe('isa', () => {
  it.each(Object.entries(VENDORS))('%s: registers come first, spills second', (_, vendor) => {
    expect(vendor.columns[0]).toMatch(/GPRs|Registers/);
    expect(vendor.columns[1]).toMatch(/Spill|STP/);
    expect(spills(vendor, row('a', 'b', 1, { [vendor.columns[1]]: 7 }))).toBe(7);
    expect(spills(vendor, row('a', 'b', 1, {}))).toBe(0);
  });

  const { amd } = VENDORS;
  const rows = [
    row('3x3', 'direct', 0.5, { VGPRs: 108, 'Spilled VGPRs': 0, Instructions: 1285 }, { isDefault: true }),
    row('3x3', 'winograd', 0.5, { VGPRs: 256, 'Spilled VGPRs': 82 }),
    row('dilated', 'direct', 0.25, { VGPRs: 256, 'Spilled VGPRs': 3 }, { isDefault: true }),
    row('1x1', 'matrix', 0.01, {}, { error: 'no such feature' }),
  ];

  it('a row for each implementation, defaults marked, gaps and failures shown', () => {
    const lines = tableText(amd, rows).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[1].split(/\s{2,}/)).toEqual(['3x3', '* direct', '50.0', '108', '0', '-', '-', '1285', '-', '-', '-']);
    expect(lines[2]).toMatch(/^3x3\s+winograd\s+50\.0\s+256\s+82\s/);
    expect(lines[4]).toMatch(/no such feature$/);
    expect(tableText(amd, rows, 0.1).split('\n')).toHaveLength(4);
  });

  it('counts what spills', () => {
    expect(summaryText(amd, rows)).toBe(
      '2 of 3 implementations spill, 1 defaults among them (25.0 % of the multiply-adds); 1 do not compile',
    );
  });
});
