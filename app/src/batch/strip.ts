/** The strip above the stage, by which people go from one open bracket to the next. */
import './strip.css';
import { byId, make } from '../ui/dom.ts';
import { say, words } from '../words/index.ts';
import type { Card } from './card.ts';
import type { TabState } from './tab.ts';

export class Strip {
  readonly #element = make('nav', { id: 'strip', hidden: true });
  /** Those whose results were saved while they were open. */
  readonly #kept = new WeakSet<Card>();
  #cards: readonly Card[] = [];

  constructor() {
    say(this.#element, () => words.plan.all, 'aria-label');
    byId('workspace', HTMLDivElement).before(this.#element);
  }

  show(cards: readonly Card[]): void {
    this.#cards = cards;
    this.#element.replaceChildren(...cards.map(({ tab }) => tab.element));
  }

  /** Whether a bracket's picture was saved, from the plan or while it was open. */
  isSaved(card: Card): boolean {
    return card.state === 'saved' || this.#kept.has(card);
  }

  /** @param opened the bracket that is seen; undefined if none is. @param state what became of that. */
  update(opened: Card | undefined, state: TabState, isBusy: boolean): void {
    this.#element.hidden = !opened;
    if (opened && state === 'saved') this.#kept.add(opened);
    for (const card of this.#cards) {
      const before = this.isSaved(card) ? 'saved' : card.state === 'failed' ? 'failed' : undefined;
      const isOpen = card === opened;
      card.tab.update(isOpen && (state !== 'open' || !before) ? state : before, isOpen, isBusy || state === 'merging');
    }
  }
}
