/** *Try an example*: one click loads the frames that come with the page, and merges them as soon as it can. */
import type { NamedFile, ToWorker } from '../messages.ts';
import { say, words } from '../words/index.ts';
import { announce, byId } from './dom.ts';
import type { FrameRow } from './frameList.ts';

export class Example {
  readonly #button = byId('example', HTMLButtonElement);
  readonly #note = byId('sample-note', HTMLParagraphElement);
  readonly #add: (files: readonly NamedFile[]) => void;
  /** Whether the files were asked for. */
  #asked = false;
  /** The frames that are merged without another click. */
  #files: readonly NamedFile[] = [];

  constructor(send: (message: ToWorker) => void, add: (files: readonly NamedFile[]) => void) {
    this.#add = add;
    this.#button.onclick = () => {
      if (this.#asked) return;
      this.#asked = true;
      say(this.#button, () => words.welcome.loading);
      this.#button.setAttribute('aria-busy', 'true');
      send({ type: 'example' });
    };
  }

  /**
   * @param files undefined where they cannot be had.
   * @param isWanted whether the person has not begun with photos of their own meanwhile.
   */
  receive(files: readonly NamedFile[] | undefined, isWanted: boolean): void {
    this.#asked = false;
    say(this.#button, () => words.welcome.example);
    this.#button.removeAttribute('aria-busy');
    if (!files) {
      say(this.#note, () => words.welcome.noSample);
      return announce(words.welcome.noSample);
    }
    if (!isWanted) return;
    this.#files = files;
    this.#add(files);
  }

  /**
   * Whether to merge now: once, if the frames are the example's alone.
   * @param obstacle why that is not possible yet; empty if it is.
   */
  mergesNow(rows: readonly FrameRow[], obstacle: string): boolean {
    if (this.#files.length === 0) return false;
    const isAlone =
      rows.length === this.#files.length && rows.every(({ file }) => this.#files.some((its) => its.file === file));
    if (!isAlone) this.#files = [];
    if (!isAlone || obstacle !== '') return false;
    this.#files = [];
    return true;
  }
}
