/** Figures as a table for people. */
import type { Encoding, Figures } from './figures.ts';

interface Column {
  /** What is measured, over the columns that share it; empty where the one before goes on. */
  group: string;
  title: string;
  value: (figures: Figures) => number;
  digits: number;
}

const SHORT = { linear: 'L', mu: 'mu', reinhard: 'R', krawczyk: 'K', durand: 'D' } as const satisfies Partial<Record<Encoding, string>>;
const SHARED = Object.keys(SHORT) as (keyof typeof SHORT)[];

const COLUMNS: Column[] = [
  ...SHARED.map((name, i) => ({ group: i === 0 ? 'PSNR' : '', title: SHORT[name], value: (figures: Figures) => figures.psnr[name], digits: 2 })),
  { group: '', title: 'PU21', value: ({ psnr }) => psnr.pu21, digits: 2 },
  { group: 'PSNR-mu', title: 'moving', value: ({ moving }) => moving.psnr.mu, digits: 2 },
  { group: '', title: 'still', value: ({ still }) => still.psnr.mu, digits: 2 },
  ...SHARED.map((name, i) => ({ group: i === 0 ? 'SSIM' : '', title: SHORT[name], value: (figures: Figures) => figures.ssim[name], digits: 4 })),
  { group: 'motion', title: 'IoU', value: ({ iou }) => iou, digits: 3 },
  { group: '', title: 'seen', value: ({ iouSeen }) => iouSeen, digits: 3 },
];

function cell(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-';
  return Number.isFinite(value) ? value.toFixed(digits) : 'inf';
}

/** A heading and a line a row, columns aligned. Without an entry a column stays, with `-`: tables of several stacks look alike. */
export function tableText(title: string, rows: readonly { name: string; figures: Figures }[]): string {
  const grid = [
    ['', ...COLUMNS.map(({ group }) => group)],
    [title, ...COLUMNS.map((column) => column.title)],
    ...rows.map(({ name, figures }) => [name, ...COLUMNS.map(({ value, digits }) => cell(value(figures), digits))]),
  ];
  const widths = grid[0].map((_, c) => Math.max(...grid.slice(c === 0 ? 2 : 1).map((line) => line[c].length), c === 0 ? 17 : 5));
  const [first] = widths;
  const line = (cells: readonly string[]): string => [cells[0].padEnd(first), ...cells.slice(1).map((text, c) => text.padStart(widths[c + 1]))].join(' ').trimEnd();
  return [title, line(['', ...grid[0].slice(1)]), line(['', ...grid[1].slice(1)]), ...grid.slice(2).map(line)].join('\n');
}
