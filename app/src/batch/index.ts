/**
 * Many brackets at once: finds them among the files of a folder, shows the plan, and merges one after another, with the
 * engine that single merges use.
 *
 * The page loads this as a chunk of its own and asks it about more files than one bracket needs at least. What turns
 * out to be one bracket goes back to the page.
 */
import './style.css';
import { pictureKind } from '../../../src/brackets/pictureFiles.ts';
import { MAX_FRAMES } from '../../../src/image/frame.ts';
import type { Shot } from '../../../src/brackets/shots.ts';
import type { FromWorker } from '../messages.ts';
import { announce } from '../ui/dom.ts';
import { dismiss, notify } from '../ui/notices.ts';
import type { Picked } from '../ui/pickFiles.ts';
import { ask } from '../ui/ask.ts';
import { words } from '../words/index.ts';
import { Card } from './card.ts';
import type { BatchHost } from './host.ts';
import { outcomeOf } from './outcome.ts';
import { makePlan } from './plan.ts';
import { Run } from './run.ts';
import { SaveTo, whyNotSaved } from './saveTo.ts';
import { Strip } from './strip.ts';
import { Survey } from './survey.ts';
import { Thumbnails } from './thumbnails.ts';
import { View, reasonWords } from './view.ts';

/** What is kept of a plan, over a reload. */
export interface BatchList extends Picked {
  /** Of every bracket, if they are counted. */
  frames: number | undefined;
  /** Names of the brackets whose pictures are saved. */
  saved: string[];
}

/** What a plan is made from. */
interface Surveyed extends Picked {
  shots: readonly Shot[];
}

const nameOf = (path: string): string => path.replace(/^.*\//, '');

export class Batch {
  readonly #host: BatchHost;
  readonly #view: View;
  readonly #thumbnails: Thumbnails;
  readonly #target = new SaveTo();
  readonly #survey: Survey;
  #surveyed: Surveyed | undefined;
  #cards: Card[] = [];
  #run: Run | undefined;
  /** Whose frames are open on the page. */
  #opened: Card | undefined;
  readonly #strip = new Strip();
  /** Frames of every bracket, if they are counted. */
  #frames: number | undefined;
  /** A plan that is made again, and what waits for it. */
  #restoring: { list: BatchList; opened: readonly string[]; done: () => void } | undefined;
  #isShown = false;
  /** Whether the plan was shown when a survey began. */
  #wasShown = false;

  constructor(host: BatchHost) {
    this.#host = host;
    this.#thumbnails = new Thumbnails(host.send);
    this.#survey = new Survey(host.send);
    this.#view = new View({
      onMerge: () => void this.#merge(),
      onCancel: () => this.#cancel(),
      onFrames: (frames) => this.#plan(frames),
      onFormat: () => this.#host.update(),
      onDownloads: () => {
        this.#target.useDownloads();
        this.#host.update();
      },
      onChooseFolder: () => void this.#chooseFolder(),
      onChooseAll: (chosen) => {
        for (const card of this.#cards) card.isChosen = chosen;
        this.#host.update();
      },
      onClear: () => void this.#startOver(),
    });
  }

  /** Whether the plan is what the page shows. */
  get isShown(): boolean {
    return this.#isShown;
  }

  get hasPlan(): boolean {
    return this.#surveyed !== undefined;
  }

  get isBusy(): boolean {
    return this.#run !== undefined || this.#survey.isUnderWay;
  }

  get isMerging(): boolean {
    return this.#run !== undefined;
  }

  /** What is to be kept; undefined without a plan. */
  get list(): BatchList | undefined {
    if (!this.#surveyed) return undefined;
    const { files, folder } = this.#surveyed;
    const saved = this.#cards.filter((card) => this.#strip.isSaved(card)).map(({ bracket }) => bracket.stem);
    return { files, ...(folder !== undefined && { folder }), frames: this.#frames, saved };
  }

  /** Plans as before. @param opened names of the frames of the bracket that is open. @returns when that is done. */
  restore(list: BatchList, opened: readonly string[]): Promise<void> {
    return new Promise((done) => {
      this.take(list);
      if (this.#survey.isUnderWay) this.#restoring = { list, opened, done };
      else done();
    });
  }

  /** Takes files that may be several brackets. */
  take({ files, folder }: Picked): void {
    const pictures = files.filter(({ name }) => pictureKind(name));
    dismiss('folder');
    if (pictures.length === 0 && folder !== undefined) return notify('folder', () => words.plan.noPictures(folder));
    this.#wasShown = this.#isShown;
    // Files that were picked one by one are accounted for, whatever they are.
    this.#survey.begin({ folder, files: folder === undefined ? files : pictures }, pictures, () => {
      this.#isShown = true;
      this.#host.update();
      this.#view.setSurveying(pictures.length);
    });
    this.#host.update();
  }

  /** Takes a message of the worker, if it is about brackets. @returns whether it was. */
  receive(message: FromWorker): boolean {
    switch (message.type) {
      case 'surveying':
        if (!this.#survey.of(message)) return true;
        this.#view.setProgress(
          words.plan.reading,
          message.done / message.total,
          words.plan.done(message.done, message.total),
        );
        return true;
      case 'surveyed': {
        const picked = this.#survey.of(message);
        if (picked) this.#decide(picked, message.shots);
        return true;
      }
      case 'thumbnail':
        this.#thumbnails.receive(message);
        return true;
      case 'progress':
      case 'bracketMerged':
      case 'bracketFailed':
      case 'bracketCancelled':
        this.#run?.receive(message);
        return this.#run !== undefined || message.type !== 'progress';
      default:
        return false;
    }
  }

  /** The worker has ended. */
  workerFailed(): void {
    this.#run?.end();
    this.#endSurvey();
  }

  /** Goes back to the plan. */
  show(): void {
    this.#isShown = true;
    this.#host.update();
    this.#view.focusTitle();
  }

  /** Forgets the plan. */
  forget(): void {
    this.#surveyed = undefined;
    this.#cards = [];
    this.#thumbnails.show([]);
    this.#opened = undefined;
    this.#isShown = false;
    this.#strip.show([]);
  }

  /** Brings the plan up to date. */
  update(): void {
    this.#view.setShown(this.#isShown);
    this.#strip.update(this.#isShown ? undefined : this.#opened, this.#host.stackState(), this.isBusy);
    const { extension } = this.#view.format;
    for (const card of this.#cards) card.setOutput(`${card.bracket.stem}.${extension}`);
    this.#view.update(this.#cards, {
      busy: this.isBusy,
      chosen: this.#cards.filter(({ isChosen }) => isChosen).length,
      obstacle: this.#obstacle(),
      folder: this.#target.folder,
      canChooseFolder: this.#target.canChoose,
    });
  }

  #obstacle(): string {
    const gpu = this.#host.gpu();
    if (gpu === 'unavailable') return words.merge.noGpu;
    if (gpu === 'failed' || gpu === 'ended') return words.merge.stopped;
    return gpu === 'starting' ? words.merge.starting : '';
  }

  /** What becomes of files whose shots are known. */
  #decide(picked: Picked, shots: readonly Shot[]): void {
    const { files, folder } = picked;
    const restoring = this.#restoring;
    this.#endSurvey();
    const isRead = shots.length > 0;
    const { brackets, leftOver } = isRead ? makePlan(files, shots, undefined) : { brackets: [], leftOver: [] };
    if (isRead && (brackets.length > 1 || shots.length > MAX_FRAMES)) {
      this.#surveyed = { ...picked, shots };
      this.#view.setFrames(restoring?.list.frames);
      this.#isShown = true;
      this.#plan(restoring?.list.frames);
      if (restoring) return this.#restore(restoring.list, restoring.opened);
      this.#view.focusTitle();
      announce(words.plan.found(brackets.length));
      return;
    }
    this.#isShown = false;
    this.#view.endSurveying();
    if (restoring) return this.#host.update();
    const only = folder === undefined ? undefined : brackets[0]?.frames;
    this.#host.add((only ?? files).map(({ name, file }) => ({ name: nameOf(name), file })));
    if (!only || leftOver.length === 0) return;
    const list = () => leftOver.map((group) => `${group.names.join(', ')} (${reasonWords(group)})`).join('; ');
    notify('folder', () => words.plan.one(folder ?? '', list()), 'info');
  }

  #endSurvey(): void {
    this.#survey.end();
    // Once what follows is done.
    queueMicrotask(this.#restoring?.done ?? (() => undefined));
    this.#restoring = undefined;
  }

  /** What became of the brackets, and which one is open. */
  #restore({ saved }: BatchList, opened: readonly string[]): void {
    for (const card of this.#cards) {
      if (saved.includes(card.bracket.stem)) card.savedBefore();
      const names = card.bracket.frames.map(({ name }) => nameOf(name));
      if (names.length === opened.length && names.every((name) => opened.includes(name))) this.#opened = card;
    }
    if (this.#opened) this.#isShown = false;
    this.#host.update();
  }

  /** @param frames of every bracket, if they are counted. */
  #plan(frames: number | undefined): void {
    if (!this.#surveyed) return;
    const { files, folder, shots } = this.#surveyed;
    this.#frames = frames;
    const plan = makePlan(files, shots, frames);
    this.#opened = undefined;
    this.#cards = plan.brackets.map((bracket) => {
      const card: Card = new Card(bracket, {
        onToggle: () => this.#host.update(),
        onOpen: () => void this.#open(card),
      });
      return card;
    });
    this.#strip.show(this.#cards);
    this.#view.setPlan(plan, this.#cards, () => folder ?? words.plan.these(plan.files));
    this.#host.update();
    this.#thumbnails.show(this.#cards);
  }

  /** Shows a bracket alone, as if its photos had been dropped. */
  async #open(card: Card): Promise<void> {
    if (this.isBusy) return;
    if (this.#opened !== card) {
      if (!(await this.#closeStack())) return;
      this.#opened = card;
      this.#isShown = false;
      this.#host.add(card.bracket.frames.map(({ name, file }) => ({ name: nameOf(name), file })));
    }
    this.#isShown = false;
    this.#host.update();
  }

  /** Closes the stack that is open. @returns false where the person wants to keep its result. */
  async #closeStack(): Promise<boolean> {
    if (!(await this.#mayClose())) return false;
    this.#opened = undefined;
    this.#host.close();
    return true;
  }

  async #mayClose(): Promise<boolean> {
    return !this.#host.hasUnsaved() || ask(words.plan.discard, words.ask.discard, words.ask.keep).then(Boolean);
  }

  async #startOver(): Promise<void> {
    if (!(await this.#mayClose())) return;
    // Nothing of it is kept then.
    this.forget();
    this.#host.close();
    document.querySelector<HTMLButtonElement>('#welcome [data-action=pick]')?.focus();
  }

  async #chooseFolder(): Promise<void> {
    dismiss('folder');
    try {
      await this.#target.choose();
    } catch (error) {
      notify('folder', () => ({ title: words.plan.otherFolder, text: whyNotSaved(error) }));
    }
    this.#host.update();
  }

  #cancel(): void {
    this.#host.send({ type: 'cancel' });
    this.#run?.cancel();
    if (!this.#survey.isUnderWay) return;
    this.#endSurvey();
    this.#isShown = this.#wasShown;
    this.#view.endSurveying();
    this.#host.update();
  }

  async #merge(): Promise<void> {
    if (this.isBusy || !(await this.#closeStack())) return;
    const chosen = this.#cards.filter(({ isChosen }) => isChosen);
    const { value: format } = this.#view.format;
    const run = new Run(chosen, { ...this.#host.settings(), format }, this.#target, this.#host.send, (...progress) =>
      this.#view.setProgress(...progress),
    );
    this.#run = run;
    this.#view.setOutcome();
    this.#host.update();
    this.#view.begin();
    const result = await run.finish();
    this.#run = undefined;
    const hadFocus = document.activeElement === document.body || document.activeElement?.id === 'batch-cancel';
    const { tone, content, spoken } = outcomeOf(result, chosen.length, this.#target.folder);
    this.#view.setOutcome(tone, ...content);
    announce(spoken);
    this.#host.update();
    if (hadFocus) this.#view.focusOutcome();
  }
}
