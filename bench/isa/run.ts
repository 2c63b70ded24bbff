/**
 * `npm run isa`: what GPUs' compilers say about every kernel implementation of a network, without the GPUs.
 *
 *     npm run isa -- all|VENDOR... [--chip CHIP] [--precision f32|f16] [--weights FILE] [--least 0.01] [--class TEXT]
 *                    [--unchecked] [--quiet] [--diff] [--update] [--check] [--json FILE] [--lab FOLDER]
 *
 * A vendor stands for its first chip in f32; `all` for every chip of every vendor, in f32 and f16. For each a table of
 * registers, spills, threads, and instructions for each multiply-add, one implementation per line, then what they say
 * together. `--least` leaves out classes with less of the multiply-adds than that, `--quiet` all tables.
 * `--class` compiles only classes whose name holds that text. `--unchecked` compiles without Dawn's checks of accesses
 * and divisions, as for `requestDevice({ robustness: false })`.
 *
 * `--diff` compares with the committed tables (tables/) and fails if anything got worse, `--update` renews them.
 * `--check` fails if a default or a candidate spills, among others (check.ts). It needs root on x86-64 Debian or
 * Ubuntu. The first run installs a Debian with Mesa's drivers in `--lab` (setup.sh). README.md says what the figures
 * are worth.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeghostError, UsageError } from '../../src/errors.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { shippedWeightsPath } from '../../src/node/index.ts';
import { parseFile, parseNumber } from '../options.ts';
import { check } from './check.ts';
import { compileFor, setUp } from './lab.ts';
import { precisionText, summaryText } from './summary.ts';
import { compareTables, tableOf, tablesText } from './tables.ts';
import type { Tables } from './tables.ts';
import { FRAMES, VENDORS, allTargets, tableText, targetName } from './vendors.ts';
import type { Report, Target } from './vendors.ts';

const TABLES = fileURLToPath(new URL('tables', import.meta.url));

/** The targets that the command line names. @throws UsageError */
function targetsOf(names: readonly string[], chip: string | undefined, precision: string | undefined): Target[] {
  if (precision !== undefined && precision !== 'f32' && precision !== 'f16')
    throw new UsageError(`--precision is "${precision}", it must be f32 or f16`);
  const unknown = names.find((name) => name !== 'all' && !Object.hasOwn(VENDORS, name));
  if (unknown !== undefined || names.length === 0) {
    const list = Object.entries(VENDORS).map(([name, { chips }]) => `${name} (${chips.map(([id]) => id).join(', ')})`);
    throw new UsageError(`"${unknown ?? ''}" is not a vendor: name some of ${list.join(', ')}, or all`);
  }
  if (chip !== undefined && (names.length > 1 || !VENDORS[names[0]]?.variable))
    throw new UsageError('--chip: name the one vendor whose chip this is, and not apple: there is one');
  if (names.includes('all')) return allTargets().filter((target) => !precision || target.precision === precision);
  return names.map((vendor) => ({
    vendor,
    chip: chip ?? VENDORS[vendor].chips[0][0],
    precision: (precision as DType | undefined) ?? 'f32',
  }));
}

/** Compiles for all targets, as many at once as there are cores. */
async function compileAll(targets: readonly Target[], lab: string, classes: string): Promise<Report[]> {
  const reports: Report[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < targets.length; i = next++) {
      const begun = performance.now();
      reports[i] = await compileFor(targets[i], lab, classes);
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.error(`${targetName(targets[i])}: ${reports[i].rows.length} implementations in ${seconds} s`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(targets.length, availableParallelism()) }, work));
  return reports;
}

function fileOf(vendor: string): string {
  return join(TABLES, `${vendor}.json`);
}

function readTables(vendor: string): Tables {
  return existsSync(fileOf(vendor)) ? (JSON.parse(readFileSync(fileOf(vendor), 'utf8')) as Tables) : {};
}

/**
 * Writes what was found into the committed tables; targets that were not compiled stay.
 * @param isPart whether other classes stay, too.
 */
function updateTables(reports: readonly Report[], isPart: boolean): void {
  mkdirSync(TABLES, { recursive: true });
  for (const vendor of new Set(reports.map((report) => report.vendor))) {
    const own = reports.filter((report) => report.vendor === vendor);
    const before = readTables(vendor);
    const found = Object.fromEntries(
      own.map((report) => {
        const [name, table] = [targetName(report), tableOf(report)];
        return [name, isPart ? { ...table, classes: { ...before[name]?.classes, ...table.classes } } : table];
      }),
    );
    writeFileSync(fileOf(vendor), tablesText({ ...before, ...found }));
  }
}

/** Prints what is different from the committed tables. @returns whether something got worse. */
function printDifferences(reports: readonly Report[]): boolean {
  const vendors = [...new Set(reports.map(({ vendor }) => vendor))];
  const before = Object.assign({}, ...vendors.map(readTables)) as Tables;
  const { lines, isWorse } = compareTables(before, reports);
  console.log(`\nAgainst bench/isa/tables:\n${lines.join('\n')}`);
  if (isWorse) console.log('Some got worse: if that is wanted, renew the tables with --update and say why.');
  return isWorse;
}

/** Prints what `check` finds. @returns whether something is wrong. */
function printFindings(reports: readonly Report[]): boolean {
  const all = reports.map(check);
  const faults = all.flatMap((found) => found.faults);
  const notes = all.flatMap((found) => found.notes);
  console.log(['', ...notes, ...faults, faults.length ? `${faults.length} faults` : 'no faults'].join('\n'));
  return faults.length > 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      precision: { type: 'string' },
      chip: { type: 'string' },
      weights: { type: 'string' },
      least: { type: 'string', default: '0' },
      class: { type: 'string', default: '' },
      unchecked: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
      diff: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'string' },
      lab: { type: 'string', default: join(homedir(), '.cache/deghost-isa') },
    },
  });
  const { unchecked } = values;
  const targets = targetsOf(positionals, values.chip, values.precision).map((target) => ({ ...target, unchecked }));
  const least = parseNumber('least', values.least, 0);
  if (values.class && (values.diff || values.check))
    throw new UsageError(`--class ${values.class}: --diff and --check take all classes`);
  if (unchecked && (values.diff || values.check || values.update))
    throw new UsageError('--unchecked: --diff, --check and --update are for kernels with checks');
  const lab = resolve(values.lab);
  setUp(lab, parseFile('weights', values.weights) ?? shippedWeightsPath(FRAMES));
  const reports = await compileAll(targets, lab, values.class);
  for (const report of reports) {
    if (!values.quiet) console.log(`${targetName(report)}\n${tableText(VENDORS[report.vendor], report.rows, least)}\n`);
    console.log(`${summaryText(report)}\n`);
  }
  console.log(precisionText(reports).join('\n'));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(reports, null, 1)}\n`);
  const isWorse = values.diff && printDifferences(reports);
  if (values.update) updateTables(reports, values.class !== '');
  const isFaulty = values.check && printFindings(reports);
  if (isWorse || isFaulty) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') || error instanceof UsageError;
  console.error(isUsage || error instanceof DeghostError ? `isa: ${(error as Error).message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
