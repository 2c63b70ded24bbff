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
import { kernelTable, layerTable, mergeTable, peaksText } from './deviceTables.ts';
import { cell, digits, mebibytes, ofPeak, percent, table, timeText } from './text.ts';
import type { Table } from './text.ts';

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
