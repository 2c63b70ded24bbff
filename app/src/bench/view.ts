/** Shows a report: the tables that docs/performance.md has, as elements. */
import { digits, isWords } from '../../../bench/text.ts';
import { kernelTable, layerTable, mergeTable, variantTable } from '../../../bench/deviceTables.ts';
import type { Table } from '../../../bench/text.ts';
import type { Report } from '../../../bench/report.ts';
import { turnsFor } from '../../../bench/timing.ts';
import { byId, make } from '../ui/dom.ts';

/** A cell without Markdown's marks. */
const plain = (text: string): string =>
  text
    .replaceAll('**', '')
    .replaceAll('`', '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('\\|', '|')
    .replaceAll('->', '→');

function cellOf(text: string, column: string): HTMLTableCellElement {
  const cell = make('td', { textContent: plain(text) });
  if (!isWords(column)) cell.className = 'figure';
  if (text.includes('**')) cell.classList.add('bad');
  return cell;
}

function tableOf(name: string, { header, rows }: Table): HTMLDivElement {
  const heads = header.map((column) => {
    const head = make('th', { scope: 'col', textContent: column });
    if (!isWords(column)) head.className = 'figure';
    return head;
  });
  const body = rows.map((row) => make('tr', {}, ...row.map((text, i) => cellOf(text, header[i]))));
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, ...body));
  const scroller = make('div', { className: 'scroller', tabIndex: 0 }, table);
  // Wide tables scroll, by keys too.
  scroller.setAttribute('role', 'region');
  scroller.setAttribute('aria-label', name);
  return scroller;
}

function part(title: string, about: string, ...children: Node[]): HTMLElement {
  return make(
    'section',
    { className: 'part' },
    make('h3', { textContent: title }),
    ...(about ? [make('p', { className: 'note', textContent: about })] : []),
    ...children,
  );
}

function validatedList({ validated, kernels }: Report): HTMLElement {
  const items = validated.map(({ name, error, wrong }) =>
    make('li', {
      className: wrong ? 'bad' : 'good',
      textContent: wrong ? `${name}: ${wrong}` : `${name}: off by ${error!.toExponential(1)} at most`,
    }),
  );
  if (kernels.length > 0) {
    const wrong = kernels.filter((row) => row.wrong);
    const worst = kernels.reduce((most, { error }) => Math.max(most, error), 0);
    const text = wrong.length
      ? `${wrong.length} of ${kernels.length} kernels are wrong: ${wrong.map(({ name }) => name).join(', ')}`
      : `${kernels.length} kernels: off by ${worst.toExponential(1)} of the largest value at most`;
    items.push(make('li', { className: wrong.length ? 'bad' : 'good', textContent: text }));
  }
  return make('ul', { className: 'checks' }, ...items);
}

function peaksList({ gflops, gbytes, gflopsF16, dispatchUs, roundTripUs }: Report['peaks']): HTMLElement {
  const rates = (value: number, unit: string): string =>
    value >= 1000 ? `${digits(value / 1000)} T${unit}` : `${digits(value)} G${unit}`;
  const facts: [string, string | undefined][] = [
    ['Multiply-adds, f32', rates(gflops, 'FLOP/s')],
    ['Multiply-adds, f16', gflopsF16 === undefined ? 'not offered' : rates(gflopsF16, 'FLOP/s')],
    ['Copying', rates(gbytes, 'B/s')],
    ['Empty dispatch', dispatchUs === undefined ? undefined : `${digits(dispatchUs)} µs`],
    ['To the GPU and back', roundTripUs === undefined ? undefined : `${digits(roundTripUs)} µs`],
  ];
  return make(
    'dl',
    { className: 'peaks' },
    ...facts.flatMap(([name, value]) =>
      value ? [make('div', {}, make('dt', { textContent: name }), make('dd', { textContent: value }))] : [],
    ),
  );
}

/** Shows all that is known so far. */
export function showReport(report: Report): void {
  const { adapter, runtime, cpu, date, peaks, validated, kernels, layers = [], merges = [], clock, unreached } = report;
  byId('results', HTMLElement).hidden = false;
  byId('results-title', HTMLHeadingElement).textContent = adapter.name;
  byId('results-about', HTMLParagraphElement).textContent = `${runtime}, ${cpu.cores} CPU threads, ${date}.`;
  byId('no-gpu', HTMLParagraphElement).hidden = !adapter.software;
  const { passMs } = turnsFor(clock === 'timestamps', adapter.software);
  const clocks =
    `${clock === 'timestamps' ? 'Timed by timestamps' : 'Without timestamps here: timed by the wall clock'}, ` +
    `in passes of ${passMs} ms or more${adapter.software ? '' : ', after a warm-up'}.`;
  const parts: HTMLElement[] = [];
  if (validated.length > 0)
    parts.push(
      part(
        'Correctness',
        'Small networks against what PyTorch computed, and each kernel against a reference on the CPU.',
        validatedList(report),
      ),
    );
  if (peaks.gflops) parts.push(part('Peaks', clocks, peaksList(peaks)));
  if (merges.length > 0)
    parts.push(
      part(
        'Whole merges',
        'Three frames, from arrays in memory to an array in memory. GPU: the sum of the compute passes. GFLOP/s are ' +
          'of the GPU’s time where it is known, and count what tiles compute twice. Wall: what a program waits. ' +
          'Results are compared with the first, the judge.',
        tableOf('Whole merges', mergeTable(merges, peaks)),
      ),
    );
  if (layers.length > 0)
    parts.push(
      part(
        'Layers',
        `GFLOP/s of each class of layers alone, on tiles of ${layers[0].tile}: the default and the fastest variant, ` +
          'timed in turns. Operations are those of the convolution as written: Winograd’s variants do fewer.' +
          (unreached ? ` ${unreached} classes were not reached in time.` : ''),
        tableOf('Layers', layerTable(layers, peaks)),
        make(
          'details',
          { id: 'variants', open: document.querySelector<HTMLDetailsElement>('#variants')?.open ?? false },
          make('summary', { textContent: 'All variants' }),
          tableOf('All variants', variantTable(layers, peaks)),
        ),
      ),
    );
  if (kernels.length > 0) {
    const table = tableOf('Kernels', kernelTable(kernels, peaks));
    parts.push(part('Kernels', 'GB/s count each tensor once: caches can make them more than copying reaches.', table));
  }
  byId('figures', HTMLDivElement).replaceChildren(...parts);
}
