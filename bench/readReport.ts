/**
 * Reads a report that someone sent: whether it is one, and has what the tables are made of. Nobody should find out from
 * a table that says `undefined`.
 */
import { UsageError } from '../src/errors.ts';
import type { Report } from './report.ts';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const truth: Check = (value) => typeof value === 'boolean';
/** JSON has no infinity: what is not finite was written as null. */
const figure: Check = (value) => value === null || (typeof value === 'number' && Number.isFinite(value));
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const rates: Check = (value) =>
  isObject(value) && Object.values(value).every((rate) => figure(rate) || typeof rate === 'string');

const ROW: Fields = { engine: text, size: text, status: text, ms: maybe(figure), gflops: maybe(figure) };

/** What a list's entries have. Fields that no table shows are not listed. */
const LISTS: Readonly<Record<string, { optional?: boolean; fields: Fields }>> = {
  validated: { fields: { name: text, error: maybe(figure), wrong: maybe(text) } },
  kernels: { fields: { name: text, size: text, ms: figure, spread: figure, gflops: figure, gbytes: figure } },
  contests: { fields: { work: text, size: text, operations: figure, bytes: figure } },
  layers: {
    optional: true,
    fields: { precision: text, name: text, share: figure, tile: text, fallback: text, gflops: rates },
  },
  merges: {
    optional: true,
    fields: {
      precision: text,
      width: figure,
      height: figure,
      memoryBudget: figure,
      variants: text,
      ms: maybe(figure),
      gpuMs: maybe(figure),
      error: maybe(text),
    },
  },
};

const HEAD: Readonly<Record<string, Fields>> = {
  cpu: { cores: figure, model: maybe(text) },
  adapter: { name: text, vendor: text, architecture: text, software: truth },
  peaks: { gflops: figure, gbytes: figure, gflopsF16: maybe(figure) },
};

/** @throws UsageError naming the file and the field that is not as it must be. */
export function readReport(json: string, file: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`${file} is not JSON (${(error as Error).message}): save the bench's figures again`);
  }
  const bad = (path: string): never => {
    throw new UsageError(`${file}: ${path} is missing or wrong: it is not a report of npm run bench or of bench.html`);
  };
  if (!isObject(value)) return bad('the object');
  const checkAll = (entry: unknown, fields: Fields, path: string): void => {
    if (!isObject(entry)) return bad(path);
    for (const [name, check] of Object.entries(fields)) if (!check(entry[name])) bad(`${path}.${name}`);
  };
  checkAll(value, { date: text, runtime: text, weights: text, tuned: maybe(text) }, 'report');
  for (const [name, fields] of Object.entries(HEAD)) checkAll(value[name], fields, name);
  for (const [name, { optional, fields }] of Object.entries(LISTS)) {
    const list = value[name];
    if (list === undefined && optional) continue;
    if (!Array.isArray(list)) return bad(name);
    list.forEach((entry, i) => checkAll(entry, fields, `${name}[${i}]`));
  }
  (value.contests as { rows: unknown }[]).forEach(({ rows }, i) => {
    if (!Array.isArray(rows)) return bad(`contests[${i}].rows`);
    rows.forEach((row, j) => checkAll(row, ROW, `contests[${i}].rows[${j}]`));
  });
  return value as unknown as Report;
}
