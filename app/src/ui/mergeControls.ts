/** The controls of how the next merge works: whether frames are aligned, and how readily something counts as moving. */
import { say, words } from '../words/index.ts';
import { byId } from './dom.ts';

export class MergeControls {
  readonly #align = byId('align', HTMLInputElement);
  readonly #strength = byId('strength', HTMLInputElement);

  constructor(onChange: () => void) {
    this.#align.onchange = onChange;
    this.#strength.oninput = () => {
      this.#say();
      onChange();
    };
    // Browsers keep what was set when a page is loaded again.
    this.#say();
  }

  get align(): 'auto' | 'none' {
    return this.#align.checked ? 'auto' : 'none';
  }

  /** From 0 to 1. */
  get strength(): number {
    return Number(this.#strength.value);
  }

  #say(): void {
    const steps = Math.round(20 * (this.strength - 0.5));
    const text = () => words.frames.strengthOf(steps);
    say(byId('strength-value', HTMLOutputElement), text);
    say(this.#strength, text, 'aria-valuetext');
  }
}
