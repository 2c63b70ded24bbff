/**
 * The tables that are committed (tables/, one file a vendor), and what is different now: so a change of a kernel shows
 * what it costs on each GPU.
 */
import { VENDORS, spills, targetName } from './vendors.ts';
import type { Compiled, Report } from './vendors.ts';

/** A row: registers, spills, occupancy, bytes of workgroup memory, then what each multiply-add takes. */
const FIGURES = ['registers', 'spills', 'occupancy', 'workgroup', 'arithmetic', 'all', 'loads', 'products'] as const;
type Figure = (typeof FIGURES)[number];
type Row = readonly (number | null)[];

/** A class: its share of the multiply-adds, the default's name, and each implementation's figures. */
interface ClassTable {
  share: number;
  default: string;
  rows: Record<string, Row>;
}

/** What was found for one target. */
interface TargetTable {
  compiler: string;
  classes: Record<string, ClassTable>;
}

/** By target's name. */
export type Tables = Record<string, TargetTable>;

/** Smaller changes of a figure, as a share of it, are not worth a line. */
const NOTICED = 0.005;

function rowOf(vendor: string, row: Compiled): Row {
  const { columns, occupancy } = VENDORS[vendor];
  const { statistics, workgroupBytes, counts, error } = row;
  if (error) return [];
  const rounded = (value: number | undefined): number | null =>
    value === undefined ? null : Number(value.toPrecision(4));
  return [
    statistics[columns[0]] ?? null,
    spills(VENDORS[vendor], row),
    statistics[occupancy] ?? null,
    workgroupBytes,
    rounded(counts?.arithmetic),
    rounded(counts?.all),
    rounded(counts?.loads),
    rounded(counts?.products),
  ];
}

/** A report as it is committed. */
export function tableOf({ vendor, compiler, rows }: Report): TargetTable {
  const classes: Record<string, ClassTable> = {};
  for (const row of rows) {
    const own = (classes[row.class] ??= { share: Number(row.share.toFixed(5)), default: row.implementation, rows: {} });
    if (row.isDefault) own.default = row.implementation;
    own.rows[row.implementation] = rowOf(vendor, row);
  }
  return { compiler, classes };
}

/** The file's text, a class a line: changes of it are readable too. */
export function tablesText(tables: Tables): string {
  const targets = Object.keys(tables)
    .sort()
    .map((target) => {
      const { compiler, classes } = tables[target];
      const lines = Object.keys(classes)
        .sort()
        .map((name) => `      ${JSON.stringify(name)}: ${JSON.stringify(classes[name])}`);
      return (
        `  ${JSON.stringify(target)}: {\n    "compiler": ${JSON.stringify(compiler)},\n` +
        `    "classes": {\n${lines.join(',\n')}\n    }\n  }`
      );
    });
  return `{\n${targets.join(',\n')}\n}\n`;
}

/** A difference: `better` and `worse` by the first figure that counts, in this order: spills, arithmetic, occupancy. */
export interface Change {
  kind: 'better' | 'worse' | 'different';
  text: string;
}

/** Whether more of a figure is better (1) or worse (-1). Others only follow from the code. */
const DIRECTION: Partial<Record<Figure, number>> = { spills: -1, arithmetic: -1, occupancy: 1 };
const DECISIVE: readonly Figure[] = ['spills', 'arithmetic', 'occupancy'];

/** What is different in a row, as text, and whether for the better; undefined if nothing that is worth a line. */
function compareRows(before: Row, now: Row): Change | undefined {
  if ((before.length === 0) !== (now.length === 0))
    return now.length === 0
      ? { kind: 'worse', text: 'does not compile any more' }
      : { kind: 'better', text: 'compiles now' };
  const isNoticed = (a: number | null, b: number | null): boolean =>
    a === null || b === null ? a !== b : Math.abs(a - b) > NOTICED * Math.max(Math.abs(a), Math.abs(b));
  const changed = FIGURES.filter((_, i) => isNoticed(before[i] ?? null, now[i] ?? null));
  if (changed.length === 0) return undefined;
  const value = (row: Row, figure: Figure): number | null => row[FIGURES.indexOf(figure)] ?? null;
  const decisive = DECISIVE.find((figure) => changed.includes(figure));
  const [from, to] = decisive ? [value(before, decisive), value(now, decisive)] : [null, null];
  const kind =
    from === null || to === null ? 'different' : (to - from) * DIRECTION[decisive!]! > 0 ? 'better' : 'worse';
  const text = changed.map((figure) => `${figure} ${value(before, figure) ?? '-'} > ${value(now, figure) ?? '-'}`);
  return { kind, text: text.join(', ') };
}

/** What is different between two tables of a target, the classes with the largest shares first. */
function compareTarget(before: TargetTable, now: TargetTable): Change[] {
  const changes: Change[] = [];
  const names = [...new Set([...Object.keys(now.classes), ...Object.keys(before.classes)])];
  const share = (name: string): number => (now.classes[name] ?? before.classes[name]).share;
  for (const name of names.sort((a, b) => share(b) - share(a))) {
    const [old, own] = [before.classes[name], now.classes[name]];
    if (!old || !own) {
      changes.push({ kind: 'different', text: `${name}: ${own ? 'new class' : 'no such class any more'}` });
      continue;
    }
    if (old.default !== own.default) {
      const change = compareRows(old.rows[old.default], own.rows[own.default]);
      const text = `${name}: default ${old.default} > ${own.default}${change ? `: ${change.text}` : ''}`;
      changes.push({ kind: change?.kind ?? 'different', text });
    }
    for (const implementation of new Set([...Object.keys(own.rows), ...Object.keys(old.rows)])) {
      const [was, is] = [old.rows[implementation], own.rows[implementation]];
      const mark = implementation === own.default ? '* ' : '';
      const what = `${name}: ${mark}${implementation || '(one way)'}`;
      if (!was || !is) changes.push({ kind: 'different', text: `${what}: ${is ? 'new' : 'gone'}` });
      else {
        const change = compareRows(was, is);
        if (change) changes.push({ ...change, text: `${what}: ${change.text}` });
      }
    }
  }
  return changes;
}

/** What `compareTables` found. */
export interface Comparison {
  lines: string[];
  /** Whether anything got worse that the compiler's version does not explain. */
  isWorse: boolean;
}

/** Compares reports with the committed tables. Targets that were not compiled now are left out. */
export function compareTables(before: Tables, reports: readonly Report[]): Comparison {
  const lines: string[] = [];
  let isWorse = false;
  for (const report of reports) {
    const name = targetName(report);
    const old = before[name];
    if (!old) {
      lines.push(`${name}: not in the table: add it with --update`);
      continue;
    }
    const changes = compareTarget(old, tableOf(report));
    if (changes.length === 0) {
      lines.push(`${name}: as in the table`);
      continue;
    }
    const isOther = old.compiler !== report.compiler;
    const count = (kind: Change['kind']): number => changes.filter((change) => change.kind === kind).length;
    lines.push(
      `${name}: ${count('better')} better, ${count('worse')} worse, ${count('different')} otherwise different` +
        (isOther ? `; the compiler was ${old.compiler}, it is ${report.compiler} now` : ''),
    );
    lines.push(...changes.map(({ kind, text }) => `  ${kind.padEnd(9)}  ${text}`));
    if (count('worse') > 0 && !isOther) isWorse = true;
  }
  return { lines, isWorse };
}
