/**
 * `npm run bench`: times each kernel and the whole network on this machine's adapter. Validates first, measures the adapter's own peaks, and prints
 * GFLOP/s (a multiply-add is two), GB/s and fractions of the peaks.
 *
 *     npm run bench -- [--size 256] [--seconds 2] [--json FILE] [--adapter auto|gpu|software|swiftshader]
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Gpu, openDevice } from '../src/device.ts';
import { bytesText } from '../src/graph/plan.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { readShippedWeights } from '../src/node/index.ts';
import { benchKernels } from './kernels.ts';
import { benchNetwork, validate } from './network.ts';
import { measurePeaks } from './peaks.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'string' },
    adapter: { type: 'string', default: process.env.DEGHOST_ADAPTER },
  },
});
const size = Number(values.size);
const seconds = Number(values.seconds);
if (!Number.isInteger(size) || size < 16 || size % 2) throw new Error(`--size is ${values.size}, it must be an even number from 16`);

const { adapter, info } = await requestAdapter({ software: adapterChoice(values.adapter) });
const device = await openDevice(adapter);
const gpu = new Gpu(device);
const date = new Date().toISOString().slice(0, 10);
console.log(`${info.name}, ${cpus().length} x ${cpus()[0].model.trim()}, node ${process.version}, ${date}`);

for (const name of ['fixed-wide', 'any-5']) {
  console.log(`validated ${name} against PyTorch: largest error ${(await validate(device, name)).toExponential(1)}`);
}

const peaks = await measurePeaks(gpu);
console.log(`peaks: ${peaks.gflops.toFixed(1)} GFLOP/s of multiply-adds, ${peaks.gbytes.toFixed(1)} GB/s copied\n`);

const columns = ['', 'size', 'ms', 'spread', 'GFLOP/s', 'of peak', 'GB/s', 'of peak', 'error'];
const widths = [30, 10, 10, 8, 9, 8, 7, 8, 9];
const line = (cells: readonly string[]): void => console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' ').trimEnd());
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
line(columns);
const kernels = await benchKernels(gpu, size, seconds, (row) =>
  line([
    row.name,
    row.size,
    row.ms.toFixed(2),
    percent(row.spread),
    row.gflops ? row.gflops.toFixed(2) : '',
    row.gflops ? percent(row.gflops / peaks.gflops) : '',
    row.gbytes.toFixed(2),
    percent(row.gbytes / peaks.gbytes),
    row.error.toExponential(1),
  ]),
);

console.log();
const networks = [];
for (const count of [3, 5]) {
  const row = await benchNetwork(device, await readShippedWeights(count), `${count === 3 ? 'fixed' : 'any'}, ${count} frames`, size, size, count, seconds);
  line([row.name, row.size, row.ms.toFixed(0), percent(row.spread), row.gflops.toFixed(2), percent(row.gflops / peaks.gflops)]);
  console.log(`  first run ${(row.firstMs / 1000).toFixed(1)} s, ${bytesText(row.peakBytes)} of GPU buffers at most`);
  networks.push(row);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ adapter: info, date, node: process.version, peaks, kernels, networks }, null, 2)}\n`);
device.destroy();
