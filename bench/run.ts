/**
 * `npm run bench`: deghost and others side by side on this machine's adapter. Validates first, measures the adapter's
 * own peaks, times every kernel, then lets the engines take turns on one convolution and on the whole network.
 *
 *     npm run bench -- [--sizes 128x128,256x256] [--peers all|none|ort-web,tfjs,ort-node] [--runs 5] [--limit 400]
 *                      [--kernels 256|0] [--weights FILE] [--adapter auto|gpu|software|swiftshader]
 *                      [--json FILE] [--markdown FILE] [--roofline FILE.svg]
 *
 * `--limit` is the seconds that an engine may take for one size: it gets its first run and one more, and others while
 * they fit. A peer that is not installed is listed as such. Exit codes: 0, 1 for an error, 2 for a wrong command line.
 */
import { parseArgs } from 'node:util';
import { adapterChoice } from '../src/node/adapter.ts';
import { PEERS, bench } from './bench.ts';
import { contestOptions, parseRules, run, writeReport } from './commandLine.ts';
import { parseFile, parseNumber, parsePeers, parseSizes } from './options.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...contestOptions({ sizes: '128x128,256x256', runs: '5', limit: '400', kernels: '256' }),
      adapter: { type: 'string', default: process.env.DEGHOST_ADAPTER },
    },
  });
  const report = await bench({
    software: adapterChoice(values.adapter),
    sizes: parseSizes(values.sizes),
    peers: parsePeers(values.peers, PEERS),
    weights: parseFile('weights', values.weights),
    extent: { kernelSize: parseNumber('kernels', values.kernels, 0) },
    any: !values.weights,
    rules: parseRules(values),
  });
  writeReport(report, values);
}

await run('bench', main);
