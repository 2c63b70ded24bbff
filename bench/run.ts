/**
 * `npm run bench`: deghost and others side by side on this machine's adapter. Validates first, measures the adapter's own peaks, times every kernel, then lets the engines
 * take turns on one convolution and on the whole network.
 *
 *     npm run bench -- [--sizes 128x128,256x256] [--peers all|none|ort-web,tfjs,ort-node] [--runs 5] [--limit 400] [--kernels 256|0] [--seconds 2]
 *                      [--weights FILE] [--adapter auto|gpu|software|swiftshader] [--json FILE] [--markdown FILE] [--roofline FILE.svg]
 *
 * `--limit` is the seconds that an engine may take for one size: it gets its first run and one more, and others while they fit. A peer that is not installed is listed
 * as such. Exit codes: 0, 1 for an error, 2 for a wrong command line.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DeghostError } from '../src/errors.ts';
import { adapterChoice } from '../src/node/adapter.ts';
import { PEERS, bench } from './bench.ts';
import { parseFile, parseNumber, parsePeers, parseSizes } from './options.ts';
import { reportMarkdown } from './report.ts';
import { rooflineSvg } from './roofline.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sizes: { type: 'string', default: '128x128,256x256' },
      peers: { type: 'string', default: 'all' },
      runs: { type: 'string', default: '5' },
      limit: { type: 'string', default: '400' },
      kernels: { type: 'string', default: '256' },
      seconds: { type: 'string', default: '2' },
      weights: { type: 'string' },
      adapter: { type: 'string', default: process.env.DEGHOST_ADAPTER },
      json: { type: 'string' },
      markdown: { type: 'string' },
      roofline: { type: 'string' },
    },
  });
  const report = await bench({
    software: adapterChoice(values.adapter),
    sizes: parseSizes(values.sizes),
    peers: parsePeers(values.peers, PEERS),
    weights: parseFile('weights', values.weights),
    kernelSize: parseNumber('kernels', values.kernels, 0),
    seconds: parseNumber('seconds', values.seconds, 0),
    any: !values.weights,
    rules: { runs: parseNumber('runs', values.runs, 1), limit: parseNumber('limit', values.limit, 1) },
  });
  if (values.json) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
  if (values.markdown) writeFileSync(values.markdown, `${reportMarkdown(report)}\n`);
  if (values.roofline) writeFileSync(values.roofline, rooflineSvg(report));
}

try {
  await main();
  // The peers leave workers and timers behind.
  process.exit(0);
} catch (error) {
  const known = error instanceof DeghostError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  console.error(known ? `bench: ${(error as Error).message}` : error);
  process.exit(error instanceof DeghostError && error.code !== 'usage' ? 1 : known ? 2 : 1);
}
