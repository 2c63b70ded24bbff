/**
 * `npm run bench:gpu`: the bench on a real GPU: peaks, kernels, the network's layers in every implementation, merges in
 * f32 and f16 within several budgets (all as the page bench.html measures them), then the engines at 1500x1000 and 24
 * megapixels, with PyTorch (bench/torch.py) beside them where it has CUDA. It needs no network.
 *
 *     npm run bench:gpu -- [--device gpu|cpu] [--sizes 1500x1000,6000x4000] [--budgets 512,2048,8192] [--layers 640|0]
 *                          [--peers ...] [--runs 9] [--limit 300] [--kernels 1024|0] [--weights FILE] [--json FILE]
 *                          [--markdown FILE] [--roofline FILE.svg]
 *
 * `--budgets` are MiB. `--device cpu` tries the program itself, on a software adapter and PyTorch's CPU: give it a
 * small size; layers are then a few 1x1 ones, because such adapters compile a 3x3 for up to minutes.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NoAdapterError, UsageError } from '../src/errors.ts';
import { shippedWeightsPath } from '../src/node/index.ts';
import { PEERS, bench } from './bench.ts';
import { contestOptions, parseRules, run, writeReport } from './commandLine.ts';
import { NotInstalled } from './engine.ts';
import { EXTENTS } from './extent.ts';
import { parseFile, parseNumber, parsePeers, parseSizes } from './options.ts';
import { pythonWithTorch } from './peers/onnxModel.ts';
import { timeText } from './text.ts';
import { verdict } from './report.ts';
import type { Report, TorchReport } from './report.ts';

/** PyTorch's figures, or why there are none. */
function torchFigures(
  report: Report,
  weights: string,
  sizes: string,
  device: string,
  runs: string,
  limit: string,
): TorchReport {
  let answer: TorchReport;
  try {
    const script = fileURLToPath(new URL('torch.py', import.meta.url));
    const args = [
      script,
      '--weights',
      weights,
      '--sizes',
      sizes,
      '--device',
      device === 'cpu' ? 'cpu' : 'cuda',
      '--runs',
      runs,
      '--limit',
      limit,
    ];
    answer = JSON.parse(
      execFileSync(pythonWithTorch(), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
    ) as TorchReport;
  } catch (error) {
    answer = {
      rows: [],
      note: error instanceof NotInstalled ? 'not installed' : `failed: ${(error as Error).message.split('\n')[0]}`,
    };
  }
  for (const row of answer.rows) {
    const contest = report.contests.find(({ kind, size }) => kind === 'network' && size === row.size);
    if (contest && row.ms) row.gflops = contest.operations / row.ms / 1e6;
  }
  return answer;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...contestOptions({ sizes: '1500x1000,6000x4000', runs: '9', limit: '300', kernels: '1024' }),
      device: { type: 'string', default: 'gpu' },
      budgets: { type: 'string', default: '512,2048,8192' },
      layers: { type: 'string', default: '640' },
    },
  });
  if (values.device !== 'gpu' && values.device !== 'cpu')
    throw new UsageError(`--device is "${values.device}", it must be gpu or cpu`);
  const weights = parseFile('weights', values.weights);
  const sizes = parseSizes(values.sizes);
  const budgets = values.budgets.split(',').map((mebibytes) => parseNumber('budgets', mebibytes, 16) * 2 ** 20);
  const side = parseNumber('layers', values.layers, 0);
  const { layers, merges } = EXTENTS.large;
  const report = await bench({
    software: values.device === 'gpu' ? 'never' : 'only',
    sizes,
    peers: parsePeers(values.peers, PEERS),
    weights,
    extent: {
      kernelSize: parseNumber('kernels', values.kernels, 0),
      ...(side > 0 && { layers: values.device === 'gpu' ? { ...layers, side } : { ...EXTENTS.trial.layers, side } }),
      merges: { ...merges, sizes, budgets, runs: parseNumber('runs', values.runs, 1) },
    },
    any: !weights,
    rules: parseRules(values),
  });
  report.torch = torchFigures(
    report,
    weights ?? shippedWeightsPath(3),
    values.sizes,
    values.device,
    values.runs,
    values.limit,
  );
  const where = report.torch.note ? `: ${report.torch.note}` : ` on ${report.torch.device}`;
  console.log(`\nPyTorch ${report.torch.version ?? ''}${where}`);
  for (const row of report.torch.rows)
    console.log(
      `  ${row.engine.padEnd(30)} ${row.size.padEnd(10)} ${row.ms === undefined ? '' : timeText(row.ms)} ` +
        `${verdict(row).replaceAll('**', '')}`,
    );
  writeReport(report, values);
}

await run('bench:gpu', main, (error) =>
  error instanceof NoAdapterError
    ? ' (--device cpu --sizes 64x64 --kernels 32 --layers 32 tries this program without one)'
    : '',
);
