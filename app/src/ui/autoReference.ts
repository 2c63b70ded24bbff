/**
 * The checkbox that lets the page choose the reference, and what the page found: which frame it takes, and how much of
 * each is burnt out or black. Picking a frame in the list is always possible, and clears the checkbox.
 */
import { choiceOf, clippedShare } from '../../../src/image/chooseReference.ts';
import { number, words } from '../words/index.ts';
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
   * Chooses the reference and shows why. Returns its id; undefined if the person chooses, or there is nothing to choose
   * from.
   * @param sorted the frames that are loaded, in exposure order.
   * @param linear whether the files' numbers are linear light.
   */
  choose(sorted: readonly FrameRow[], linear: boolean, busy: boolean): number | undefined {
    this.#box.disabled = busy;
    if (!this.#box.checked || sorted.length < 2) {
      this.#say('');
      return undefined;
    }
    const { reference, frames } = choiceOf(sorted.map(({ clipped }) => (linear ? clipped.linear : clipped.encoded)));
    const percent = (k: number): string => `${number(100 * clippedShare(frames[k]), 1)} %`;
    const others = sorted.flatMap(({ name }, k) => (k === reference ? [] : [words.frames.clippedOf(percent(k), name)]));
    const isKept = frames.some((frame) => clippedShare(frame) < clippedShare(frames[reference]));
    const { name } = sorted[reference];
    this.#say(words.frames.referenceTaken(name, percent(reference), others.join(', '), isKept));
    return sorted[reference].id;
  }

  /** Screen readers read a live region whenever its text is set. */
  #say(text: string): void {
    if (this.#note.textContent !== text) this.#note.textContent = text;
  }
}
