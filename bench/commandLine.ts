/** What the programs of the bench share: their options, what they write, how they end. */
import { writeFileSync } from 'node:fs';
import type { ParseArgsConfig } from 'node:util';
import { DeghostError } from '../src/errors.ts';
import { parseNumber } from './options.ts';
import { reportMarkdown } from './report.ts';
import type { Report } from './report.ts';
import { rooflineSvg } from './roofline.ts';

/** Options that all of them have, each with its own defaults. */
export function contestOptions(defaults: { sizes: string; runs: string; limit: string; kernels: string }) {
  return {
    sizes: { type: 'string', default: defaults.sizes },
    peers: { type: 'string', default: 'all' },
    runs: { type: 'string', default: defaults.runs },
    limit: { type: 'string', default: defaults.limit },
    kernels: { type: 'string', default: defaults.kernels },
    weights: { type: 'string' },
    json: { type: 'string' },
    markdown: { type: 'string' },
    roofline: { type: 'string' },
  } as const satisfies ParseArgsConfig['options'];
}

/** How often, and for how long, an engine runs. */
export function parseRules({ runs, limit }: { runs: string; limit: string }): { runs: number; limit: number } {
  return { runs: parseNumber('runs', runs, 1), limit: parseNumber('limit', limit, 1) };
}

/** Writes a report's files. */
export function writeReport(
  report: Report,
  { json, markdown, roofline }: { json?: string; markdown?: string; roofline?: string },
): void {
  if (json) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (markdown) writeFileSync(markdown, `${reportMarkdown(report)}\n`);
  if (roofline) writeFileSync(roofline, rooflineSvg(report));
}

/**
 * Runs a program to its end, and the process with it: peers leave workers and timers behind.
 * @param hint what to add to an error's message.
 */
export async function run(
  name: string,
  main: () => Promise<void>,
  hint: (error: unknown) => string = () => '',
): Promise<never> {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    const known = error instanceof DeghostError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
    console.error(known ? `${name}: ${(error as Error).message}${hint(error)}` : error);
    process.exit(error instanceof DeghostError && error.code !== 'usage' ? 1 : known ? 2 : 1);
  }
}
