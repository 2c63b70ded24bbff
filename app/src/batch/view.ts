/** The plan on the page: the list of brackets, what is left over, and beside it how all are merged and saved. */
import { MAX_FRAMES, MIN_FRAMES } from '../../../src/image/frame.ts';
import type { SaveFormat } from '../messages.ts';
import { byId, make } from '../ui/dom.ts';
import { say, words } from '../words/index.ts';
import type { Card } from './card.ts';
import type { Plan } from './plan.ts';
import { moveSettings } from './settings.ts';

/** The formats of the page, and their extensions. */
export const FORMATS: readonly { value: SaveFormat; label: () => string; extension: string }[] = [
  { value: 'ultrahdr', label: () => 'Ultra HDR (JPEG)', extension: 'jpg' },
  { value: 'png', label: () => words.plan.png, extension: 'png' },
  { value: 'exr-half', label: () => words.save.exrHalfName, extension: 'exr' },
  { value: 'exr-float', label: () => words.save.exrFloatName, extension: 'exr' },
  { value: 'tiff', label: () => words.save.tiffName, extension: 'tif' },
  { value: 'dng', label: () => 'DNG', extension: 'dng' },
  { value: 'hdr', label: () => 'Radiance .hdr', extension: 'hdr' },
];

const DOWNLOADS = 'downloads';
const FOLDER = 'folder';

export interface ViewEvents {
  onMerge(): void;
  onCancel(): void;
  /** Frames of every bracket; undefined to find out. */
  onFrames(frames: number | undefined): void;
  onFormat(): void;
  onDownloads(): void;
  onChooseFolder(): void;
  onChooseAll(chosen: boolean): void;
  onClear(): void;
}

/** What the buttons and lines under the settings say. */
export interface ViewState {
  busy: boolean;
  chosen: number;
  /** Why nothing can be merged; empty if something can. */
  obstacle: string;
  /** The folder that results are saved in. */
  folder: string | undefined;
  canChooseFolder: boolean;
}

export class View {
  readonly #root = byId('batch', HTMLElement);
  readonly #title = make('h1', { id: 'batch-title', tabIndex: -1 });
  readonly #about = make('p', { className: 'about' });
  readonly #outcome = make('div', { id: 'batch-outcome', className: 'outcome', tabIndex: -1, hidden: true });
  readonly #all = make('input', { type: 'checkbox', id: 'batch-all' });
  readonly #allLabel = make(
    'label',
    { className: 'check all' },
    this.#all,
    say(make('span'), () => words.plan.all),
  );
  readonly #list = make('ol', { className: 'brackets' });
  readonly #leftOver = make('details', { id: 'left-over' });
  readonly #format = make(
    'select',
    { id: 'batch-format' },
    ...FORMATS.map(({ value, label }) => say(make('option', { value }), label)),
  );
  readonly #target = make(
    'select',
    { id: 'batch-target' },
    say(make('option', { value: DOWNLOADS }), () => words.plan.downloads),
    make('option', { value: FOLDER }),
  );
  readonly #targetField = field(() => words.plan.saveTo, this.#target);
  readonly #targetNote = make('p', { className: 'note' });
  readonly #frames = make(
    'select',
    { id: 'batch-frames' },
    say(make('option', { value: '' }), () => words.plan.asTaken),
    ...Array.from({ length: MAX_FRAMES - MIN_FRAMES + 1 }, (_, k) =>
      make('option', { value: String(MIN_FRAMES + k), textContent: String(MIN_FRAMES + k) }),
    ),
  );
  readonly #settings = make('fieldset', { className: 'settings' });
  readonly #clear = say(make('button', { type: 'button', className: 'quiet' }), () => words.frames.clear);
  readonly #progress = make('div', { id: 'batch-progress', hidden: true });
  readonly #stage = make('span', { id: 'batch-stage' });
  readonly #left = make('span', { className: 'left' });
  readonly #bar = make('progress', { max: 100, value: 0 });
  readonly #cancel = make('button', { type: 'button', id: 'batch-cancel', className: 'wide' });
  readonly #scroll = make('div', { className: 'scroll' });
  readonly #note = make('p', { className: 'note' });
  readonly #merge = make('button', { type: 'button', id: 'batch-merge', className: 'primary wide' });

  #titleText = (): string => '';

  constructor(events: ViewEvents) {
    this.#merge.onclick = events.onMerge;
    this.#cancel.onclick = () => {
      this.#cancel.disabled = true;
      say(this.#cancel, () => words.progress.cancelling);
      events.onCancel();
    };
    this.#frames.onchange = () => events.onFrames(this.#frames.value === '' ? undefined : Number(this.#frames.value));
    this.#format.onchange = events.onFormat;
    this.#target.onchange = () => (this.#target.value === FOLDER ? events.onChooseFolder() : events.onDownloads());
    this.#all.onchange = () => events.onChooseAll(this.#all.checked);
    this.#clear.onclick = events.onClear;
    this.#outcome.setAttribute('role', 'status');
    this.#bar.setAttribute('aria-labelledby', 'batch-stage');
    this.#progress.append(make('p', {}, this.#stage, ' ', this.#left), this.#bar, this.#cancel);
    this.#scroll.append(
      make(
        'section',
        {},
        say(make('h2'), () => words.save.title),
        field(() => words.plan.saveAs, this.#format),
        this.#targetField,
        this.#targetNote,
      ),
      make(
        'section',
        {},
        say(make('h2'), () => words.plan.settings),
        this.#settings,
      ),
      make(
        'section',
        {},
        field(() => words.plan.framesOf, this.#frames),
        this.#clear,
      ),
    );
    const panel = make(
      'aside',
      { className: 'panel' },
      this.#scroll,
      make('div', { className: 'actions' }, this.#progress, this.#note, this.#merge),
    );
    say(panel, () => words.plan.panel, 'aria-label');
    this.#root.replaceChildren(
      make(
        'div',
        { className: 'plan' },
        make('div', { className: 'head' }, this.#title, this.#about),
        this.#outcome,
        this.#allLabel,
        this.#list,
        this.#leftOver,
      ),
      panel,
    );
  }

  get format(): (typeof FORMATS)[number] {
    return FORMATS.find(({ value }) => value === this.#format.value)!;
  }

  /** Shows a plan. @param from what the pictures were in, in words. */
  setPlan({ brackets, leftOver, files }: Plan, cards: readonly Card[], from: () => string): void {
    const inBrackets = brackets.reduce((sum, { frames }) => sum + frames.length, 0);
    this.#titleText = () => words.plan.title(brackets.length, from());
    this.endSurveying();
    say(this.#about, () => words.plan.about(inBrackets, files));
    this.#about.hidden = brackets.length === 0;
    this.#allLabel.hidden = brackets.length === 0;
    this.#list.replaceChildren(...cards.map(({ element }) => element));
    const names = leftOver.reduce((sum, group) => sum + group.names.length, 0);
    this.#leftOver.hidden = names === 0;
    this.#leftOver.open = brackets.length === 0;
    this.#leftOver.replaceChildren(
      make(
        'summary',
        {},
        say(make('h2'), () => words.plan.leftOver(names)),
      ),
      make(
        'ul',
        {},
        ...leftOver.map((group) =>
          make(
            'li',
            {},
            make('span', { className: 'names', textContent: group.names.join(', ') }),
            say(make('span'), () => `: ${reasonWords(group)}`),
          ),
        ),
      ),
    );
    this.setOutcome();
  }

  /** The files of a folder are being read. @param count of pictures. */
  setSurveying(count: number): void {
    this.#root.dataset.mode = 'surveying';
    say(this.#title, () => words.plan.looking(count));
    this.setProgress(words.plan.reading, 0, '');
    this.begin();
  }

  /** Shows the plan from before the survey. */
  endSurveying(): void {
    delete this.#root.dataset.mode;
    say(this.#title, this.#titleText);
  }

  /** The person's choice of frames; undefined for none, after a plan for other files. */
  setFrames(frames: number | undefined): void {
    this.#frames.value = frames === undefined ? '' : String(frames);
  }

  setShown(isShown: boolean): void {
    this.#root.hidden = !isShown;
    moveSettings(isShown ? this.#settings : undefined);
  }

  update(cards: readonly Card[], { busy, chosen, obstacle, folder, canChooseFolder }: ViewState): void {
    for (const card of cards) card.setBusy(busy);
    this.#all.checked = chosen === cards.length && chosen > 0;
    this.#all.indeterminate = chosen > 0 && chosen < cards.length;
    for (const control of [this.#all, this.#format, this.#target, this.#frames, this.#settings, this.#clear])
      control.disabled = busy;
    // Nothing in it takes the focus meanwhile, without which keys cannot scroll it.
    this.#scroll.tabIndex = busy ? 0 : -1;
    this.#targetField.hidden = !canChooseFolder;
    this.#target.value = folder === undefined ? DOWNLOADS : FOLDER;
    this.#target.options[1].textContent = folder === undefined ? words.plan.folder : words.plan.folderOf(folder);
    this.#targetNote.textContent = folder === undefined ? words.plan.downloadsNote : '';
    this.#progress.hidden = !busy;
    this.#merge.hidden = busy;
    this.#merge.disabled = obstacle !== '' || chosen === 0;
    this.#merge.textContent = chosen === 0 ? words.merge.merge : words.plan.merge(chosen);
    this.#note.textContent = busy ? '' : obstacle || (chosen === 0 && cards.length > 0 ? words.plan.noneChosen : '');
  }

  /** Begins to show progress, and moves the focus there. */
  begin(): void {
    this.#cancel.disabled = false;
    say(this.#cancel, () => words.progress.cancel);
    this.#cancel.focus({ preventScroll: true });
  }

  /** @param fraction of all. @param left in words. */
  setProgress(stage: string, fraction: number, left: string): void {
    this.#stage.textContent = stage;
    this.#left.textContent = left;
    this.#bar.value = 100 * fraction;
  }

  /** What came of a run; nothing hides it. */
  setOutcome(tone?: 'good' | 'bad', ...content: Node[]): void {
    this.#outcome.hidden = tone === undefined;
    this.#outcome.dataset.tone = tone ?? '';
    this.#outcome.replaceChildren(...content);
  }

  focusOutcome(): void {
    this.#outcome.focus();
  }

  focusTitle(): void {
    this.#title.focus({ preventScroll: true });
  }
}

function field(text: () => string, control: HTMLSelectElement): HTMLDivElement {
  return make('div', { className: 'field' }, say(make('label', { htmlFor: control.id }), text), control);
}

/** Why files are in no bracket. */
export function reasonWords({ kind, reason }: Plan['leftOver'][number]): string {
  return kind === 'no-picture' ? words.plan.noPicture : words.plan.reason(kind, reason);
}
