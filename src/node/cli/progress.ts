/** Progress of a merge on stderr: a bar with time left on a terminal, now and then a line elsewhere. */

export type Stage = 'response' | 'compile' | 'segmentation' | 'fusion';
export interface ProgressEvent {
  stage: Stage;
  done: number;
  total: number;
}

const LABELS: Record<Stage, string> = { response: 'camera response', compile: 'compiling', segmentation: 'finding motion', fusion: 'merging' };
/** Segmentation's share of the work of both tiled stages: 98 of 708 thousand multiply-adds a pixel for three frames, rounded. */
const SEGMENTATION_SHARE = 0.15;
/** Milliseconds between lines where there is no terminal. */
const LINE_INTERVAL = 10_000;

export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Seconds as `0:07` or `1:02:07`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, '0')];
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** Shows {@link ProgressEvent}s. `clear` removes the bar before anything else is printed. */
export class ProgressView {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  #tilesStart = 0;
  #stage: Stage | undefined;
  #lastLine = 0;
  #shown = false;

  constructor(output: ProgressOutput, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  update(event: ProgressEvent): void {
    const now = this.#now();
    const fraction = overall(event);
    if (fraction !== undefined && this.#tilesStart === 0) this.#tilesStart = now;
    const elapsed = (now - this.#tilesStart) / 1000;
    const left = fraction ? `${clock((elapsed * (1 - fraction)) / fraction)} left` : '';
    const unit = event.stage === 'segmentation' || event.stage === 'fusion' ? ' tiles' : '';
    const count = event.total > 1 || unit ? ` ${event.done}/${event.total}${unit}` : '';
    if (this.#output.isTTY) this.#bar(`${LABELS[event.stage]}${count}`, fraction ?? event.done / Math.max(1, event.total), left);
    else if (event.stage !== this.#stage || now - this.#lastLine >= LINE_INTERVAL) {
      this.#output.write(`${LABELS[event.stage]}${count}${left && `, ${left}`}\n`);
      this.#lastLine = now;
    }
    this.#stage = event.stage;
  }

  /** Takes the bar off the terminal. */
  clear(): void {
    if (this.#shown) this.#output.write('\r\x1b[K');
    this.#shown = false;
  }

  #bar(label: string, fraction: number, left: string): void {
    const columns = this.#output.columns || 80;
    const text = `${label.padEnd(28)} ${left}`;
    const cells = Math.max(0, Math.min(40, columns - text.length - 5));
    const full = Math.round(cells * Math.min(1, Math.max(0, fraction)));
    const bar = cells >= 8 ? `[${'#'.repeat(full)}${'.'.repeat(cells - full)}] ` : '';
    this.#output.write(`\r\x1b[K${`${bar}${text}`.slice(0, columns - 1)}`);
    this.#shown = true;
  }
}

/** How much of the tiled work is done, or undefined before it starts. */
function overall({ stage, done, total }: ProgressEvent): number | undefined {
  const part = total > 0 ? done / total : 0;
  if (stage === 'segmentation') return SEGMENTATION_SHARE * part;
  if (stage === 'fusion') return SEGMENTATION_SHARE + (1 - SEGMENTATION_SHARE) * part;
  return undefined;
}
