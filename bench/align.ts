/**
 * `npm run bench:align`: what aligning a hand-held bracket costs beside its merge, on this machine's adapter.
 *
 *     npm run bench:align -- [FILES...] [--sizes 192x128] [--runs 3] [--method auto|homography|mesh] [--weights FILE]
 *                            [--limit PERCENT] [--adapter auto|gpu|software|swiftshader] [--json FILE]
 *
 * Frames are three exposures of a scene that the bench makes, of each size; or one bracket's picture files. All
 * programs are compiled before anything is timed. `--sizes 1500x1000` takes minutes on a software adapter. With
 * `--limit`, the program fails if alignment costs more than so many percent of the merge. Exit codes: 0, 1 for an error
 * or beyond the limit, 2 for a wrong command line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { UsageError } from '../src/errors.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { readShippedWeights, readStack } from '../src/node/index.ts';
import { openWithMatrices } from '../src/node/matrices.ts';
import { benchAlignment, handHeldFrames } from './alignment.ts';
import type { AlignmentFigures } from './alignment.ts';
import { run } from './commandLine.ts';
import { parseFile, parseNumber, parseSizes } from './options.ts';
import { percent, timeText } from './text.ts';
import { tuningOf } from './tuning.ts';

const METHODS = ['auto', 'homography', 'mesh'] as const;

function parseMethod(text: string): (typeof METHODS)[number] {
  const found = METHODS.find((method) => method === text);
  if (!found) throw new UsageError(`--method: "${text}" is none of ${METHODS.join(', ')}`);
  return found;
}

function text(figures: AlignmentFigures): string {
  const { width, height, frames, merge, estimate, resample, ratio, parts } = figures;
  const line = ({ ms, spread }: AlignmentFigures['merge']): string => `${timeText(ms)} ±${percent(spread)}`;
  return [
    `${frames} frames of ${width}x${height}: alignment costs ${(100 * ratio).toFixed(2)} % of the merge`,
    `  merge ${line(merge)}, finding the alignment ${line(estimate)}, resampling ${line(resample)}`,
    ...(parts
      ? [
          `  ${Object.entries(parts)
            .map(([part, ms]) => `${part} ${timeText(ms)}`)
            .join(', ')}`,
        ]
      : []),
    `  ${figures.alignment.map(({ kind, displacement }) => `${kind} ${displacement.toFixed(1)} px`).join(', ')}`,
  ].join('\n');
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sizes: { type: 'string', default: '192x128' },
      runs: { type: 'string', default: '3' },
      method: { type: 'string', default: 'auto' },
      weights: { type: 'string' },
      limit: { type: 'string' },
      adapter: { type: 'string', default: process.env.DEGHOST_ADAPTER },
      json: { type: 'string' },
    },
  });
  const runs = parseNumber('runs', values.runs, 1);
  const method = parseMethod(values.method);
  const limit = values.limit === undefined ? Infinity : parseNumber('limit', values.limit, 0);
  const sizes = parseSizes(values.sizes);
  const file = parseFile('weights', values.weights);
  const { adapter, info } = await requestAdapter({ software: adapterChoice(values.adapter) });
  const device = await openWithMatrices(adapter);
  const brackets =
    positionals.length > 0
      ? [(await readStack(positionals)).frames]
      : sizes.map(({ width, height }) => handHeldFrames(width, height));
  const results: AlignmentFigures[] = [];
  console.log(info.name);
  for (const frames of brackets) {
    const figures = await benchAlignment({
      device,
      weights: file ? readFileSync(file) : await readShippedWeights(frames.length),
      tuning: await tuningOf(device),
      frames,
      method,
      runs,
      say: (message) => console.error(message),
    });
    console.log(text(figures));
    results.push(figures);
  }
  if (values.json)
    writeFileSync(
      values.json,
      `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), adapter: info, method, results }, null, 2)}\n`,
    );
  const worst = Math.max(...results.map(({ ratio }) => 100 * ratio));
  if (worst <= limit) return;
  console.error(`bench:align: alignment costs ${worst.toFixed(2)} % of the merge, the limit is ${limit} %`);
  process.exit(1);
}

await run('bench:align', main);
