/** One run over the chosen brackets: each is merged and saved before the next begins. A failure ends one alone. */
import type { BracketResult, BracketSettings, Failure, FromWorker, ToWorker } from '../messages.ts';
import { announce } from '../ui/dom.ts';
import { failureWords } from '../words/failures.ts';
import { words } from '../words/index.ts';
import type { Words } from '../words/index.ts';
import { timeLeft } from '../words/timeLeft.ts';
import type { Card } from './card.ts';
import { whyNotSaved } from './saveTo.ts';
import type { SaveTo } from './saveTo.ts';

/** What came of a run. */
export interface RunResult {
  saved: number;
  failed: { card: Card; why: () => Words }[];
  isCancelled: boolean;
}

type Report = Extract<FromWorker, { type: 'progress' | 'bracketMerged' | 'bracketFailed' | 'bracketCancelled' }>;
type Ended = { result: BracketResult } | { failure: Failure } | 'cancelled';

/** Of all, that must be done before the time left is told. */
const LEAST_DONE = 0.02;

export class Run {
  readonly #cards: readonly Card[];
  readonly #settings: BracketSettings;
  readonly #target: SaveTo;
  readonly #send: (message: ToWorker) => void;
  readonly #onProgress: (stage: string, fraction: number, left: string) => void;
  readonly #started = performance.now();
  readonly #title = document.title;
  #done = 0;
  #isCancelled = false;
  #ended: ((what: Ended) => void) | undefined;

  /** @param onProgress called with the stage in words, the fraction of all that is done, and the time left in words. */
  constructor(
    cards: readonly Card[],
    settings: BracketSettings,
    target: SaveTo,
    send: (message: ToWorker) => void,
    onProgress: (stage: string, fraction: number, left: string) => void,
  ) {
    this.#cards = cards;
    this.#settings = settings;
    this.#target = target;
    this.#send = send;
    this.#onProgress = onProgress;
  }

  /** Merges all. */
  async finish(): Promise<RunResult> {
    const failed: RunResult['failed'] = [];
    let saved = 0;
    for (const card of this.#cards) card.wait();
    for (const card of this.#cards) {
      if (this.#isCancelled) break;
      announce(`${words.plan.bracketOf(this.#done + 1, this.#cards.length)}.`);
      this.#show({ stage: 'read', fraction: 0 });
      const ended = await this.#merge(card);
      if (ended === 'cancelled') break;
      const why =
        'failure' in ended ? () => failureWords(ended.failure, 'merge') : await this.#save(card, ended.result);
      if (why) {
        card.failed(why);
        failed.push({ card, why });
      } else saved++;
      this.#done++;
      // Without an adapter all others fail too.
      if ('failure' in ended && ended.failure.kind.startsWith('no-')) break;
    }
    for (const card of this.#cards) {
      if (card.state === 'waiting' || card.state === 'merging') card.rest();
      // What is left can be merged again.
      if (card.state === 'saved') card.isChosen = false;
    }
    document.title = this.#title;
    return { saved, failed, isCancelled: this.#isCancelled };
  }

  /** The worker was told to end the merge; no other begins. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /** The worker is gone. */
  end(): void {
    this.cancel();
    this.#ended?.('cancelled');
  }

  receive(message: Report): void {
    if (message.type === 'progress') return this.#show(message);
    if (message.bracket !== this.#cards[this.#done]?.bracket.id) return;
    if (message.type === 'bracketMerged') this.#ended?.({ result: message.result });
    else if (message.type === 'bracketFailed') this.#ended?.({ failure: message.failure });
    else this.#ended?.('cancelled');
  }

  #merge({ bracket }: Card): Promise<Ended> {
    const files = bracket.frames.map(({ name, file }) => ({ name: name.replace(/^.*\//, ''), file }));
    this.#send({ type: 'mergeBracket', bracket: bracket.id, files, stem: bracket.stem, settings: this.#settings });
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** @returns what went wrong. */
  async #save(card: Card, result: BracketResult): Promise<(() => Words) | undefined> {
    try {
      card.saved(await this.#target.save(result.name, result.file), result);
      return undefined;
    } catch (error) {
      return () => ({ title: words.plan.notSaved, text: whyNotSaved(error) });
    }
  }

  #show({ stage, fraction }: Pick<Extract<Report, { type: 'progress' }>, 'stage' | 'fraction'>): void {
    const count = this.#cards.length;
    this.#cards[this.#done]?.show({ stage, fraction });
    const done = (this.#done + fraction) / count;
    const seconds = (performance.now() - this.#started) / 1000;
    const left = done > LEAST_DONE ? `, ${timeLeft((seconds / done) * (1 - done))}` : '';
    const percent = Math.floor(100 * done);
    this.#onProgress(
      `${words.plan.bracketOf(this.#done + 1, count)}: ${words.progress.stages[stage]}`,
      done,
      `${percent} %${left}`,
    );
    document.title = `${percent} % – ${this.#title}`;
  }
}
