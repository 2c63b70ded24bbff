/**
 * A run of the bench as data (what `--json` writes), and as Markdown. Nothing here measures: the figures of
 * docs/performance.md are made from committed files by these functions.
 */
import type { AdapterInfo } from '../src/node/adapter.ts';
import type { Row } from './contest.ts';
import { OWN } from './engine.ts';
import type { KernelRow } from './kernels.ts';
import type { LayerRow } from './layers.ts';
import type { MergeRow } from './merges.ts';
import type { Peaks } from './peaks.ts';

/** Engines on one piece of work. */
export interface ContestReport {
  /** `fixed, 3 frames`, or a convolution's name. */
  work: string;
  kind: 'network' | 'layer';
  size: string;
  /** Floating-point operations, a multiply-add being two; those of deghost's plan. */
  operations: number;
  /** Bytes of all tensors that deghost's dispatches read and write, each tensor of each dispatch once. */
  bytes: number;
  rows: Row[];
}

/** PyTorch's figures (bench/torch.py), made in a process of its own. */
export interface TorchReport {
  version?: string;
  device?: string;
  /** Why there are none. */
  note?: string;
  rows: Row[];
}

export interface Report {
  date: string;
  /** What ran WebGPU: `Node v24.21.0`, `Chromium 156 on Linux`. */
  runtime: string;
  /** Browsers tell no model. */
  cpu: { model?: string; cores: number };
  adapter: Omit<AdapterInfo, 'source'> & { source: AdapterInfo['source'] | 'browser' };
  weights: string;
  /** What a reader of this run must know beside its figures, a sentence or two each. */
  remarks?: string[];
  /** Day of the `deghost tune` whose choices deghost ran with; absent where it ran with its defaults. */
  tuned?: string;
  /** By what peaks, kernels and layers are timed; absent in older runs, which used the wall clock for kernels. */
  clock?: 'timestamps' | 'wall';
  /** Largest error of each golden, and what is wrong with it. */
  validated: { name: string; error?: number; wrong?: string }[];
  peaks: Peaks;
  kernels: KernelRow[];
  /** The network's layers in every implementation. */
  layers?: LayerRow[];
  /** Classes of layers, in all precisions, that the time limit left out. */
  unreached?: number;
  /** Whole merges: precisions, budgets, GPU time. */
  merges?: MergeRow[];
  contests: ContestReport[];
  torch?: TorchReport;
}

/** Two significant digits, all of them from 100. */
export function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value >= 10 ? value.toFixed(1) : value.toPrecision(2);
}

export function timeText(ms: number): string {
  if (ms >= 100_000) return `${Math.round(ms / 1000)} s`;
  return ms >= 1000 ? `${(ms / 1000).toPrecision(3)} s` : `${ms >= 100 ? Math.round(ms) : ms.toPrecision(2)} ms`;
}

export function percent(share: number): string {
  return `${share >= 0.095 ? Math.round(100 * share) : Number((100 * share).toPrecision(1))} %`;
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;
}

/** Columns of words; those of figures are aligned right. */
const WORDS: readonly string[] = [
  '',
  'engine',
  'kernel',
  'mode',
  'deghost is',
  'result',
  'on a real GPU',
  'merge',
  'variants',
  'layer',
  'default',
  'fastest',
  'variant',
  'refused because',
];

/** A table as Markdown's texts: a page takes the marks out. */
export interface Table {
  header: readonly string[];
  rows: readonly (readonly string[])[];
}

/** Whether a column is of words and not of figures. */
export const isWords = (column: string): boolean => WORDS.includes(column);

/** A Markdown table. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    `|${header.map((name) => (isWords(name) ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

/** Whether a result can be trusted, in words: a wrong one is marked. */
export function verdict({ status, error, judge, note }: Row): string {
  if (judge) return 'the judge';
  if (status === 'right') return `right (${error!.toExponential(0)})`;
  if (status === 'wrong')
    return `**wrong** (off by ${Number.isFinite(error) ? error!.toPrecision(2) : 'infinitely much'})`;
  if (status === 'unchecked') return 'not compared';
  return status === 'failed'
    ? `**failed**: ${cell(note ?? '')}`
    : status === 'not run' && note
      ? `not run: ${cell(note)}`
      : status;
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** How deghost compares, from the other engine's point of view. */
export function comparison(own: Row | undefined, other: Row): string {
  if (!own?.ms || !other.ms || own.id === other.id) return '';
  const faster = (ms: number): string =>
    ms >= own.ms! ? `${digits(ms / own.ms!)} times as fast` : `**${digits(own.ms! / ms)} times slower**`;
  return other.pausedMs === undefined ? faster(other.ms) : `${faster(other.ms)}, ${faster(other.pausedMs)} with pauses`;
}

const ownRow = ({ rows }: ContestReport): Row | undefined => rows.find(({ id }) => id === OWN);

function contestRows(contest: ContestReport, peaks: Peaks): string[][] {
  const own = ownRow(contest);
  return contest.rows.map((row, i) => [
    i ? '' : `${contest.work}, ${contest.size}`,
    [row.engine, row.version].filter(Boolean).join(' '),
    row.ms === undefined ? '' : timeText(row.ms),
    row.ms === undefined ? '' : `±${percent(row.spread!)} (${row.runs})`,
    row.firstMs === undefined ? '' : timeText(row.firstMs),
    // The peaks are the adapter's: no measure of what runs beside it.
    row.gflops === undefined ? '' : ofPeak(row.gflops, onAdapter(row) ? peaks.gflops : undefined),
    // What others read and write is not known.
    row.ms === undefined || row !== own ? '' : ofPeak(contest.bytes / row.ms / 1e6, peaks.gbytes),
    comparison(own, row),
    row.peakBytes ? mebibytes(row.peakBytes) : '',
    verdict(row),
  ]);
}

const ofPeak = (rate: number, peak: number | undefined): string =>
  peak ? `${digits(rate)} (${percent(rate / peak)})` : digits(rate);

/** Whether a row ran on the GPU adapter, and not on the CPU beside it. */
export function onAdapter(row: Row): boolean {
  return !row.adapter?.startsWith('CPU');
}

/** The engines side by side. */
export function contestTable(contests: readonly ContestReport[], peaks: Peaks): string {
  const header = [
    '',
    'engine',
    'time',
    'spread (runs)',
    'first run',
    'GFLOP/s (of peak)',
    'GB/s (of peak)',
    'deghost is',
    'GPU memory',
    'result',
  ];
  return table(
    header,
    contests.flatMap((contest) => contestRows(contest, peaks)),
  );
}

/** deghost's kernels, one by one. */
export function kernelTable(kernels: readonly KernelRow[], peaks: Peaks): Table {
  const header = ['kernel', 'size', 'time', 'spread', 'GFLOP/s (of peak)', 'GB/s (of peak)'];
  const rows = kernels.map(({ name, size, ms, spread, gflops, gbytes, wrong }) => [
    wrong ? `${name} **wrong**` : name,
    size,
    timeText(ms),
    `±${percent(spread)}`,
    gflops ? ofPeak(gflops, peaks.gflops) : '',
    ofPeak(gbytes, peaks.gbytes),
  ]);
  return { header, rows };
}

/** 1e9 floating-point operations a second of a row: of the GPU's time where it is known, else of the wall clock's. */
export function mergeGflops({ multiplyAdds, gpuMs, ms }: MergeRow): number | undefined {
  const time = gpuMs ?? ms;
  return multiplyAdds && time ? (2 * multiplyAdds) / time / 1e6 : undefined;
}

/** What a merge's result is worth, in words. */
export function mergeVerdict({ error, wrong, difference, psnrMu }: MergeRow): string {
  if (error !== undefined) return error.startsWith('left out') ? cell(error) : `**failed**: ${cell(error)}`;
  if (difference === undefined) return 'the judge';
  if (difference === 0) return 'the same';
  const how = psnrMu === undefined ? `off by ${difference.toExponential(0)}` : `${psnrMu.toFixed(1)} dB`;
  return wrong ? `**wrong** (${how})` : `right (${how})`;
}

/** Whole merges, by size, precision and budget. */
export function mergeTable(merges: readonly MergeRow[], peaks: Peaks): Table {
  const header = [
    'merge',
    'budget',
    'variants',
    'GPU',
    'GFLOP/s (of peak)',
    'wall',
    'spread (runs)',
    'memory',
    'result',
  ];
  const rows = merges.map((row) => {
    const { precision, width, height, memoryBudget, variants, gpuMs, ms, spread, runs, peakBytes } = row;
    const gflops = mergeGflops(row);
    return [
      `${precision}, ${width}x${height}`,
      mebibytes(memoryBudget),
      variants,
      gpuMs === undefined ? '' : timeText(gpuMs),
      gflops === undefined ? '' : ofPeak(gflops, peakOf(precision, peaks)),
      ms === undefined ? '' : timeText(ms),
      spread === undefined ? '' : `±${percent(spread)} (${runs})`,
      peakBytes === undefined ? '' : mebibytes(peakBytes),
      mergeVerdict(row),
    ];
  });
  return { header, rows };
}

/** The peak that a precision is measured by. */
const peakOf = (precision: string, { gflops, gflopsF16 }: Peaks): number | undefined =>
  precision === 'f16' ? gflopsF16 : gflops;

/** An implementation of a layer with its rate. */
function rateOf({ precision, gflops }: LayerRow, implementation: string, peaks: Peaks): string {
  const rate = gflops[implementation];
  return typeof rate === 'number' ? `\`${implementation}\` ${ofPeak(rate, peakOf(precision, peaks))}` : '';
}

/** The fastest implementation of a layer, whether or not it is faster than the default by more than noise. */
export function fastest({ gflops, fallback }: LayerRow): string {
  const timed = Object.entries(gflops).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return timed.reduce((a, b) => (b[1] > a[1] ? b : a), [fallback, 0] as [string, number])[0];
}

/** The network's layers: the default, the fastest, and how many were compared. */
export function layerTable(layers: readonly LayerRow[], peaks: Peaks): Table {
  const header = ['layer', 'share', 'default', 'fastest', 'timed', 'refused'];
  const rows = layers.map((row) => {
    const rates = Object.values(row.gflops);
    const timed = rates.filter((rate) => typeof rate === 'number').length;
    return [
      `${row.precision}, ${row.name}`,
      percent(row.share),
      rateOf(row, row.fallback, peaks),
      rateOf(row, fastest(row), peaks),
      String(timed),
      String(rates.length - timed),
    ];
  });
  return { header, rows };
}

/** Every implementation of every layer, or why it has no time. */
export function variantTable(layers: readonly LayerRow[], peaks: Peaks): Table {
  const rows = layers.flatMap((row) =>
    Object.entries(row.gflops).map(([implementation, rate]) => [
      `${row.precision}, ${row.name}`,
      implementation + (implementation === row.fallback ? ' (default)' : ''),
      typeof rate === 'number' ? ofPeak(rate, peakOf(row.precision, peaks)) : '',
      typeof rate === 'number' ? '' : cell(rate),
    ]),
  );
  return { header: ['layer', 'variant', 'GFLOP/s (of peak)', 'refused because'], rows };
}

/** Why some engines were timed with pauses, where any was. */
function pausesNote(contests: readonly ContestReport[]): string[] {
  if (!contests.some(({ rows }) => rows.some(({ pausedMs }) => pausedMs !== undefined))) return [];
  return [
    "While Node waits for WebGPU, Dawn's binding polls in every round of the event loop. That takes one of the " +
      'processors that a software adapter computes on, so deghost pauses for a millisecond in each round. *With ' +
      'pauses* is another engine whose runs were made to pause as well, so that computing alone is compared.',
  ];
}

/** What every reader of the tables must know, engine by engine. */
function notes({ contests, adapter, tuned, remarks, clock, layers, unreached, merges }: Report): string[] {
  const seen = new Map<string, string>();
  if (tuned) seen.set(`deghost ran the variants that \`deghost tune\` had chosen on this adapter (${tuned}).`, '');
  else if (contests.length > 0) seen.set('deghost ran with its defaults for this adapter, not tuned.', '');
  if (clock === 'timestamps') seen.set("Peaks, kernels and layers are timed by the GPU's timestamps.", '');
  if (clock === 'wall') seen.set('Without timestamps here, all times are by the wall clock.', '');
  if (layers?.length)
    seen.set(
      `Layers run alone, on tiles of ${layers[0].tile}; *share* is of the multiply-adds of a merge, and merges ` +
        'marked *tuned* run what was chosen.',
      '',
    );
  if (merges?.length)
    seen.set(
      'Of merges, *GPU* is the sum of the compute passes and *wall* what a program waits; GFLOP/s are of the former ' +
        'where it is known, halos included; the judge is the result that others are compared with.',
      '',
    );
  if (unreached) seen.set(`${unreached} classes of layers were not reached in time.`, '');
  for (const row of contests.flatMap(({ rows }) => rows)) {
    if (row.note && (row.status === 'right' || row.status === 'wrong')) seen.set(`${row.engine}: ${row.note}.`, '');
    if (row.adapter && onAdapter(row) && row.adapter !== adapter.name)
      seen.set(`${row.engine} ran on another adapter, ${row.adapter}.`, '');
  }
  return [...seen.keys(), ...(remarks ?? [])];
}

/** What is faster than deghost, in words. */
function losses({ contests }: Report): string[] {
  const lines: string[] = [];
  for (const contest of contests) {
    const own = ownRow(contest);
    for (const row of contest.rows) {
      if (own?.ms && row.ms && row.ms < own.ms && row.status !== 'wrong')
        lines.push(
          `${row.engine} is ${digits(own.ms / row.ms)} times as fast as deghost at ${contest.work}, ${contest.size}`,
        );
    }
  }
  return lines;
}

function torchTable({ torch }: Report): string {
  if (!torch) return '';
  if (!torch.rows.length) return `PyTorch: ${torch.note ?? 'no figures'}.`;
  const rows = torch.rows.map((row) => [
    row.engine,
    row.size,
    row.ms === undefined ? '' : timeText(row.ms),
    row.gflops === undefined ? '' : digits(row.gflops),
    row.peakBytes ? mebibytes(row.peakBytes) : '',
    verdict(row),
  ]);
  return (
    `PyTorch ${torch.version} on ${torch.device}, in a process of its ` +
    `own:\n\n${table(['mode', 'size', 'time', 'GFLOP/s', 'GPU memory', 'result'], rows)}`
  );
}

/** How to read the tables of every run. */
export const READING = [
  '- Times are medians, from arrays in memory to an array in memory. The engines take turns, one run each.',
  '- *First run* includes compilation. Drivers keep compiled programs from one process to the next.',
  '- Results are compared with those of onnxruntime-node, or of deghost where that is not installed.',
  "- GPU memory is all that an engine's device held.",
  "- Operations are those of the convolutions as written. Winograd's variants do fewer, so they can pass the peak.",
  '- GB/s count each tensor that a dispatch reads or writes once. Caches can make them more than copying reaches.',
].join('\n');

/** One run in Markdown. */
export function reportMarkdown(report: Report): string {
  return `${reportBody(report)}\n\n${READING}`;
}

/** The adapter's peaks in a sentence. */
export function peaksText({ gflops, gbytes, gflopsF16, dispatchUs, roundTripUs }: Peaks): string {
  const f16 = gflopsF16 === undefined ? '' : ` (${digits(gflopsF16)} in f16)`;
  const more = [
    ...(dispatchUs === undefined ? [] : [`a dispatch takes at least ${digits(dispatchUs)} µs`]),
    ...(roundTripUs === undefined ? [] : [`the way to the GPU and back ${digits(roundTripUs)} µs`]),
  ];
  const peaks = `Its measured peaks: ${digits(gflops)} GFLOP/s of multiply-adds${f16}, ${digits(gbytes)} GB/s copied`;
  return `${[peaks, ...more].join('; ')}.`;
}

const markdown = ({ header, rows }: Table): string => table(header, rows);

/** How far goldens are off. */
const validatedText = ({ name, error, wrong }: Report['validated'][number]): string =>
  wrong === undefined ? `\`${name}\` ${error!.toExponential(0)}` : `\`${name}\` **wrong** (${cell(wrong)})`;

/** One run in Markdown, without what holds for every run. */
export function reportBody(report: Report): string {
  const { adapter, cpu, runtime, date, peaks, validated, contests, kernels, layers = [], merges = [] } = report;
  const lost = losses(report);
  return [
    `### ${cell(adapter.name)}`,
    `${adapter.software ? 'A software adapter' : 'A GPU'}, ${cpu.cores} cores${cpu.model ? ` of ${cpu.model}` : ''}, ` +
      `${cell(runtime)}, ${date}. ${peaksText(peaks)} ` +
      `Checked against PyTorch first: ${validated.map(validatedText).join(', ')}.`,
    contests.length ? contestTable(contests, peaks) : '',
    merges.length ? markdown(mergeTable(merges, peaks)) : '',
    [...pausesNote(contests), ...notes(report)].join(' '),
    lost.length ? `Faster than deghost here: ${lost.join('; ')}.` : '',
    torchTable(report),
    layers.length ? markdown(layerTable(layers, peaks)) : '',
    kernels.length ? markdown(kernelTable(kernels, peaks)) : '',
  ]
    .filter(Boolean)
    .join('\n\n');
}
