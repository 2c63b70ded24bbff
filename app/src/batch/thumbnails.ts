/** Thumbnails of the frames that are seen, asked for one after another; those out of sight wait until they are near. */
import type { FromWorker, ToWorker } from '../messages.ts';
import type { Card } from './card.ts';

/** How near a bracket is before its thumbnails are made. */
const NEAR = '400px';

export class Thumbnails {
  readonly #send: (message: ToWorker) => void;
  readonly #cards = new Map<Element, Card>();
  readonly #queue: { card: Card; frame: number }[] = [];
  readonly #observer = new IntersectionObserver((entries) => this.#near(entries), { rootMargin: NEAR });
  /** Asked for, and not come yet. */
  #asked: { id: string; card: Card; frame: number } | undefined;
  #count = 0;

  constructor(send: (message: ToWorker) => void) {
    this.#send = send;
  }

  /** Thumbnails of these, in place of those before. */
  show(cards: readonly Card[]): void {
    this.#observer.disconnect();
    this.#cards.clear();
    this.#queue.length = 0;
    this.#asked = undefined;
    for (const card of cards) {
      for (const element of [card.element, card.tab.element]) {
        this.#cards.set(element, card);
        this.#observer.observe(element);
      }
    }
  }

  receive({ id, picture }: Extract<FromWorker, { type: 'thumbnail' }>): void {
    if (id !== this.#asked?.id) return;
    const { card, frame } = this.#asked;
    card.setThumbnail(frame, picture);
    this.#asked = undefined;
    this.#next();
  }

  #near(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const card = this.#cards.get(target);
      if (!card || !isIntersecting) continue;
      for (const element of [card.element, card.tab.element]) {
        this.#observer.unobserve(element);
        this.#cards.delete(element);
      }
      card.bracket.frames.forEach((_, frame) => this.#queue.push({ card, frame }));
    }
    this.#next();
  }

  #next(): void {
    if (this.#asked) return;
    const next = this.#queue.shift();
    if (!next) return;
    const id = String(this.#count++);
    this.#asked = { id, ...next };
    const { name, file } = next.card.bracket.frames[next.frame];
    this.#send({ type: 'thumbnail', id, name, file });
  }
}
