/** What must hold: nothing that runs on a GPU spills there, and each GPU keeps enough candidates. */
import { REASONS } from './reasons.ts';
import { isMatrix, isWinograd } from './summary.ts';
import { VENDORS, spills, targetName } from './vendors.ts';
import type { Compiled, Report } from './vendors.ts';

/** A tuner needs this many candidates without spills for each 3x3 class, in f32. */
const LEAST_CANDIDATES = 4;
/** Vendors whose GPUs must have a Winograd candidate without spills for some 3x3 class. */
const WITH_WINOGRAD = ['nvidia', 'amd'];

/** What is wrong, and what only needs to be known. */
export interface Findings {
  faults: string[];
  notes: string[];
}

function spilling({ vendor, rows }: Report): string[] {
  return rows
    .filter((row) => spills(VENDORS[vendor], row) > 0)
    .map((row) => {
      const what = row.isDefault ? 'the default' : 'a candidate';
      return `${row.class}: ${what}, ${row.implementation}, spills ${spills(VENDORS[vendor], row)} registers`;
    });
}

/** Defaults with low occupancy: a fault without a reason, a note with it. */
function crowded({ vendor, rows }: Report): Findings {
  const { leastOccupancy = 0, occupancy } = VENDORS[vendor];
  const found = rows.filter((row) => row.isDefault && row.share > 0 && row.statistics[occupancy] < leastOccupancy);
  const [faults, notes]: [string[], string[]] = [[], []];
  for (const row of found) {
    const key = `${row.class}: ${row.implementation}`;
    const reason = REASONS[vendor]?.[key];
    const text = `${key}, the default, has ${occupancy} ${row.statistics[occupancy]}, under ${leastOccupancy}`;
    if (reason) notes.push(`${text}: ${reason}`);
    else faults.push(`${text}, and reasons.ts says not why`);
  }
  return { faults, notes };
}

/** 3x3 classes with too few candidates. */
function scarce({ vendor, precision, rows }: Report): string[] {
  if (precision !== 'f32') return [];
  const fine = rows.filter((row) => !row.error && !isMatrix(row) && spills(VENDORS[vendor], row) === 0);
  const classes = [...new Set(rows.map((row) => row.class))].filter((name) => /^conv2d 3x3\b/.test(name));
  const ofClass = (name: string): Compiled[] => fine.filter((row) => row.class === name);
  const few = classes
    .filter((name) => ofClass(name).length < LEAST_CANDIDATES)
    .map((name) => `${name}: ${ofClass(name).length} candidates do not spill, at least ${LEAST_CANDIDATES} must`);
  const hasWinograd = classes.some((name) => ofClass(name).some(isWinograd));
  if (WITH_WINOGRAD.includes(vendor) && !hasWinograd) few.push('no Winograd candidate without spills');
  return few;
}

/** Checks a target's rows. */
export function check(report: Report): Findings {
  const { faults, notes } = crowded(report);
  const broken = report.rows
    .filter(({ error }) => error)
    .map((row) => `${row.class}: ${row.implementation}: ${row.error}`);
  const uncounted = report.rows
    .filter((row) => row.uncounted)
    .map((row) => `${row.class}: ${row.implementation} is not counted: ${row.uncounted}`);
  const own = [...broken, ...spilling(report), ...faults, ...scarce(report), ...uncounted];
  const named = (lines: readonly string[]): string[] => lines.map((line) => `${targetName(report)}: ${line}`);
  return { faults: named(own), notes: named(notes) };
}
