/** Tables of what was measured of one device: kernels, layers, whole merges, peaks. */
import type { KernelRow } from './kernels.ts';
import type { LayerRow } from './layers.ts';
import type { MergeRow } from './merges.ts';
import type { Peaks } from './peaks.ts';
import { cell, digits, mebibytes, ofPeak, percent, timeText } from './text.ts';
import type { Table } from './text.ts';

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
