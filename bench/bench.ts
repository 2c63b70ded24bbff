/**
 * One run of the bench, from an adapter to a report: validate, measure the adapter's peaks, time the kernels, let the
 * engines take turns on one convolution and on the whole network. `run.ts` and `gpu.ts` are its command lines.
 */
import { readFileSync } from 'node:fs';
import { cpus, freemem } from 'node:os';
import { Gpu } from '../src/device.ts';
import { requestAdapter } from '../src/node/adapter.ts';
import type { SoftwareChoice } from '../src/node/adapter.ts';
import { readShippedWeights } from '../src/node/index.ts';
import { openWithMatrices } from '../src/node/matrices.ts';
import { loadWeights } from '../src/model/loadWeights.ts';
import { contest, enter } from './contest.ts';
import type { ContestRules, Entrant, Row } from './contest.ts';
import { deghostContestant } from './deghostEngine.ts';
import { LAYER, OWN, randomInput, sizeText } from './engine.ts';
import type { Contestant, EngineContext, Work } from './engine.ts';
import { watchGpuMemory } from './gpuMemory.ts';
import { benchKernels } from './kernels.ts';
import { best, measurePeaks } from './peaks.ts';
import { onnxNode, onnxWeb } from './peers/onnx.ts';
import { tfjs } from './peers/tfjs.ts';
import { comparison, digits, mebibytes, percent, timeText, verdict } from './report.ts';
import type { ContestReport, Report } from './report.ts';
import { mergeCost } from './traffic.ts';
import { targetOf, tuningOf } from './tuning.ts';
import { validate } from './validate.ts';

export const PEERS: readonly Contestant[] = [onnxWeb, tfjs, onnxNode];

/**
 * Largest difference of a right result. Summing f32 in another order changes a result by far less, an 8-bit step is far
 * more.
 */
const TOLERANCE = { network: 1e-3, layer: 1e-4 };

/** What deghost must get right before anything is timed. */
const GOLDENS = ['fixed-wide', 'any-5'];

export interface BenchOptions {
  software: SoftwareChoice;
  sizes: readonly { width: number; height: number }[];
  peers: readonly Contestant[];
  /** A weights file in place of the shipped `fixed`. */
  weights?: string;
  /** Square size of the kernels' table; none without it. */
  kernelSize?: number;
  /** Seconds a kernel is timed. */
  seconds: number;
  /** `any` with five frames too, deghost alone. */
  any: boolean;
  rules: Omit<ContestRules, 'tolerance' | 'memory'>;
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const say = (text: string): void => console.log(text);

function print(work: string, rows: readonly Row[], peakGflops: number): void {
  const own = rows.find(({ id }) => id === OWN);
  say(`\n${work}`);
  for (const row of rows) {
    const figures =
      row.ms === undefined
        ? []
        : [
            timeText(row.ms),
            `±${percent(row.spread!)} of ${row.runs}`,
            `first ${timeText(row.firstMs!)}`,
            row.peakBytes ? mebibytes(row.peakBytes) : '',
            `${digits(row.gflops!)} GFLOP/s`,
            `${percent(row.gflops! / peakGflops)} of peak`,
          ];
    const judged = [comparison(own, row), verdict(row)].map((text) => text.replaceAll('**', ''));
    say(`  ${row.engine.padEnd(24)} ${[...figures, ...judged].filter(Boolean).join(', ')}`);
  }
}

/** Runs the whole bench. @throws NoAdapterError, and TooFarError if deghost's results differ from PyTorch's. */
export async function bench(options: BenchOptions): Promise<Report> {
  const { software, sizes, rules } = options;
  const { adapter, info } = await requestAdapter({ software });
  watchGpuMemory();
  const device = await openWithMatrices(adapter);
  const gpu = new Gpu(device);
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: { model: cpus()[0].model.trim(), cores: cpus().length },
    adapter: info,
    weights: options.weights ? options.weights.split(/[\\/]/).at(-1)! : 'weights/fixed.safetensors',
    validated: [],
    peaks: { gflops: 0, gbytes: 0 },
    kernels: [],
    contests: [],
  };
  say(`${info.name}, ${report.cpu.cores} x ${report.cpu.model}, node ${report.node}, ${report.date}`);
  const tuning = await tuningOf(device);
  if (tuning) report.tuned = tuning.date.slice(0, 10);
  say(
    tuning
      ? `with what \`deghost tune\` found on ${report.tuned}`
      : 'not tuned: run `deghost tune` first for what it can do at best',
  );
  for (const name of GOLDENS) {
    const error = await validate(device, name);
    report.validated.push({ name, error });
    say(`validated ${name} against PyTorch: largest error ${error.toExponential(1)}`);
  }
  const peaks = (report.peaks = await measurePeaks(gpu));
  // Other work on the machine hides a part of the peak, so it is measured again after each contest, and the best
  // counts.
  const remeasure = async (): Promise<void> => void Object.assign(peaks, best(peaks, await measurePeaks(gpu)));
  say(`peaks: ${digits(peaks.gflops)} GFLOP/s of multiply-adds, ${digits(peaks.gbytes)} GB/s copied\n`);
  if (options.kernelSize) {
    report.kernels = await benchKernels(gpu, targetOf(gpu, tuning), options.kernelSize, options.seconds, (row) => {
      const rate = row.gflops ? `${digits(row.gflops)} GFLOP/s, ${percent(row.gflops / peaks.gflops)} of peak, ` : '';
      say(
        `${row.name.padEnd(28)} ${row.size} ${timeText(row.ms).padStart(8)} ±${percent(row.spread)}, ` +
          `${rate}${digits(row.gbytes)} GB/s, error ${row.error.toExponential(1)}`,
      );
    });
  }

  const weights = options.weights ? readFileSync(options.weights) : await readShippedWeights(3);
  const context: EngineContext = { software, weights, taus: [1, 4, 16], reference: 1 };
  const { config } = await loadWeights(weights);
  say('');
  const entrants = await enter([deghostContestant(version), ...options.peers], context, say);
  const compete = async (
    who: readonly Entrant[],
    name: string,
    work: Work,
    cost: { operations: number; bytes: number },
    frames: number,
  ): Promise<void> => {
    const rows: Row[] = [];
    await contest(
      who,
      work,
      randomInput(work, frames),
      cost.operations,
      onnxNode.id,
      { ...rules, tolerance: TOLERANCE[work.kind], memory: freemem(), pauses: info.software },
      (row) => rows.push(row),
    );
    await remeasure();
    const size = sizeText(work);
    print(`${name}, ${size}`, rows, peaks.gflops);
    const entry: ContestReport = { work: name, kind: work.kind, size, ...cost, rows };
    report.contests.push(entry);
  };
  if (options.kernelSize) {
    const [width, height] = [options.kernelSize, options.kernelSize];
    const channels = config.width;
    const cost = { operations: 2 * 9 * channels * channels * width * height, bytes: 2 * 4 * channels * width * height };
    await compete(
      entrants,
      `3x3 convolution, ${channels} to ${channels} channels`,
      { kind: 'layer', layer: LAYER, channels, width, height },
      cost,
      1,
    );
    // The layer's time says nothing about the network's.
    for (const entrant of entrants) entrant.msPerPixel = undefined;
  }
  for (const { width, height } of sizes) {
    const cost = mergeCost(config, width, height, context.taus, context.reference, gpu.maxBinding, gpu.capabilities);
    await compete(entrants, '`fixed`, 3 frames', { kind: 'network', width, height }, cost, 3);
  }
  for (const { engine } of entrants) await engine?.dispose();
  if (options.any) {
    const five: EngineContext = {
      ...context,
      weights: await readShippedWeights(5),
      taus: [1, 4, 16, 64, 256],
      reference: 2,
    };
    const alone = await enter([deghostContestant(version)], five, () => undefined);
    const { width, height } = sizes.at(-1)!;
    const cost = mergeCost(
      (await loadWeights(five.weights)).config,
      width,
      height,
      five.taus,
      five.reference,
      gpu.maxBinding,
      gpu.capabilities,
    );
    await compete(alone, '`any`, 5 frames', { kind: 'network', width, height }, cost, 5);
    await alone[0].engine?.dispose();
  }
  say(
    `\npeaks, best of the run: ${digits(peaks.gflops)} GFLOP/s of multiply-adds, ${digits(peaks.gbytes)} GB/s copied`,
  );
  device.destroy();
  return report;
}
