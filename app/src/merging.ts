/** The merge under way, and the result that is shown: what it was made from, and whether it was changed or saved. */
import type { Failure, FromWorker, MergeSettings, ResultInfo, ToWorker } from './messages.ts';
import type { Kept } from './kept/index.ts';
import { mergedName } from './mergedName.ts';
import { evText, inOrder } from './exposures.ts';
import type { Stack } from './stack.ts';
import { announce, byId } from './ui/dom.ts';
import { Loupe } from './ui/loupe.ts';
import { dismiss, notify } from './ui/notices.ts';
import { ProgressPanel } from './ui/progressPanel.ts';
import { ResultPanel } from './ui/resultPanel.ts';
import { Stage } from './ui/stage.ts';
import { WARNINGS, failureWords, filesWords, warningWords } from './words/failures.ts';
import type { Doing } from './words/failures.ts';
import { words } from './words/index.ts';

export interface MergingHost {
  send(message: ToWorker): void;
  settings(): MergeSettings;
  /** What keeps the picture; undefined until its code is loaded. */
  kept(): Kept | undefined;
  update(): void;
}

export class Merging {
  readonly #host: MergingHost;
  readonly #stack: Stack;
  readonly #stage: Stage;
  readonly #loupe: Loupe;
  readonly panel: ResultPanel;
  readonly progress: ProgressPanel;
  readonly button = byId('merge', HTMLButtonElement);
  isBusy = false;
  /** What is shown; undefined without a result. */
  result: ResultInfo | undefined;
  /** What the result was made from, and what the merge under way is made from. */
  #key = '';
  #pendingKey = '';
  /** Of the shown result, in exposure order. */
  frameNames: string[] = [];
  /** Whether it can be changed: not one that was restored. */
  canChange = true;
  /** Whether a change could not be merged yet: it is tried again with the next, or with all frames. */
  isBroken = false;
  /** Whether the shown result was saved, in any format. */
  isSaved = false;

  constructor(stack: Stack, host: MergingHost) {
    this.#stack = stack;
    this.#host = host;
    this.#stage = new Stage(host.send);
    this.progress = new ProgressPanel(() => host.send({ type: 'cancel' }));
    this.#loupe = new Loupe(this.#stage, host.send);
    this.panel = new ResultPanel(
      this.#stage,
      host.send,
      () => this.#fileStem(),
      () => {
        this.isSaved = false;
        host.kept()?.changed();
      },
    );
    this.button.onclick = () => this.start();
  }

  /** Whether there is a result that would be lost. */
  get isUnsaved(): boolean {
    return this.result !== undefined && !this.isSaved;
  }

  /** Whether the result was made from these frames and settings. */
  get isCurrent(): boolean {
    return this.result !== undefined && this.#key === this.#stackKey();
  }

  /** The result was made from these frames and settings, though it was not this page that merged them. */
  setCurrent(): void {
    this.#key = this.#stackKey();
  }

  start(): void {
    this.isBusy = true;
    this.#pendingKey = this.#stackKey();
    dismissAll();
    this.progress.start();
    // What was changed in the same picture stays.
    const keepsChanges = this.isCurrent && (!this.canChange || this.isBroken);
    this.#host.send({ type: 'merge', ...this.request(), keepsChanges });
    announce(words.merge.merging);
    this.#host.update();
    this.progress.focus();
  }

  request() {
    return { ...this.#stack.request(), ...this.#host.settings() };
  }

  /** Takes a message of the worker that is about the result. @returns whether the page is to be brought up to date. */
  receive(message: FromWorker): boolean {
    const { panel } = this;
    switch (message.type) {
      case 'progress':
        this.progress.show(message);
        return false;
      case 'merged':
        this.#merged(message.result);
        return true;
      case 'restored':
        return this.#restored(message.result);
      case 'mergeFailed':
        this.isBusy = false;
        fail('merge', message.failure);
        this.#focusButton();
        return true;
      case 'cancelled':
        this.isBusy = false;
        announce(words.merge.cancelled);
        this.#focusButton();
        return true;
      case 'looks':
        panel.finish.offer(message);
        return false;
      case 'histogram':
        panel.finish.showHistogram(message);
        return false;
      case 'edits':
        ({ canChange: this.canChange } = message.edits);
        panel.showEdits(message.edits);
        return true;
      case 'changed':
        this.isSaved = this.isBroken = false;
        dismiss('change');
        return true;
      case 'changeFailed':
        fail('change', message.failure);
        this.isBroken = true;
        return true;
      case 'look':
        if (!message.thing && !this.canChange) notify('change', () => words.kept.mergeFirst, 'info');
        else this.#loupe.show(message.thing);
        return false;
      case 'plainReady':
        panel.allowCompare();
        return false;
      case 'plainFailed':
        panel.refuseCompare(() => failureWords(message.failure, 'merge').title);
        return false;
      case 'recovered': {
        const { what } = message;
        const text = () => (what === 'merge' ? words.notices.mergeGoesOn : words.notices.shownAgain);
        notify('recovered', () => ({ title: words.notices.recovered, text: text() }), 'info');
        return true;
      }
      case 'smaller':
        notify('recovered', () => words.notices.smaller, 'info');
        return true;
      case 'viewFailed':
        fail('view', message.failure);
        return false;
      case 'saved':
        dismiss('save');
        this.isSaved = panel.saved(message) && !message.isOutdated;
        return true;
      case 'saveFailed':
        panel.saveEnded(message.format);
        fail('save', message.failure);
        return false;
      default:
        return true;
    }
  }

  /** The worker has stopped. @param isGone whether it was ended: nothing is left to lose, nor to wait for. */
  end(isGone: boolean): void {
    this.isBusy = false;
    if (!isGone) return;
    this.isSaved = true;
    for (const button of document.querySelectorAll('[data-save]')) button.removeAttribute('aria-busy');
  }

  /** Forgets the result. */
  clear(): void {
    this.result = undefined;
    this.#loupe.close();
    this.#stage.hide();
    this.panel.hide();
    dismissAll();
  }

  #merged(result: ResultInfo): void {
    this.isBusy = false;
    this.#key = this.#pendingKey;
    this.isSaved = false;
    const frames = inOrder(this.#stack.ready);
    this.frameNames = frames.map(({ name }) => name);
    this.#show(result);
    const zero = frames[result.reference]?.ev ?? 0;
    this.#loupe.setFrames(frames.map(({ name, ev }) => ({ name, ev: evText((ev ?? 0) - zero) })));
    if (result.notes.length > 0) notify('files', () => filesWords(result.notes), 'warning');
    for (const warning of result.warnings) notify(warning.kind, () => warningWords(warning), 'warning');
    announce(words.merge.done);
    // To the result, for a person who started the merge with the keyboard.
    if (isFocusLost()) byId('view', HTMLDivElement).focus({ preventScroll: true });
  }

  #restored(result: ResultInfo): boolean {
    const picture = this.#host.kept()?.picture;
    if (!picture) {
      // It was forgotten meanwhile.
      this.#host.send({ type: 'clear' });
      return false;
    }
    this.#key = '';
    ({ names: this.frameNames, isSaved: this.isSaved } = picture);
    this.#show(result);
    return true;
  }

  /** Shows a result and its controls; who was at the frames, which are folded away, sees the first of these. */
  #show(result: ResultInfo): void {
    this.result = result;
    this.isBroken = false;
    const frames = byId('frames-section', HTMLDetailsElement);
    const isAtFrames = frames.open && frames.getBoundingClientRect().top < innerHeight / 2;
    frames.open = false;
    this.panel.show(result, this.frameNames);
    if (isAtFrames) byId('look', HTMLElement).scrollIntoView();
  }

  /** To where the button was, for a person who started the merge with the keyboard. */
  #focusButton(): void {
    this.#host.update();
    if (isFocusLost()) this.button.focus({ preventScroll: true });
  }

  /** What a merge depends on, as text. */
  #stackKey(): string {
    const { ready, referenceId } = this.#stack;
    return JSON.stringify([inOrder(ready).map(({ id, ev }) => [id, ev]), referenceId, this.#host.settings()]);
  }

  /** Files are named after the first frame. */
  #fileStem(): string {
    const [first] = inOrder(this.#stack.ready);
    // A result that was kept may have come without its frames.
    return mergedName(first?.name ?? (this.result ? this.frameNames[0] : ''));
  }
}

export function fail(doing: Doing, failure: Failure): void {
  notify(doing, () => failureWords(failure, doing), 'error', doing !== 'start');
}

/** Whether what had the focus is gone. */
function isFocusLost(): boolean {
  return document.activeElement === document.body || document.activeElement?.id === 'cancel';
}

/** Removes notices that no longer apply. */
function dismissAll(): void {
  for (const key of ['merge', 'view', 'change', 'save', 'recovered', 'files', 'frame', 'twice', ...WARNINGS])
    dismiss(key);
}
