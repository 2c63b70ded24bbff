/** What all rows of a target say together: spills, and instructions for each multiply-add of a whole merge. */
import type { Counts } from './counts.ts';
import { VENDORS, spills, targetName } from './vendors.ts';
import type { Compiled, Report } from './vendors.ts';

/** Means of a whole merge, each class weighted by its share of the multiply-adds. */
export type Weighted = Pick<Counts, 'arithmetic' | 'all' | 'loads' | 'shared' | 'products'>;

const WEIGHTED = ['arithmetic', 'all', 'loads', 'shared', 'products'] as const;

/** Whether an implementation uses Winograd's arithmetic, or matrix units. Methods name their implementations. */
export function isWinograd({ implementation }: Pick<Compiled, 'implementation'>): boolean {
  return /\bwinograd\b/.test(implementation);
}
export function isMatrix({ implementation }: Pick<Compiled, 'implementation'>): boolean {
  return /^matrix\b/.test(implementation);
}

/**
 * The weighted means if each class runs the row that `choose` returns. Classes without multiply-adds do not count.
 * @returns undefined if a class that has some has no row with counts.
 */
export function weighted(
  rows: readonly Compiled[],
  choose: (ofClass: readonly Compiled[]) => Compiled | undefined,
): Weighted | undefined {
  const sums: Weighted = { arithmetic: 0, all: 0, loads: 0, shared: 0, products: 0 };
  let total = 0;
  for (const name of new Set(rows.filter(({ share }) => share > 0).map((row) => row.class))) {
    const chosen = choose(rows.filter((row) => row.class === name));
    if (!chosen?.counts) return undefined;
    total += chosen.share;
    for (const key of WEIGHTED) sums[key] += chosen.share * chosen.counts[key];
  }
  for (const key of WEIGHTED) sums[key] /= total;
  return sums;
}

/** The row with the least arithmetic of those that do not spill; the default where all spill. */
export function leastArithmetic(
  vendor: string,
  allowed: (row: Compiled) => boolean,
): (rows: readonly Compiled[]) => Compiled | undefined {
  return (rows) =>
    rows
      .filter((row) => row.counts && !spills(VENDORS[vendor], row) && (row.isDefault || allowed(row)))
      .sort((a, b) => a.counts!.arithmetic - b.counts!.arithmetic)[0] ?? rows.find(({ isDefault }) => isDefault);
}

/** Several ways to run a merge, with their weighted counts. */
export function waysOf({ vendor, rows }: Report): Record<string, Weighted | undefined> {
  const plain = rows.filter((row) => !isMatrix(row));
  // Where a matrix variant is the default, a merge without matrix units runs what comes after it.
  const isFirst = new Map<string, Compiled>();
  for (const row of plain) if (!isFirst.has(row.class)) isFirst.set(row.class, row);
  const own = plain.map((row) => ({ ...row, isDefault: isFirst.get(row.class) === row }));
  return {
    defaults: weighted(own, (ofClass) => ofClass.find(({ isDefault }) => isDefault)),
    'best without Winograd': weighted(
      own,
      leastArithmetic(vendor, (row) => !isWinograd(row)),
    ),
    best: weighted(
      own,
      leastArithmetic(vendor, () => true),
    ),
  };
}

/** How many implementations spill: of all, of the defaults, and the defaults' share of the multiply-adds. */
export function spillText({ vendor, rows }: Pick<Report, 'vendor' | 'rows'>): string {
  const compiled = rows.filter(({ error }) => !error);
  const spilling = compiled.filter((row) => spills(VENDORS[vendor], row) > 0);
  const defaults = spilling.filter(({ isDefault }) => isDefault);
  const share = defaults.reduce((sum, row) => sum + row.share, 0);
  const failed = rows.length - compiled.length;
  return (
    `${spilling.length} of ${compiled.length} implementations spill, ${defaults.length} defaults among them ` +
    `(${(100 * share).toFixed(1)} % of the multiply-adds)${failed ? `; ${failed} do not compile` : ''}`
  );
}

function weightedText(ways: Record<string, Weighted | undefined>): string {
  const lines = Object.entries(ways).map(([way, figures]) => {
    if (!figures) return `  ${way.padEnd(24)} not counted`;
    const { arithmetic, all, loads, shared, products } = figures;
    const cells = [arithmetic, all, loads, shared, products].map((value) => value.toFixed(3).padStart(10));
    return `  ${way.padEnd(24)}${cells.join('')}`;
  });
  const title = 'for each multiply-add'.padEnd(26);
  return [
    title + ['arith', 'all', 'loads', 'shared', 'products'].map((name) => name.padStart(10)).join(''),
    ...lines,
  ].join('\n');
}

/** Matrix variants apart: products of matrix units and arithmetic for each multiply-add. */
function matrixText({ vendor, rows }: Report): string {
  const found = rows.filter((row) => isMatrix(row) && row.share > 0);
  if (found.length === 0) return 'no matrix variants';
  const counted = found.filter(({ counts }) => counts);
  const mean = (key: keyof Counts): string =>
    (
      counted.reduce((sum, row) => sum + row.share * row.counts![key], 0) /
      counted.reduce((sum, { share }) => sum + share, 0)
    ).toFixed(4);
  const spilling = found.filter((row) => spills(VENDORS[vendor], row) > 0).length;
  return (
    `${found.length} matrix variants, ${spilling} spill; their means for each multiply-add: ${mean('matrix')} matrix ` +
    `products, ${mean('arithmetic')} arithmetic, ${mean('all')} all`
  );
}

/** What a target's rows say together. */
export function summaryText(report: Report): string {
  const uncounted = report.rows.filter((row) => row.uncounted);
  return [
    `${targetName(report)}, ${report.compiler}: ${spillText(report)}`,
    weightedText(waysOf(report)),
    matrixText(report),
    ...uncounted.map((row) => `not counted: ${row.class}, ${row.implementation}: ${row.uncounted}`),
  ].join('\n');
}

/** f16 beside f32 of one chip: how many times less arithmetic its defaults and best candidates take. */
export function precisionText(reports: readonly Report[]): string[] {
  return reports
    .filter(({ precision }) => precision === 'f16')
    .flatMap((half) => {
      const full = reports.find(
        ({ vendor, chip, precision }) => vendor === half.vendor && chip === half.chip && precision === 'f32',
      );
      if (!full) return [];
      const [a, b] = [waysOf(full), waysOf(half)];
      const gains = Object.keys(a).flatMap((way) => {
        const [from, to] = [a[way], b[way]];
        return from && to ? [`${way} ${(from.arithmetic / to.arithmetic).toFixed(2)}`] : [];
      });
      return [`${half.vendor} ${half.chip}: arithmetic of f32 by that of f16: ${gains.join(', ')}`];
    });
}
