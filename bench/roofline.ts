/**
 * The roofline picture (Williams, Waterman and Patterson 2009): how fast each kernel and each engine ran, over how many
 * operations it does for each byte of its tensors, under the two roofs that the adapter was measured to have. An SVG
 * with both colour schemes and a background of its own.
 */
import { digits } from './text.ts';
import { onAdapter } from './report.ts';
import type { Report } from './report.ts';

interface Dot {
  label: string;
  kind: 'kernel' | 'deghost' | 'peer';
  intensity: number;
  gflops: number;
}

const WIDTH = 880;
const HEIGHT = 520;
const PLOT = { left: 64, right: 856, top: 64, bottom: 468 };
const FONT = 12;

/** What there is to draw: kernels that multiply, and the engines' fastest figures of each work. */
export function rooflineDots({ kernels, contests }: Report): Dot[] {
  const dots: Dot[] = kernels
    .filter(({ gflops }) => gflops > 0)
    .map(({ name, gflops, gbytes }) => ({
      label: name.replace('conv2d ', '').replace('->', '→'),
      kind: 'kernel',
      intensity: gflops / gbytes,
      gflops,
    }));
  // The largest size of each work: smaller ones say the same, more noisily.
  const last = new Map(contests.map((contest) => [contest.work, contest]));
  for (const { work, kind, operations, bytes, rows } of last.values()) {
    for (const { id, engine, gflops, status, adapter } of rows) {
      if (!gflops || (kind === 'layer' && id === 'deghost') || !onAdapter({ adapter } as never)) continue;
      const name = kind === 'network' ? work.replaceAll('`', '') : '3x3 conv';
      const short = engine.replace(', WebGPU', '');
      dots.push({
        label: `${id === 'deghost' ? 'whole network' : short}: ${name}${status === 'wrong' ? ' (wrong)' : ''}`,
        kind: id === 'deghost' ? 'deghost' : 'peer',
        intensity: operations / bytes,
        gflops,
      });
    }
  }
  return dots;
}

/** About how wide a label is drawn. */
const textWidth = (text: string): number => text.length * FONT * 0.55;

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

const overlaps = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Powers of ten within a range, with a margin. */
function decades(low: number, high: number): { from: number; to: number } {
  return { from: Math.floor(Math.log10(low)), to: Math.ceil(Math.log10(high)) };
}

const AXIS = 'operations for each byte of the tensors read and written';
const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The picture of one run. */
export function rooflineSvg(report: Report): string {
  const { peaks, adapter, date } = report;
  const dots = rooflineDots(report);
  const ridge = peaks.gflops / peaks.gbytes;
  const xs = {
    from: Math.log10(Math.min(0.25, ...dots.map(({ intensity }) => intensity / 1.5))),
    to: Math.log10(Math.max(4 * ridge, ...dots.map(({ intensity }) => intensity * 2.5))),
  };
  const ys = {
    from: Math.log10(Math.min(peaks.gflops / 20, ...dots.map(({ gflops }) => gflops / 1.6))),
    to: Math.log10(2 * peaks.gflops),
  };
  const x = (value: number): number =>
    PLOT.left + ((Math.log10(value) - xs.from) / (xs.to - xs.from)) * (PLOT.right - PLOT.left);
  const y = (value: number): number =>
    PLOT.bottom - ((Math.log10(value) - ys.from) / (ys.to - ys.from)) * (PLOT.bottom - PLOT.top);
  const at = (value: number): string => value.toFixed(1);

  const parts: string[] = [];
  const ticks = (axis: { from: number; to: number }): number[] => {
    const { from, to } = decades(10 ** axis.from, 10 ** axis.to);
    const all = Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)).flatMap((ten) => [
      ten,
      2 * ten,
      5 * ten,
    ]);
    return all.filter((tick) => Math.log10(tick) >= axis.from && Math.log10(tick) <= axis.to);
  };
  const tickText = (tick: number): string => String(Number(tick.toPrecision(2)));
  for (const tick of ticks(xs))
    parts.push(
      `<path class="grid" d="M${at(x(tick))} ${PLOT.top}V${PLOT.bottom}"/>` +
        `<text class="tick" x="${at(x(tick))}" y="${PLOT.bottom + 18}" text-anchor="middle">${tickText(tick)}</text>`,
    );
  for (const tick of ticks(ys))
    parts.push(
      `<path class="grid" d="M${PLOT.left} ${at(y(tick))}H${PLOT.right}"/>` +
        `<text class="tick" x="${PLOT.left - 8}" y="${at(y(tick) + 4)}" text-anchor="end">${tickText(tick)}</text>`,
    );

  // The roofs: what bytes allow, then what multiply-adds allow.
  const foot = Math.max(10 ** xs.from, 10 ** ys.from / peaks.gbytes);
  parts.push(
    `<path class="roof" d="M${at(x(foot))} ${at(y(foot * peaks.gbytes))}` +
      `L${at(x(ridge))} ${at(y(peaks.gflops))}H${PLOT.right}"/>`,
  );
  const peakText = `multiply-add peak, ${digits(peaks.gflops)} GFLOP/s`;
  const boxes: Box[] = [
    { x: PLOT.right - 4 - textWidth(peakText), y: y(peaks.gflops) - 20, w: textWidth(peakText), h: 18 },
  ];
  parts.push(
    `<text class="rooftext" x="${PLOT.right - 4}" y="${at(y(peaks.gflops) - 8)}" text-anchor="end">${peakText}</text>`,
  );
  // Along the slope, above it, in its middle.
  const [run, rise] = [x(ridge) - x(foot), y(foot * peaks.gbytes) - y(peaks.gflops)];
  const [middleX, middleY] = [x(foot) + run / 2, y(peaks.gflops) + rise / 2];
  const slope = (-180 / Math.PI) * Math.atan2(rise, run);
  parts.push(
    `<text class="rooftext" transform="translate(${at(middleX)} ${at(middleY)}) rotate(${at(slope)})" y="-8" ` +
      `text-anchor="middle">copying, ${digits(peaks.gbytes)} GB/s</text>`,
  );

  const marks = dots.map((dot) => ({ ...dot, cx: x(dot.intensity), cy: y(dot.gflops) }));
  for (const { cx, cy } of marks) boxes.push({ x: cx - 6, y: cy - 6, w: 12, h: 12 });
  for (const { label, kind, cx, cy } of marks) {
    const shape =
      kind === 'peer'
        ? `<path class="peer" d="M${at(cx)} ${at(cy - 6)}l6 6l-6 6l-6 -6z"/>`
        : `<circle class="${kind}" cx="${at(cx)}" cy="${at(cy)}" r="${kind === 'deghost' ? 6.5 : 4.5}"/>`;
    const w = textWidth(label);
    // The first place beside, above or below where the label covers nothing.
    const candidates = [0, 1, 2, 3].flatMap((step) => [
      { x: cx + 10, y: cy + 4 - step * 12, anchor: 'start' },
      { x: cx - 10, y: cy + 4 - step * 12, anchor: 'end' },
      { x: cx + 10, y: cy + 4 + step * 12, anchor: 'start' },
      { x: cx - 10, y: cy + 4 + step * 12, anchor: 'end' },
    ]);
    const boxOf = (place: { x: number; y: number; anchor: string }): Box => ({
      x: place.anchor === 'end' ? place.x - w : place.x,
      y: place.y - FONT + 2,
      w,
      h: FONT,
    });
    const inside = ({ x: left, y: top, w: wide }: Box): boolean =>
      left > PLOT.left && left + wide < PLOT.right && top > PLOT.top && top < PLOT.bottom - FONT;
    const place =
      candidates.find(
        (candidate) => inside(boxOf(candidate)) && !boxes.some((box) => overlaps(box, boxOf(candidate))),
      ) ?? candidates[0];
    boxes.push(boxOf(place));
    parts.push(
      `${shape}<text class="label ${kind}text" x="${at(place.x)}" y="${at(place.y)}" ` +
        `text-anchor="${place.anchor}">${escapeXml(label)}</text>`,
    );
  }

  const legend = [
    ['kernel', 'a kernel of deghost'],
    ['deghost', 'deghost, whole network'],
    ['peer', "another engine, at deghost's operations for a byte"],
  ];
  let left = PLOT.left;
  for (const [kind, text] of legend) {
    parts.push(
      kind === 'peer'
        ? `<path class="peer" d="M${left + 6} 38l6 6l-6 6l-6 -6z"/>`
        : `<circle class="${kind}" cx="${left + 6}" cy="44" r="${kind === 'deghost' ? 6.5 : 4.5}"/>`,
    );
    parts.push(`<text class="label" x="${left + 18}" y="48">${escapeXml(text)}</text>`);
    left += 36 + textWidth(text);
  }

  const title = `Roofline of deghost on ${escapeXml(adapter.name)}`;
  const middle = (PLOT.top + PLOT.bottom) / 2;
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${title}">
<style>
  text { font: ${FONT}px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f }
  .page { fill: #ffffff; stroke: #d0d7de } .grid { stroke: #eaeef2; fill: none } .tick { fill: #57606a }
  .title { font-size: 14px; font-weight: 600 }
  .roof { stroke: #57606a; stroke-width: 2; fill: none } .rooftext { fill: #57606a }
  .kernel { fill: #0969da } .deghost { fill: #cf222e } .deghosttext { font-weight: 600 }
  .peer { fill: none; stroke: #953800; stroke-width: 2 } .peertext { fill: #953800 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .page { fill: #0d1117; stroke: #30363d } .grid { stroke: #21262d } .tick { fill: #8b949e }
    .roof { stroke: #8b949e } .rooftext { fill: #8b949e }
    .kernel { fill: #58a6ff } .deghost { fill: #ff7b72 } .peer { stroke: #f0a05a } .peertext { fill: #f0a05a }
  }
</style>
<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="6"/>
<text class="title" x="${PLOT.left}" y="26">${escapeXml(`${adapter.name}, ${date}`)}</text>
${parts.join('\n')}
<text class="tick" x="${(PLOT.left + PLOT.right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${AXIS}</text>
<text class="tick" transform="translate(18 ${middle}) rotate(-90)" text-anchor="middle">GFLOP/s</text>
</svg>
`;
}
