/**
 * `npm run bench:readme`: writes README.md's section about speed, between its two marks, and docs/roofline.svg from the runs in bench/results, or from
 * the JSON files named. A test checks that both are what the committed files give.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { UsageError } from '../src/errors.ts';
import { reportMarkdown, table } from './report.ts';
import type { Report } from './report.ts';
import { rooflineSvg } from './roofline.ts';

export const README = new URL('../README.md', import.meta.url);
export const PICTURE = new URL('../docs/roofline.svg', import.meta.url);
const RESULTS = new URL('results/', import.meta.url);

const BEGIN = '<!-- speed: made by `npm run bench:readme` from bench/results, not by hand -->';
const END = '<!-- end of speed -->';

/** The committed runs, by their files' names. */
export function committedReports(): Report[] {
  return readdirSync(RESULTS)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, RESULTS), 'utf8')) as Report);
}

/** What is to be said of real GPUs where none was measured. */
const NO_GPU = table(
  ['on a real GPU', '1000x1500', '6000x4000 (24 MP)'],
  [
    ['deghost', 'not measured', 'not measured'],
    ['onnxruntime-web, tfjs', 'not measured', 'not measured'],
    ['PyTorch (eager, channels-last, TF32, bf16, compiled)', 'not measured', 'not measured'],
  ],
);

/** The section's text, marks excluded. */
export function speedSection(reports: readonly Report[]): string {
  const real = reports.filter(({ adapter }) => !adapter.software);
  const parts = [
    real.length
      ? ''
      : `**No real GPU has been measured: none was to be had.** What follows is of software adapters, which run shaders on the CPU; \`npm run bench:gpu\` makes the missing figures.\n\n${NO_GPU}`,
    ...[...real, ...reports.filter(({ adapter }) => adapter.software)].map(reportMarkdown),
    `![Roofline: GFLOP/s of each kernel and engine over its operations for each byte, under the adapter's measured roofs](docs/roofline.svg)`,
    [
      '```sh',
      'npm run bench                                # this machine\'s adapter; --sizes, --peers, --json, --markdown, --roofline',
      'npm ci --prefix bench/peers                  # before: what deghost is compared with (500 MB, and Python with PyTorch to export ONNX); without it deghost runs alone',
      'npm run bench:gpu                            # a real GPU: 1500x1000 and 6000x4000, PyTorch beside it where CUDA is',
      'npm run bench:readme                         # this section and its picture, from bench/results/*.json',
      '```',
    ].join('\n'),
  ];
  return parts.filter(Boolean).join('\n\n');
}

/** A README with the section between its marks replaced. @throws UsageError without marks */
export function withSection(readme: string, section: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new UsageError(`README.md has no "${BEGIN}" before "${END}": put both lines back`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${section}\n\n${readme.slice(end)}`;
}

/** The run that the picture shows: a real GPU's before a software adapter's. */
export function pictured(reports: readonly Report[]): Report {
  return reports.find(({ adapter }) => !adapter.software) ?? reports[0];
}

function main(): void {
  const files = process.argv.slice(2);
  const reports = files.length ? files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report) : committedReports();
  if (!reports.length) throw new UsageError('bench/results has no .json: make one with npm run bench -- --json bench/results/NAME.json');
  writeFileSync(README, withSection(readFileSync(README, 'utf8'), speedSection(reports)));
  writeFileSync(PICTURE, rooflineSvg(pictured(reports)));
  console.log(`README.md and docs/roofline.svg: ${reports.map(({ adapter, date }) => `${adapter.name}, ${date}`).join('; ')}`);
}

if (process.argv[1] && basename(process.argv[1]) === 'readme.ts') {
  try {
    main();
  } catch (error) {
    console.error(`bench:readme: ${(error as Error).message}`);
    process.exit(1);
  }
}
