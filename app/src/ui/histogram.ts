/**
 * How the picture's light is spread: shares by EV about middle grey, with the part that the display shows as white or
 * as black in colours of its own.
 */
import type { FinishHistogram } from '../../../src/finish/pictures.ts';
import { numberWithSign, percent, say, words } from '../words/index.ts';
import { make } from './dom.ts';

/** EV that are drawn; what lies beyond is at the edges. */
const [FROM, TO] = [-11, 9];
const TICKS = [-8, -4, 0, 4, 8];
/** Canvas pixels. */
const [WIDTH, HEIGHT] = [560, 132];
const CHANNELS = ['red', 'green', 'blue'] as const;
const CHANNEL_COLORS = { red: '#e5484d', green: '#30a46c', blue: '#3e7bfa' };
const WHITE_COLOR = '#e8590c';
const BLACK_COLOR = '#3e63dd';

export class Histogram {
  readonly #canvas = make('canvas', { width: WIDTH, height: HEIGHT, role: 'img', ariaHidden: 'true' });
  readonly #white = make('span');
  readonly #black = make('span');
  #shown: FinishHistogram | undefined;

  constructor(figure: HTMLElement) {
    const axis = make('div', { className: 'axis', ariaHidden: 'true' });
    for (const tick of TICKS) {
      const mark = make('span', { textContent: tick === 0 ? '0 EV' : numberWithSign(tick, 0) });
      mark.style.left = `${(100 * (tick - FROM)) / (TO - FROM)}%`;
      axis.append(mark);
    }
    this.#white.style.setProperty('--shown', WHITE_COLOR);
    this.#black.style.setProperty('--shown', BLACK_COLOR);
    figure.append(this.#canvas, axis, make('figcaption', {}, this.#white, this.#black));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#shown && this.show(this.#shown));
  }

  clear(): void {
    this.#shown = undefined;
    this.#canvas.getContext('2d')?.clearRect(0, 0, WIDTH, HEIGHT);
    for (const part of [this.#white, this.#black]) say(part, () => '');
    say(this.#canvas, () => '', 'aria-label');
  }

  show(histogram: FinishHistogram): void {
    this.#shown = histogram;
    const [shownWhite, shownBlack] = [histogram.white, histogram.black].map(share);
    say(this.#white, () => words.finish.shownWhite(shownWhite));
    say(this.#black, () => words.finish.shownBlack(shownBlack));
    say(this.#canvas, () => words.finish.histogram(shownWhite, shownBlack), 'aria-label');
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, WIDTH, HEIGHT);
    const { luminance, white, black } = histogram;
    // The largest of the drawn shares, but for lone spikes, is as high as the canvas.
    const sorted = [luminance, ...CHANNELS.map((name) => histogram[name])]
      .flatMap((shares) => [...shares.subarray(1, -1)])
      .sort((a, b) => b - a);
    const top = Math.max(sorted[2] ?? 0, 1e-6);
    const path = (shares: ArrayLike<number>): Path2D => outline(histogram, (i) => Math.min(1, shares[i] / top));
    const style = getComputedStyle(this.#canvas);
    context.globalCompositeOperation = 'source-over';
    context.fillStyle = style.getPropertyValue('--field');
    context.globalAlpha = 0.55;
    context.fill(path(luminance));
    context.globalAlpha = 1;
    context.lineWidth = 2;
    for (const name of CHANNELS) {
      context.strokeStyle = CHANNEL_COLORS[name];
      context.stroke(path(histogram[name]));
    }
    context.fillStyle = WHITE_COLOR;
    context.fill(path(white));
    context.fillStyle = BLACK_COLOR;
    context.fill(path(black));
  }
}

/** The area under shares. @param height of a bin, 0 to 1. */
function outline({ from, step, luminance }: FinishHistogram, height: (bin: number) => number): Path2D {
  const path = new Path2D();
  const x = (ev: number): number => (WIDTH * (ev - FROM)) / (TO - FROM);
  path.moveTo(x(from), HEIGHT + 2);
  for (let i = 0; i < luminance.length; i++)
    path.lineTo(x(from + (i + 0.5) * step), HEIGHT + 2 - (HEIGHT - 4) * Math.sqrt(height(i)));
  path.lineTo(x(from + luminance.length * step), HEIGHT + 2);
  path.closePath();
  return path;
}

/** The sum of shares, in per cent. */
function share(shares: Float32Array): string {
  const sum = shares.reduce((a, b) => a + b, 0);
  return percent(sum, sum > 0 && sum < 0.1 ? 1 : 0);
}
