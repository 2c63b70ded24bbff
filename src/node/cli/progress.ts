/** Progress of a merge on stderr: on a terminal a bar with the time left, elsewhere an occasional line. */

import type { Progress } from '../../merge.ts';
import { shown } from '../../shown.ts';

const LABELS: Record<Progress['stage'], string> = {
  response: 'camera response',
  align: 'aligning',
  compile: 'compiling',
  segmentation: 'finding motion',
  fusion: 'merging',
  merge: 'merging',
  moment: 'other moments',
};
/** Milliseconds between lines if there is no terminal. */
const LINE_INTERVAL = 10_000;

export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
  /** Writes control sequences of the terminal; `write` if absent. */
  control?(text: string): unknown;
}

/** Seconds as `0:07` or `1:02:07`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, '0')];
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** A line on a terminal that is updated in place. */
export class StatusLine {
  readonly #output: ProgressOutput;
  #shown = false;

  constructor(output: ProgressOutput) {
    this.#output = output;
  }

  /** Width of the terminal in columns. */
  get columns(): number {
    return this.#output.columns || 80;
  }

  show(text: string): void {
    this.#control(`\r\x1b[K${shown(text).slice(0, this.columns - 1)}`);
    this.#shown = true;
  }

  /** Removes the line from the terminal. */
  clear(): void {
    if (this.#shown) this.#control('\r\x1b[K');
    this.#shown = false;
  }

  #control(text: string): void {
    if (this.#output.control) this.#output.control(text);
    else this.#output.write(text);
  }
}

/** Shows progress. `clear` removes the bar before anything else is printed. */
export class ProgressView {
  readonly #output: ProgressOutput;
  readonly #line: StatusLine;
  readonly #now: () => number;
  #tilesStart: { time: number; fraction: number } | undefined;
  #stage: Progress['stage'] | undefined;
  #lastLine = 0;

  constructor(output: ProgressOutput, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#line = new StatusLine(output);
    this.#now = now;
  }

  update({ stage, done, total, fraction }: Progress): void {
    const now = this.#now();
    const isTiled = stage !== 'response' && stage !== 'compile';
    if (isTiled) this.#tilesStart ??= { time: now, fraction };
    const start = this.#tilesStart ?? { time: now, fraction };
    const speed = (fraction - start.fraction) / (now - start.time);
    const left = speed > 0 ? `${clock((1 - fraction) / speed / 1000)} left` : '';
    const label = LABELS[stage] + (isTiled ? ` ${Math.floor(done)}/${total} ${total === 1 ? 'tile' : 'tiles'}` : '');
    if (this.#output.isTTY) this.#bar(label, fraction, left);
    else if (stage !== this.#stage || now - this.#lastLine >= LINE_INTERVAL) {
      this.#output.write(`${label}${left && `, ${Math.floor(100 * fraction)} %, ${left}`}\n`);
      this.#lastLine = now;
    }
    this.#stage = stage;
  }

  /** Pictures that were read; RAW takes seconds each. */
  reading(done: number, total: number): void {
    const now = this.#now();
    this.#lastLine ||= now;
    if (this.#output.isTTY) this.#bar(`reading ${done}/${total} pictures`, done / total, '');
    else if (now - this.#lastLine >= LINE_INTERVAL) {
      this.#output.write(`reading ${done}/${total} pictures\n`);
      this.#lastLine = now;
    }
  }

  /** Removes the bar from the terminal. */
  clear(): void {
    this.#line.clear();
  }

  #bar(label: string, fraction: number, left: string): void {
    const text = `${label.padEnd(28)} ${left}`;
    const cells = Math.max(0, Math.min(40, this.#line.columns - text.length - 5));
    const full = Math.round(cells * Math.min(1, Math.max(0, fraction)));
    const bar = cells >= 8 ? `[${'#'.repeat(full)}${'.'.repeat(cells - full)}] ` : '';
    this.#line.show(`${bar}${text}`);
  }
}
