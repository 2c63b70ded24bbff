/**
 * One bracket of the plan: whether it is merged, thumbnails of its frames with their exposures, the name of its result,
 * and what became of it.
 */
import { evText } from '../exposures.ts';
import type { BracketResult, FromWorker } from '../messages.ts';
import { middleFrame } from '../../../src/image/frame.ts';
import { shutterText } from '../shotText.ts';
import { make } from '../ui/dom.ts';
import { noteWords, warningWords } from '../words/failures.ts';
import { bytes, say, words } from '../words/index.ts';
import type { Words } from '../words/index.ts';
import type { PlannedBracket } from './plan.ts';
import { Tab } from './tab.ts';

type Progress = Extract<FromWorker, { type: 'progress' }>;

export interface CardEvents {
  onToggle(): void;
  /** The person wants to see this bracket alone. */
  onOpen(): void;
}

export class Card {
  readonly bracket: PlannedBracket;
  readonly element = make('li', { className: 'bracket' });
  /** The same bracket in the strip above the stage. */
  readonly tab: Tab;
  readonly #check: HTMLInputElement;
  readonly #open: HTMLButtonElement;
  readonly #thumbs: HTMLElement[];
  readonly #output = make('p', { className: 'meta output' });
  readonly #state = make('div', { className: 'state' });
  readonly #bar = make('progress', { max: 100, hidden: true });

  constructor(bracket: PlannedBracket, events: CardEvents) {
    this.bracket = bracket;
    const { frames, id } = bracket;
    this.tab = new Tab(frames.length, () => this.title, events.onOpen);
    this.#check = make('input', { type: 'checkbox', checked: true, id: `bracket-${id}`, onchange: events.onToggle });
    this.#thumbs = frames.map(() => make('span', { className: 'thumb waiting' }));
    const strip = frames.map(({ ev, shutter }, k) =>
      make(
        'span',
        { className: 'shot' },
        this.#thumbs[k],
        say(make('span', { className: 'ev' }), () => (ev === undefined ? words.bracket.unknown : `${evText(ev)} EV`)),
        say(make('span', { className: 'shutter' }), () => shutterText(shutter)),
      ),
    );
    const what = say(make('span', { className: 'visually-hidden' }), () => words.bracket.open(this.title));
    this.#open = make('button', { type: 'button', className: 'open', onclick: events.onOpen }, what, ' ', ...strip);
    say(this.#open, () => words.bracket.openIt, 'title');
    say(this.#bar, () => words.bracket.progress(this.title), 'aria-label');
    const name = say(make('span', { className: 'name' }), () => this.title);
    this.element.append(
      make(
        'div',
        { className: 'about' },
        make('label', { className: 'check' }, this.#check, name),
        say(make('p', { className: 'meta' }), () => words.bracket.frames(frames.length)),
        this.#output,
        this.#bar,
        this.#state,
      ),
      this.#open,
    );
  }

  /** Names of its first and last frame, in words. */
  get title(): string {
    return words.bracket.title(...this.bracket.ends);
  }

  get isChosen(): boolean {
    return this.#check.checked;
  }

  set isChosen(chosen: boolean) {
    this.#check.checked = chosen;
  }

  /** Of one frame; undefined if there is none. */
  setThumbnail(frame: number, picture: Blob | undefined): void {
    const old = this.#thumbs[frame];
    this.#thumbs[frame] = picture ? pictureOf(picture) : make('span', { className: 'thumb none' });
    old.replaceWith(this.#thumbs[frame]);
    if (picture && frame === middleFrame(this.bracket.frames.length)) this.tab.setThumbnail(pictureOf(picture));
  }

  /** What becomes of it: waiting, merging, saved or failed; undefined before. */
  get state(): string | undefined {
    return this.element.dataset.state;
  }

  setBusy(busy: boolean): void {
    this.#check.disabled = this.#open.disabled = busy;
  }

  setOutput(name: string): void {
    if (this.state !== 'saved') this.#output.textContent = name;
  }

  /** Waits for its turn. */
  wait(): void {
    this.#set(
      'waiting',
      say(make('p'), () => words.bracket.waits),
    );
  }

  /** Is being merged. */
  show({ stage, fraction }: Pick<Progress, 'stage' | 'fraction'>): void {
    if (this.state !== 'merging') this.#set('merging', make('p'));
    const isSure = stage === 'segmentation' || stage === 'fusion' || stage === 'merge';
    this.#bar.hidden = false;
    if (isSure) this.#bar.value = 100 * fraction;
    else this.#bar.removeAttribute('value');
    const percent = isSure ? `, ${Math.floor(100 * fraction)} %` : '';
    say(this.#state.firstElementChild!, () => words.progress.stages[stage] + percent);
  }

  /** Is saved. @param name that it was saved as. */
  saved(name: string, { file, preview, warnings, notes }: BracketResult): void {
    this.#output.textContent = '';
    const picture = pictureOf(preview);
    picture.classList.add('result');
    this.element.querySelector('.result')?.remove();
    this.element.append(picture);
    this.#set(
      'saved',
      say(make('p'), () => words.bracket.saved(name, bytes(file.size))),
      ...warnings.map((warning) => {
        const summary = say(make('summary'), () => warningWords(warning).title);
        return make(
          'details',
          {},
          summary,
          say(make('p'), () => warningWords(warning).text),
        );
      }),
      ...notes.map((note) => say(make('p'), () => noteWords(note))),
    );
  }

  /** Was saved before the page was loaded again. */
  savedBefore(): void {
    this.isChosen = false;
    this.#set(
      'saved',
      say(make('p'), () => words.bracket.savedBefore),
    );
  }

  failed(why: () => Words): void {
    const title = say(make('strong'), () => `${why().title}.`);
    this.#set(
      'failed',
      make(
        'p',
        {},
        title,
        ' ',
        say(make('span'), () => why().text),
      ),
    );
  }

  /** As before the merge: it was cancelled. */
  rest(): void {
    this.#set('');
  }

  #set(state: string, ...content: Node[]): void {
    this.element.dataset.state = state;
    if (!state) delete this.element.dataset.state;
    if (state !== 'merging') this.#bar.hidden = true;
    this.#state.replaceChildren(...content);
  }
}

/** Its address is given up as soon as the picture is loaded. */
function pictureOf(picture: Blob): HTMLImageElement {
  const src = URL.createObjectURL(picture);
  const release = () => URL.revokeObjectURL(src);
  return make('img', { className: 'thumb', alt: '', src, onload: release, onerror: release });
}
