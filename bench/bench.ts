/**
 * One run of the bench in Node, from an adapter to a report: what is measured of the device (measure.ts), then the
 * engines take turns on one convolution and on the whole network. `run.ts` and `gpu.ts` are its command lines.
 */
import { readFileSync } from 'node:fs';
import { cpus, freemem } from 'node:os';
import { Gpu } from '../src/device.ts';
import { GpuError } from '../src/errors.ts';
import type { DType } from '../src/kernels/tensor.ts';
import { requestAdapter } from '../src/node/adapter.ts';
import type { SoftwareChoice } from '../src/node/adapter.ts';
import { readShippedWeights } from '../src/node/index.ts';
import { openWithMatrices } from '../src/node/matrices.ts';
import { loadWeights } from '../src/model/loadWeights.ts';
import type { TuneResult } from '../src/tune/index.ts';
import { readGolden } from '../test/reference/goldens.ts';
import { contest, enter } from './contest.ts';
import type { ContestRules, Entrant, Row } from './contest.ts';
import { deghostContestant } from './deghostEngine.ts';
import { fastest, mergeGflops, mergeVerdict, peaksText } from './deviceTables.ts';
import { LAYER, OWN, randomInput, sizeText } from './engine.ts';
import type { Contestant, EngineContext, Work } from './engine.ts';
import type { Extent } from './extent.ts';
import { watchGpuMemory } from './gpuMemory.ts';
import { GOLDENS } from './goldenNames.ts';
import { measure, nothingMeasured } from './measure.ts';
import type { Measured } from './measure.ts';
import { best, measurePeaks } from './peaks.ts';
import { onnxNode, onnxWeb } from './peers/onnx.ts';
import { tfjs } from './peers/tfjs.ts';
import { comparison, verdict } from './report.ts';
import type { ContestReport, Report } from './report.ts';
import { digits, mebibytes, percent, timeText } from './text.ts';
import { mergeCost } from './traffic.ts';
import { tuningOf } from './tuning.ts';

export const PEERS: readonly Contestant[] = [onnxWeb, tfjs, onnxNode];

/**
 * Largest difference of a right result. Summing f32 in another order changes a result by far less, an 8-bit step is far
 * more.
 */
const TOLERANCE = { network: 1e-3, layer: 1e-4 };

export interface BenchOptions {
  software: SoftwareChoice;
  sizes: readonly { width: number; height: number }[];
  peers: readonly Contestant[];
  /** A weights file in place of the shipped `fixed`. */
  weights?: string;
  /** What is measured of the device before the contests. */
  extent: Extent;
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

/** Prints what is new since the last call. */
function printer(found: Measured): () => void {
  const seen = { validated: 0, kernels: 0, layers: 0, merges: 0, peaks: false };
  const fresh = <T>(part: 'validated' | 'kernels' | 'layers' | 'merges', rows: readonly T[] = []): readonly T[] =>
    rows.slice(seen[part], (seen[part] = rows.length));
  return () => {
    const { peaks } = found;
    for (const { name, error, wrong } of fresh('validated', found.validated))
      say(wrong ?? `validated ${name} against PyTorch: largest error ${error!.toExponential(1)}`);
    if (peaks.gflops && !seen.peaks) say(peaksText(peaks));
    seen.peaks ||= peaks.gflops > 0;
    for (const row of fresh('kernels', found.kernels)) {
      const rate = row.gflops ? `${digits(row.gflops)} GFLOP/s, ${percent(row.gflops / peaks.gflops)} of peak, ` : '';
      say(
        `${row.name.padEnd(28)} ${row.size} ${timeText(row.ms).padStart(8)} ±${percent(row.spread)}, ` +
          `${rate}${digits(row.gbytes)} GB/s, error ${row.error.toExponential(1)}${row.wrong ? ' WRONG' : ''}`,
      );
    }
    for (const row of fresh('layers', found.layers)) {
      const best = fastest(row);
      const [own, most] = [row.fallback, best].map((name) => `${name} ${row.gflops[name]} GFLOP/s`);
      say(`${row.precision} ${row.name}: ${own}${best === row.fallback ? '' : `, fastest ${most}`}`);
    }
    for (const row of fresh('merges', found.merges)) {
      const { precision, width, height, memoryBudget, variants, ms, gpuMs } = row;
      const times = ms === undefined ? '' : `${timeText(ms)}${gpuMs === undefined ? '' : `, GPU ${timeText(gpuMs)}`}, `;
      const gflops = mergeGflops(row);
      say(
        `${precision} ${width}x${height}, ${mebibytes(memoryBudget)}, ${variants}: ${times}` +
          `${gflops === undefined ? '' : `${digits(gflops)} GFLOP/s, `}${mergeVerdict(row).replaceAll('**', '')}`,
      );
    }
  };
}

/** @throws GpuError naming what is wrong: a wrong engine is not compared with others. */
function throwIfWrong({ validated, kernels, merges = [] }: Measured): void {
  const wrong = [
    ...validated.flatMap(({ wrong: why }) => why ?? []),
    ...kernels.filter((row) => row.wrong).map(({ name, error }) => `${name} is off by ${error}`),
    ...merges
      .filter((row) => row.wrong)
      .map(({ precision, width, height, difference }) => `${precision} ${width}x${height} is off by ${difference}`),
  ];
  if (wrong.length) throw new GpuError(`wrong results: ${wrong.join('; ')}`);
}

/** Runs the whole bench. @throws NoAdapterError; GpuError if deghost's results are wrong. */
export async function bench(options: BenchOptions): Promise<Report> {
  const { software, sizes, rules, extent } = options;
  const { adapter, info } = await requestAdapter({ software });
  watchGpuMemory();
  const device = await openWithMatrices(adapter);
  const gpu = new Gpu(device);
  const found = nothingMeasured(device);
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    runtime: `Node ${process.version}`,
    cpu: { model: cpus()[0].model.trim(), cores: cpus().length },
    adapter: info,
    weights: options.weights ? options.weights.split(/[\\/]/).at(-1)! : 'weights/fixed.safetensors',
    ...found,
    contests: [],
  };
  say(`${info.name}, ${report.cpu.cores} x ${report.cpu.model}, ${report.runtime}, ${report.date}`);
  const tunings = new Map<DType, TuneResult>();
  for (const precision of ['f32', 'f16'] as const) {
    const tuning = await tuningOf(device, precision);
    if (tuning) tunings.set(precision, tuning);
  }
  report.tuned = tunings.get('f32')?.date.slice(0, 10);
  say(
    report.tuned
      ? `with what \`deghost tune\` found on ${report.tuned}`
      : 'not tuned: run `deghost tune` first for what it can do at best',
  );
  const weights = options.weights ? readFileSync(options.weights) : await readShippedWeights(3);
  await measure(found, {
    device,
    goldens: GOLDENS.map(readGolden),
    weights,
    extent,
    tunings,
    onFound: printer(found),
  });
  throwIfWrong(found);
  Object.assign(report, found);
  const { peaks } = report;
  // Other work on the machine hides a part of the peak, so it is measured again after each contest, and the best
  // counts.
  const remeasure = async (): Promise<void> => void Object.assign(peaks, best(peaks, await measurePeaks(gpu)));

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
  if (extent.kernelSize) {
    const [width, height] = [extent.kernelSize, extent.kernelSize];
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
