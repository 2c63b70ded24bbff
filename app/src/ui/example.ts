/** *Try an example*: one click loads the frames that come with the page, and merges them as soon as it can. */
import type { NamedFile, ToWorker } from '../messages.ts';
import { announce, byId } from './dom.ts';
import type { FrameRow } from './frameList.ts';

const TEXT = {
  loading: 'Loading the example…',
  failed: 'The example could not be loaded: check the connection and try again.',
};

export class Example {
  readonly #button = byId('example', HTMLButtonElement);
  readonly #note = byId('sample-note', HTMLParagraphElement);
  readonly #label = this.#button.textContent;
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
      this.#button.textContent = TEXT.loading;
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
    this.#button.textContent = this.#label;
    this.#button.removeAttribute('aria-busy');
    if (!files) {
      this.#note.textContent = TEXT.failed;
      return announce(TEXT.failed);
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
