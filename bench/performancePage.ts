/**
 * `npm run bench:docs`: writes the figures of docs/performance.md, between its two markers, and docs/roofline.svg, from
 * the runs in bench/results or from the JSON files named. A test checks that both are what the committed files give.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { UsageError } from '../src/errors.ts';
import { readReport } from './readReport.ts';
import { table } from './text.ts';
import { READING, reportBody } from './report.ts';
import type { Report } from './report.ts';
import { rooflineSvg } from './roofline.ts';

export const PAGE = new URL('../docs/performance.md', import.meta.url);
export const PICTURE = new URL('../docs/roofline.svg', import.meta.url);
const RESULTS = new URL('results/', import.meta.url);

const BEGIN = '<!-- figures: made by `npm run bench:docs` from bench/results, not by hand -->';
const END = '<!-- end of figures -->';

/** The committed runs, by their files' names. */
export function committedReports(): Report[] {
  return readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readReport(readFileSync(new URL(file, RESULTS), 'utf8'), file));
}

/** What stands for real GPUs where none was measured. */
const NO_GPU = `**No real GPU has been measured.** The figures below are of software adapters, which run shaders on the
CPU; \`npm run bench:gpu\` makes the missing ones.

${table(
  ['on a real GPU', '1000x1500', '6000x4000 (24 MP)'],
  [
    ['deghost', 'not measured', 'not measured'],
    ['onnxruntime-web, tfjs', 'not measured', 'not measured'],
    ['PyTorch (eager, channels-last, TF32, bf16, compiled)', 'not measured', 'not measured'],
  ],
)}`;

const ROOFLINE_TEXT =
  "Roofline: GFLOP/s of each kernel and engine over its operations for each byte, under the adapter's measured roofs";
const ROOFLINE = `### Roofline\n\n![${ROOFLINE_TEXT}](roofline.svg)`;

/** The figures, without the markers. */
export function figures(reports: readonly Report[]): string {
  const real = reports.filter(({ adapter }) => !adapter.software);
  const parts = [
    real.length ? '' : NO_GPU,
    READING,
    ...[...real, ...reports.filter(({ adapter }) => adapter.software)].map(reportBody),
    ROOFLINE,
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** The page with what is between its markers replaced. @throws UsageError without markers */
export function withFigures(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) {
    throw new UsageError(`docs/performance.md has no "${BEGIN}" before "${END}": put both lines back`);
  }
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`;
}

/** The run that the picture shows: a real GPU's before a software adapter's, one with engines before one without. */
export function pictured(reports: readonly Report[]): Report {
  const real = reports.filter(({ adapter }) => !adapter.software);
  return real.find(({ contests }) => contests.length > 0) ?? real[0] ?? reports[0];
}

function main(): void {
  const files = process.argv.slice(2);
  const named = files.map((file) => readReport(readFileSync(file, 'utf8'), file));
  const reports = files.length ? named : committedReports();
  if (!reports.length) {
    throw new UsageError('bench/results has no .json: make one with npm run bench -- --json bench/results/NAME.json');
  }
  writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), figures(reports)));
  writeFileSync(PICTURE, rooflineSvg(pictured(reports)));
  const runs = reports.map(({ adapter, date }) => `${adapter.name}, ${date}`);
  console.log(`docs/performance.md and docs/roofline.svg: ${runs.join('; ')}`);
}

if (process.argv[1] && basename(process.argv[1]) === 'performancePage.ts') {
  try {
    main();
  } catch (error) {
    console.error(`bench:docs: ${(error as Error).message}`);
    process.exit(1);
  }
}
