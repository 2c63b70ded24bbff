/**
 * The box that leaves the reference to the page, and what it found: which frame it takes, and how much of each is burnt
 * out or black. Picking a frame in the list is always possible, and empties the box.
 */
import { choiceOf, clippedShare } from '../../../src/image/chooseReference.ts';
import { byId } from './dom.ts';
import type { FrameRow } from './frameList.ts';

export class AutoReference {
  readonly #box = byId('reference-auto', HTMLInputElement);
  readonly #note = byId('reference-note', HTMLParagraphElement);

  constructor(onChange: () => void) {
    this.#box.onchange = onChange;
  }

  turnOff(): void {
    this.#box.checked = false;
  }

  /**
   * The reference's id, and says why; undefined where the choice is not the page's, or there is nothing to choose from.
   * @param sorted the frames that are loaded, in exposure order.
   * @param linear whether the files' numbers are light itself.
   */
  choose(sorted: readonly FrameRow[], linear: boolean, busy: boolean): number | undefined {
    this.#box.disabled = busy;
    if (!this.#box.checked || sorted.length < 2) {
      this.#say('');
      return undefined;
    }
    const { reference, frames } = choiceOf(sorted.map(({ clipped }) => (linear ? clipped.linear : clipped.encoded)));
    const percent = (k: number): string => `${(100 * clippedShare(frames[k])).toFixed(1)} %`;
    const others = sorted.flatMap(({ name }, k) => (k === reference ? [] : [`${percent(k)} of ${name}`]));
    const isKept = frames.some((frame) => clippedShare(frame) < clippedShare(frames[reference]));
    const reason = isKept ? ' The middle frame is kept where it loses at most 1 % more than the best.' : '';
    this.#say(
      `${sorted[reference].name} is taken: ${percent(reference)} of it is burnt out or black, ` +
        `${others.join(', ')}.${reason}`,
    );
    return sorted[reference].id;
  }

  /** A live region speaks when it is written to. */
  #say(text: string): void {
    if (this.#note.textContent !== text) this.#note.textContent = text;
  }
}
