/** A merge's progress in words, per cent and time left, also in the tab's title, and the button that cancels it. */
import type { FromWorker } from '../messages.ts';
import { bytes, say, words } from '../words/index.ts';
import { timeLeft } from '../words/timeLeft.ts';
import { announce, byId } from './dom.ts';

type ProgressMessage = Extract<FromWorker, { type: 'progress' }>;

export class ProgressPanel {
  readonly #panel = byId('progress', HTMLDivElement);
  readonly #stage = byId('progress-stage', HTMLSpanElement);
  readonly #left = byId('progress-left', HTMLSpanElement);
  readonly #bar = byId('progress-bar', HTMLProgressElement);
  readonly #cancel = byId('cancel', HTMLButtonElement);
  #begun: { time: number; fraction: number } | undefined;
  #announced = '';
  /** Whether the bar shows how much of a file is here. */
  #loads = false;
  readonly #title = document.title;

  constructor(onCancel: () => void) {
    this.#cancel.onclick = () => {
      this.#cancel.disabled = true;
      say(this.#cancel, () => words.progress.cancelling);
      onCancel();
    };
  }

  start(): void {
    this.#begun = undefined;
    this.#announced = '';
    this.#bar.removeAttribute('value'); // not known yet
    say(this.#stage, () => words.progress.starting);
    this.#left.textContent = '';
    this.#cancel.disabled = false;
    say(this.#cancel, () => words.progress.cancel);
  }

  toggle(isShown: boolean): void {
    this.#panel.hidden = !isShown;
    if (!isShown) document.title = this.#title;
  }

  focus(): void {
    this.#cancel.focus({ preventScroll: true });
  }

  show({ stage, done, total, fraction }: ProgressMessage): void {
    if (stage === 'weights') return this.#showBytes(done, total);
    const percent = Math.floor(100 * fraction);
    say(this.#stage, () => words.progress.stages[stage]);
    if (this.#loads) this.#bar.removeAttribute('value');
    this.#loads = false;
    if (stage === 'response' || stage === 'align' || stage === 'compile') {
      this.#left.textContent = '';
    } else {
      const now = performance.now();
      // The first moments allow no estimate: the graphics card is still being prepared.
      this.#begun ??= { time: now, fraction };
      const gained = fraction - this.#begun.fraction;
      const seconds = gained > 0.02 ? ((now - this.#begun.time) / 1000 / gained) * (1 - fraction) : undefined;
      this.#left.textContent = `${percent} %${seconds === undefined ? '' : `, ${timeLeft(seconds)}`}`;
      this.#bar.value = 100 * fraction;
      document.title = `${percent} % – ${this.#title}`;
    }
    // Announced every quarter, not every step.
    const spoken = `${words.progress.stages[stage]}${percent >= 25 ? `, ${25 * Math.floor(percent / 25)} %` : ''}`;
    if (spoken !== this.#announced) announce(spoken);
    this.#announced = spoken;
  }

  /** What the merge waits for is still on its way. */
  #showBytes(done: number, total: number): void {
    this.#loads = true;
    const stage = words.progress.stages.weights;
    say(this.#stage, () => words.progress.stages.weights);
    const percent = total > 0 ? Math.floor((100 * done) / total) : undefined;
    this.#left.textContent =
      percent === undefined ? bytes(done) : words.progress.bytes(bytes(done), bytes(total), percent);
    if (percent !== undefined) this.#bar.value = percent;
    if (this.#announced !== stage) announce(stage);
    this.#announced = stage;
  }
}
