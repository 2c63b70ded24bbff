/** Figures as readable tables. */
import { shown } from '../../shown.ts';
import type { Encoding, Figures } from './figures.ts';
import type { Harm, HarmSummary, StillFigures } from './harm.ts';

interface Column<T> {
  /** Heading over the columns that measure the same thing; empty to continue the previous heading. */
  group: string;
  title: string;
  value: (figures: T) => number;
  digits: number;
}

function cell(value: number, digits: number): string {
  if (Number.isNaN(value)) return '-';
  return Number.isFinite(value) ? value.toFixed(digits) : 'inf';
}

/**
 * A heading and one line per row, with aligned columns. A column without entries stays and shows `-`, so that tables of
 * several stacks look alike.
 */
function gridText<T>(
  title: string,
  columns: readonly Column<T>[],
  rows: readonly { name: string; figures: T }[],
): string {
  const grid = [
    ['', ...columns.map(({ group }) => group)],
    [shown(title), ...columns.map((column) => column.title)],
    ...rows.map(({ name, figures }) => [
      shown(name),
      ...columns.map(({ value, digits }) => cell(value(figures), digits)),
    ]),
  ];
  const widths = grid[0].map((_, c) =>
    Math.max(...grid.slice(c === 0 ? 2 : 1).map((line) => line[c].length), c === 0 ? 17 : 5),
  );
  const [first] = widths;
  const line = (cells: readonly string[]): string =>
    [cells[0].padEnd(first), ...cells.slice(1).map((text, c) => text.padStart(widths[c + 1]))].join(' ').trimEnd();
  return [
    grid[1][0],
    line(['', ...grid[0].slice(1)]),
    line(['', ...grid[1].slice(1)]),
    ...grid.slice(2).map(line),
  ].join('\n');
}

const SHORT = { linear: 'L', mu: 'mu', reinhard: 'R', krawczyk: 'K', durand: 'D' } as const satisfies Partial<
  Record<Encoding, string>
>;
const SHARED = Object.keys(SHORT) as (keyof typeof SHORT)[];

const TRUTH_COLUMNS: Column<Figures>[] = [
  ...SHARED.map((name, i) => ({
    group: i === 0 ? 'PSNR' : '',
    title: SHORT[name],
    value: (figures: Figures) => figures.psnr[name],
    digits: 2,
  })),
  { group: '', title: 'PU21', value: ({ psnr }) => psnr.pu21, digits: 2 },
  { group: 'PSNR-mu', title: 'moving', value: ({ moving }) => moving.psnr.mu, digits: 2 },
  { group: '', title: 'still', value: ({ still }) => still.psnr.mu, digits: 2 },
  ...SHARED.map((name, i) => ({
    group: i === 0 ? 'SSIM' : '',
    title: SHORT[name],
    value: (figures: Figures) => figures.ssim[name],
    digits: 4,
  })),
  { group: 'motion', title: 'IoU', value: ({ iou }) => iou, digits: 3 },
  { group: '', title: 'seen', value: ({ iouSeen }) => iouSeen, digits: 3 },
];

/** Figures against the truth. */
export function tableText(title: string, rows: readonly { name: string; figures: Figures }[]): string {
  return gridText(title, TRUTH_COLUMNS, rows);
}

/** A line of harm: a picture's own figures, or those of boxes; NaN for figures that a line does not have. */
type HarmLine = Record<
  'cast' | 'p90' | 'a' | 'b' | 'rainbow' | 'moving' | 'maps' | 'difference' | 'p99' | 'psnrMu',
  number
>;

const EMPTY: HarmLine = {
  cast: NaN,
  p90: NaN,
  a: NaN,
  b: NaN,
  rainbow: NaN,
  moving: NaN,
  maps: NaN,
  difference: NaN,
  p99: NaN,
  psnrMu: NaN,
};
const HARM_COLUMNS: Column<HarmLine>[] = [
  { group: 'cast', title: 'dE', value: ({ cast }) => cast, digits: 2 },
  { group: '', title: 'p90', value: ({ p90 }) => p90, digits: 2 },
  { group: '', title: 'a', value: ({ a }) => a, digits: 1 },
  { group: '', title: 'b', value: ({ b }) => b, digits: 1 },
  { group: 'rainbow', title: '%', value: ({ rainbow }) => 100 * rainbow, digits: 3 },
  { group: 'moving', title: '%', value: ({ moving }) => 100 * moving, digits: 2 },
  { group: 'maps', title: '%', value: ({ maps }) => 100 * maps, digits: 2 },
  { group: 'from merge', title: 'dE', value: ({ difference }) => difference, digits: 2 },
  { group: '', title: 'p99', value: ({ p99 }) => p99, digits: 2 },
  { group: '', title: 'mu', value: ({ psnrMu }) => psnrMu, digits: 2 },
];

function stillLine({ moving, maps, difference, p99, psnrMu }: Omit<StillFigures, 'pixels' | 'level'>): HarmLine {
  return { ...EMPTY, moving, maps, difference, p99, psnrMu };
}

/** A stack's harm: its pictures, then what stands still as a whole and box by box, then what could not be measured. */
export function harmText(title: string, { pictures, whole, still, unmeasured }: Harm): string {
  const rows = pictures.map(({ name, cast, rainbow }) => ({
    name: name as string,
    figures: {
      ...EMPTY,
      cast: cast?.median ?? NaN,
      p90: cast?.p90 ?? NaN,
      a: cast?.a ?? NaN,
      b: cast?.b ?? NaN,
      rainbow,
      ...(name === 'network' ? whole : {}),
    },
  }));
  if (still) {
    rows.push({ name: 'still', figures: stillLine(still.all) });
    if (still.boxes.length > 1)
      rows.push(...still.boxes.map((of) => ({ name: `  ${of.box.join(',')}`, figures: stillLine(of) })));
  }
  return [gridText(title, HARM_COLUMNS, rows), ...unmeasured.map((text) => `not measured: ${shown(text)}`)].join('\n');
}

/** Means and worst cases over stacks (over boxes for still parts). */
export function harmSummaryText({ stacks, pictures, whole, still }: HarmSummary): string {
  const rows = (['mean', 'worst'] as const).flatMap((which) => [
    ...pictures.map(({ name, cast, rainbow }) => ({
      name: `${name}, ${which}`,
      figures: {
        ...EMPTY,
        cast: cast[which],
        rainbow: rainbow[which],
        ...(name === 'network' ? { moving: whole.moving[which], maps: whole.maps[which] } : {}),
      },
    })),
    {
      name: `still, ${which}`,
      figures: stillLine({
        moving: still.moving[which],
        maps: still.maps[which],
        difference: still.difference[which],
        p99: still.p99[which],
        psnrMu: still.psnrMu[which],
      }),
    },
  ]);
  return gridText(
    `harm, ${stacks} stacks; still: ${still.boxes} ${still.boxes === 1 ? 'box' : 'boxes'} of ${still.stacks}`,
    HARM_COLUMNS,
    rows,
  );
}
