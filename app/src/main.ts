/**
 * The page. It holds what the person has chosen, sends requests to the worker, and shows the worker's events. Nothing
 * here takes long.
 */
import type { ColorSpace } from '../../src/image/colorSpace.ts';
import { MIN_FRAMES, middleFrame } from '../../src/image/frame.ts';
import { mergedName } from './mergedName.ts';
import type {
  DisplayAbility,
  Failure,
  FrameToMerge,
  FromWorker,
  MergeSettings,
  NamedFile,
  ResponseChoice,
  ResultInfo,
  ToWorker,
} from './messages.ts';
import { Intake } from './intake.ts';
import type { Kept } from './kept/index.ts';
import type { Offline } from './offline/index.ts';
import { ExposureEstimate } from './exposureEstimate.ts';
import { applyExif, evText, inOrder, parseEv, propose } from './exposures.ts';
import { obstacle } from './obstacle.ts';
import type { GpuState } from './obstacle.ts';
import { startWorker } from './startWorker.ts';
import { showAbout } from './ui/about.ts';
import { AutoReference } from './ui/autoReference.ts';
import { offerKeys } from './ui/keys.ts';
import { MergeControls } from './ui/mergeControls.ts';
import { ask } from './ui/ask.ts';
import { Example } from './ui/example.ts';
import { announce, byId } from './ui/dom.ts';
import { FrameList } from './ui/frameList.ts';
import type { FrameRow } from './ui/frameList.ts';
import { showFrameNotes } from './ui/frameNotes.ts';
import { dismiss, notify } from './ui/notices.ts';
import { acceptFiles } from './ui/pickFiles.ts';
import type { Picked } from './ui/pickFiles.ts';
import { ProgressPanel } from './ui/progressPanel.ts';
import { Proof } from './ui/proof.ts';
import { ResultPanel } from './ui/resultPanel.ts';
import { Stage } from './ui/stage.ts';
import { Loupe } from './ui/loupe.ts';
import { keepAwake } from './ui/wakeLock.ts';
import { WARNINGS, failureWords, fileProblem, filesWords, warningWords } from './words/failures.ts';
import type { Doing } from './words/failures.ts';
import { onLanguage, words } from './words/index.ts';
import workerUrl from './worker/main.ts?worker&url';

/** Of a file that is still being read. */
const NOTHING_CLIPPED = { encoded: { sampled: 1, burnt: 0, black: 0 }, linear: { sampled: 1, burnt: 0, black: 0 } };

let rows: FrameRow[] = [];
let nextId = 1;
let referenceId: number | undefined;
/** Whether the person chose it; otherwise it is the middle exposure, or the one that shows most. */
let referenceChosen = false;
let gpu: GpuState = 'starting';
let busy = false;
/** Whether this browser can show light above white. */
let canExtend = false;
/** Of the frames that the shown result was made from. */
let merged: { result: ResultInfo; key: string } | undefined;
let pendingKey = '';
/** Of the shown result, in exposure order. */
let frameNames: string[] = [];
/** Whether it can be changed: not one that was restored. */
let canChange = true;
/** Whether the shown result was saved, in any format. */
let isSaved = false;
/** The page as an installed program; undefined where its code could not be loaded. */
let installed: Promise<Offline | undefined>;
let offline: Offline | undefined;
/** What keeps the picture; undefined until its code is loaded. */
let kept: Kept | undefined;

const worker = startWorker<ToWorker, FromWorker>(workerUrl, receive, (failure, message) => {
  const title = gpu === 'starting' ? 'noStart' : 'stopped';
  if (gpu !== 'ended') gpu = failure === 'ended' ? 'ended' : 'failed';
  busy = false;
  intake.batch?.workerFailed();
  const lost = isUnsaved();
  const text = () => {
    if (gpu === 'ended') return words.notices.workerEnded;
    const why = failure === 'message' ? words.notices.notUnderstood : message || words.notices.notLoaded;
    return words.notices.workerFailed(why, lost);
  };
  notify('worker', () => ({ title: words.notices[title], text: text() }), 'error', false);
  if (gpu === 'ended') {
    // Nothing is left to lose, nor to wait for.
    isSaved = true;
    for (const row of rows)
      if (row.state === 'loading') Object.assign(row, { state: 'failed', problem: words.merge.stopped });
    for (const button of document.querySelectorAll('[data-save]')) button.removeAttribute('aria-busy');
  }
  update();
});
const intake = new Intake({
  send: worker.send,
  add: addFiles,
  close: closeStack,
  hasUnsaved: isUnsaved,
  stackState: () => (busy ? 'merging' : !merged ? 'open' : isSaved ? 'saved' : 'merged'),
  settings: () => ({ ...settings(), autoReference: byId('reference-auto', HTMLInputElement).checked }),
  gpu: () => gpu,
  update,
});
const stage = new Stage(worker.send);
const progress = new ProgressPanel(() => worker.send({ type: 'cancel' }));
const loupe = new Loupe(stage, worker.send);
const resultPanel = new ResultPanel(stage, worker.send, fileStem, () => {
  isSaved = false;
  kept?.changed();
});
const list = new FrameList({
  onEv(id, text) {
    const row = rows.find((row) => row.id === id);
    if (!row) return;
    const reference = rows.find((row) => row.id === referenceId);
    const relative = parseEv(text);
    row.unread = undefined;
    if (text.trim() === '') Object.assign(row, { ev: undefined, typed: false, estimated: false });
    else if (Number.isNaN(relative)) row.unread = text;
    else {
      const zero = reference?.ev ?? 0;
      if (reference && reference.ev === undefined && reference !== row)
        Object.assign(reference, { ev: zero, typed: true });
      Object.assign(row, { ev: zero + relative, typed: true, estimated: false });
      // The others count from it: it must not become another because the order changes.
      referenceChosen = reference !== undefined;
    }
    update();
  },
  onReference(id) {
    referenceId = id;
    referenceChosen = true;
    autoReference.turnOff();
    update();
  },
  onRemove: removeFrame,
});
const autoReference = new AutoReference(update);
const exposureEstimate = new ExposureEstimate(worker.send);
const mergeControls = new MergeControls(update);
const example = new Example(worker.send, addFiles);
new Proof();
const mergeButton = byId('merge', HTMLButtonElement);

function start(): void {
  byId('unserved', HTMLDivElement).remove();
  showAbout();
  const canvas = byId('canvas', HTMLCanvasElement).transferControlToOffscreen();
  const [range, gamut] = [matchMedia('(dynamic-range: high)'), matchMedia('(color-gamut: p3)')];
  const display = (): DisplayAbility => ({ highRange: range.matches, wideGamut: gamut.matches });
  range.onchange = gamut.onchange = () => {
    worker.send({ type: 'display', display: display() });
    resultPanel.finish.allowBright(canExtend && range.matches);
  };
  worker.send({ type: 'start', canvas, base: document.baseURI, display: display() }, [canvas]);
  mergeButton.onclick = merge;
  byId('clear', HTMLButtonElement).onclick = () => void startOver();
  byId('to-brackets', HTMLButtonElement).onclick = () => intake.batch?.show();
  byId('response', HTMLSelectElement).onchange = update;
  byId('colour', HTMLSelectElement).onchange = update;
  // Closing the tab would end a merge that may have taken long, or lose its result.
  addEventListener('beforeunload', (event) => (isBusy() || isUnsaved()) && event.preventDefault());
  offerKeys();
  acceptFiles((picked) => void take(picked), isBusy);
  onLanguage(() => {
    announce('');
    update();
  });
  installed = startOffline().catch(() => undefined);
  void startKeeping().catch(() => undefined);
  update();
}

async function startOffline(): Promise<Offline> {
  const { Offline } = await import('./offline/index.ts');
  const isOccupied = (): boolean => isBusy() || isUnsaved();
  return (offline = new Offline({ take: (picked) => void take(picked), isOccupied }));
}

async function startKeeping(): Promise<void> {
  const { Kept } = await import('./kept/index.ts');
  kept = new Kept({
    send: worker.send,
    shown: () => ({
      rows,
      referenceId,
      referenceChosen,
      result: merged && {
        names: frameNames,
        isCurrent: merged.key === stackKey(),
        isSaved,
      },
      finish: resultPanel.finish.finish,
      crop: resultPanel.crop.crop,
    }),
    add(files) {
      const first = nextId;
      addFiles(files);
      return rows.filter(({ id }) => id >= first).map(({ id }) => id);
    },
    setFinish: (finish) => (resultPanel.finish.finish = finish),
    setCrop: (crop) => (resultPanel.crop.crop = crop),
    comparePlain(hasFrames) {
      if (hasFrames) worker.send({ type: 'plain', ...mergeRequest() });
      else resultPanel.refuseCompare(() => words.kept.missing);
    },
    update,
  });
  kept.changed();
}

/** Takes what was picked or dropped, where that is possible now. */
async function take(picked: Picked): Promise<void> {
  if (isBusy()) return notify('busy', () => words.notices.busy, 'info');
  dismiss('busy');
  // An answer is due first.
  if (document.querySelector('dialog')) return;
  // More of one scene, or the next one?
  if (merged && picked.folder === undefined && picked.files.length >= MIN_FRAMES) {
    const begins = await ask(words.ask.addOrBegin(isUnsaved()), words.ask.begin, words.ask.add);
    if (begins === undefined) return;
    if (begins) closeStack();
  }
  await intake.take(picked);
}

/** Whether there is a result that would be lost. */
function isUnsaved(): boolean {
  return merged !== undefined && !isSaved;
}

/** Whether a merge or a survey of a folder is under way. */
function isBusy(): boolean {
  return busy || intake.batch?.isBusy === true;
}

function receive(message: FromWorker): void {
  if (intake.receive(message)) return;
  kept?.receive(message);
  switch (message.type) {
    case 'ready':
      gpu = 'ready';
      canExtend = message.canExtend;
      resultPanel.finish.allowBright(canExtend && matchMedia('(dynamic-range: high)').matches);
      break;
    case 'unavailable':
      gpu = 'unavailable';
      fail('start', message.failure);
      break;
    case 'preloaded':
      // Fetched now, so that nothing is fetched once there are pictures.
      void intake.load().then(tellFetched, tellFetched);
      void installed.then((offline) => offline?.register());
      break;
    case 'example':
      return example.receive(message.files, rows.length === 0 && !merged && !intake.batch?.isShown);
    case 'glimpse':
      glimpsed(message);
      break;
    case 'frame':
      frameLoaded(message);
      break;
    case 'frameFailed':
      frameFailed(message);
      break;
    case 'exposuresEstimated':
      exposureEstimate.receive(message);
      break;
    case 'progress':
      return progress.show(message);
    case 'merged':
      busy = false;
      merged = { result: message.result, key: pendingKey };
      isSaved = false;
      frameNames = inOrder(readyRows()).map(({ name }) => name);
      showResult(message.result);
      loupe.setFrames(
        inOrder(readyRows()).map(({ name, ev }, _, { [message.result.reference]: reference }) => ({
          name,
          ev: evText((ev ?? 0) - (reference?.ev ?? 0)),
        })),
      );
      if (message.result.notes.length > 0) notify('files', () => filesWords(message.result.notes), 'warning');
      for (const warning of message.result.warnings) notify(warning.kind, () => warningWords(warning), 'warning');
      announce(words.merge.done);
      stageFocus();
      break;
    case 'restored':
      // It was forgotten meanwhile.
      if (!kept?.picture) return worker.send({ type: 'clear' });
      merged = { result: message.result, key: '' };
      ({ names: frameNames, isSaved } = kept.picture);
      showResult(message.result);
      break;
    case 'mergeFailed':
      busy = false;
      fail('merge', message.failure);
      mergeFocus();
      break;
    case 'cancelled':
      busy = false;
      announce(words.merge.cancelled);
      mergeFocus();
      break;
    case 'looks':
      return resultPanel.finish.offer(message);
    case 'histogram':
      return resultPanel.finish.showHistogram(message);
    case 'edits':
      ({ canChange } = message.edits);
      resultPanel.showEdits(message.edits);
      break;
    case 'changed':
      isSaved = false;
      dismiss('change');
      break;
    case 'changeFailed':
      fail('change', message.failure);
      // It can be merged again.
      if (merged) merged.key = '';
      break;
    case 'look':
      return loupe.show(message.thing);
    case 'plainReady':
      return resultPanel.allowCompare();
    case 'plainFailed':
      return resultPanel.refuseCompare(() => failureWords(message.failure, 'merge').title);
    case 'recovered':
      notify(
        'recovered',
        () => ({
          title: words.notices.recovered,
          text: message.what === 'merge' ? words.notices.mergeGoesOn : words.notices.shownAgain,
        }),
        'info',
      );
      break;
    case 'smaller':
      notify('recovered', () => words.notices.smaller, 'info');
      break;
    case 'viewFailed':
      return fail('view', message.failure);
    case 'saved':
      dismiss('save');
      isSaved = true;
      resultPanel.saved(message);
      break;
    case 'saveFailed':
      resultPanel.saveEnded(message.format);
      return fail('save', message.failure);
  }
  update();
}

function fail(doing: Doing, failure: Failure): void {
  notify(doing, () => failureWords(failure, doing), 'error', doing !== 'start');
}

/** Shows a result and its controls; who was at the frames, which are folded away, sees the first of these. */
function showResult(result: ResultInfo): void {
  const frames = byId('frames-section', HTMLDetailsElement);
  const isAtFrames = frames.open && frames.getBoundingClientRect().top < innerHeight / 2;
  frames.open = false;
  resultPanel.show(result, frameNames);
  if (isAtFrames) byId('look', HTMLElement).scrollIntoView();
}

/** Removes notices that no longer apply. */
function dismissAll(): void {
  for (const key of ['merge', 'view', 'change', 'save', 'recovered', 'files', 'frame', 'twice', ...WARNINGS])
    dismiss(key);
}

function addFiles(files: readonly NamedFile[]): void {
  if (isBusy()) return;
  const isHere = ({ name, file }: NamedFile): boolean =>
    rows.some((row) => row.name === name && row.file.size === file.size && modified(row.file) === modified(file));
  const twice = files.filter(isHere).map(({ name }) => name);
  if (twice.length > 0) notify('twice', () => words.notices.twice(twice[0], twice.length), 'info');
  else dismiss('twice');
  for (const { name, file } of files.filter((named) => !isHere(named))) {
    const id = nextId++;
    rows.push({
      id,
      name,
      file,
      // Nobody reads it.
      ...(gpu === 'ended' ? { state: 'failed', problem: words.merge.stopped } : { state: 'loading', problem: '' }),
      seen: false,
      exif: {},
      brightness: 0,
      ev: undefined,
      typed: false,
      estimated: false,
      width: 0,
      height: 0,
      bits: 8,
      clipped: NOTHING_CLIPPED,
      preview: '',
    });
    worker.send({ type: 'add', id, name, file });
  }
  if (files.length > 0) byId('frames-section', HTMLDetailsElement).open = true;
  update();
  if (files.length > 0)
    byId('frames-section', HTMLDetailsElement).querySelector('summary')?.focus({ preventScroll: true });
}

/** When a file was changed; undefined for the example. */
function modified(file: Blob): number | undefined {
  return 'lastModified' in file ? (file as File).lastModified : undefined;
}

function glimpsed({ id, exif, preview }: Extract<FromWorker, { type: 'glimpse' }>): void {
  const row = rows.find((row) => row.id === id);
  if (row?.state !== 'loading') return;
  Object.assign(row, { exif, seen: true, preview: preview ? URL.createObjectURL(preview) : '' });
}

function frameLoaded({ id, frame }: Extract<FromWorker, { type: 'frame' }>): void {
  const row = rows.find((row) => row.id === id);
  if (!row) return;
  if (row.preview) URL.revokeObjectURL(row.preview);
  const { preview, ...info } = frame;
  Object.assign(row, info, { state: 'ready', preview: URL.createObjectURL(preview) });
}

function frameFailed({ id, failure }: Extract<FromWorker, { type: 'frameFailed' }>): void {
  const row = rows.find((row) => row.id === id);
  if (!row) return;
  if (row.preview) URL.revokeObjectURL(row.preview);
  const problem = fileProblem(row.name, failure);
  Object.assign(row, { state: 'failed', problem, preview: '' });
  // Beside a result the list is below what is seen.
  if (merged)
    notify('frame', () => ({ title: words.notices.unusable(row.name), text: fileProblem(row.name, failure) }), 'error');
}

function removeFrame(id: number): void {
  const row = rows.find((row) => row.id === id);
  if (!row) return;
  if (row.state !== 'failed') worker.send({ type: 'remove', id });
  if (row.preview) URL.revokeObjectURL(row.preview);
  rows = rows.filter((row) => row.id !== id);
  if (referenceId === id) {
    referenceId = undefined;
    referenceChosen = false;
  }
  announce(words.frames.removed(row.name));
  update();
  byId('frames-section', HTMLDetailsElement).querySelector('summary')?.focus({ preventScroll: true });
}

async function startOver(): Promise<void> {
  if (isUnsaved() && !(await ask(words.ask.unsaved, words.ask.discard, words.ask.keep))) return;
  closeStack();
  intake.batch?.forget();
  update();
  document.querySelector<HTMLButtonElement>('#welcome [data-action=pick]')?.focus();
}

/** Forgets the frames and their result. */
function closeStack(): void {
  for (const { id } of [...rows]) removeFrame(id);
  worker.send({ type: 'clear' });
  kept?.forget();
  merged = undefined;
  loupe.close();
  stage.hide();
  resultPanel.hide();
  dismissAll();
  update();
}

/** What was chosen for merges. */
function settings(): MergeSettings {
  return {
    response: byId('response', HTMLSelectElement).value as ResponseChoice,
    align: mergeControls.align,
    strength: mergeControls.strength,
    colorSpace: byId('colour', HTMLSelectElement).value as ColorSpace,
  };
}

function readyRows(): FrameRow[] {
  return rows.filter(({ state }) => state === 'ready');
}

/** What a merge depends on, as text. Tells whether the result is still up to date. */
function stackKey(): string {
  return JSON.stringify([inOrder(readyRows()).map(({ id, ev }) => [id, ev]), referenceId, settings()]);
}

function mergeRequest(): { frames: FrameToMerge[]; reference: number } & MergeSettings {
  const stack = inOrder(readyRows());
  const zero = stack[0].ev ?? 0;
  return {
    frames: stack.map(({ id, ev }) => ({ id, exposure: 2 ** ((ev ?? 0) - zero) })),
    reference: stack.findIndex(({ id }) => id === referenceId),
    ...settings(),
  };
}

function merge(): void {
  busy = true;
  pendingKey = stackKey();
  dismissAll();
  progress.start();
  worker.send({ type: 'merge', ...mergeRequest() });
  announce(words.merge.merging);
  update();
  progress.focus();
}

function update(): void {
  const ready = readyRows();
  const resumed = kept?.chosen(rows);
  // What the files say of those that are still being decoded counts already.
  const known = rows.filter(({ state, seen }) => state === 'ready' || (state === 'loading' && seen));
  const contradiction = applyExif(known);
  const isSettled = !rows.some(({ state }) => state === 'loading');
  const linear = byId('response', HTMLSelectElement).value === 'linear';
  const estimate = exposureEstimate.apply(ready, isSettled, linear);
  const sorted = inOrder(known);
  const shown = autoReference.choose(inOrder(ready), linear, busy);
  if (shown !== undefined || !referenceChosen || !known.some(({ id }) => id === referenceId)) {
    referenceId = shown ?? sorted[middleFrame(sorted.length)]?.id;
    referenceChosen = false;
  }
  if (resumed) ({ referenceId = referenceId, referenceChosen } = resumed);
  if (merged && (kept?.isResuming || resumed?.isCurrent)) merged.key = stackKey();
  const isSame = merged?.key === stackKey();
  list.update(rows, {
    reference: referenceId,
    why: shown !== undefined ? 'most' : referenceChosen ? 'chosen' : 'middle',
    aligned: (isSame && merged?.result.aligned) || [],
    busy,
  });
  const isPlan = intake.batch?.isShown === true;
  const isMerging = busy || intake.batch?.isMerging === true;
  const stackState = merged ? 'result' : rows.length > 0 ? 'loaded' : 'empty';
  document.body.dataset.state = isMerging ? 'merging' : isPlan ? 'plan' : stackState;
  const isEmpty = rows.length === 0 && !merged;
  byId('welcome', HTMLElement).hidden = !isEmpty || isPlan;
  byId('workspace', HTMLDivElement).hidden = isEmpty || isPlan;
  const toBrackets = byId('to-brackets', HTMLButtonElement);
  toBrackets.hidden = isPlan || !intake.batch?.hasPlan;
  toBrackets.disabled = isBusy();
  byId('frame-count', HTMLSpanElement).textContent = ready.length > 0 ? `(${ready.length})` : '';
  showFrameNotes({ ready, contradiction, isSettled, estimate }, () => {
    propose(readyRows());
    update();
  });
  showPreview(ready);
  const why = obstacle(rows, gpu);
  // What was restored can be changed once it is merged again.
  const isDone = isSame && canChange;
  mergeButton.disabled = why !== '' || busy || isDone;
  mergeButton.hidden = busy || isDone;
  mergeButton.textContent = merged
    ? words.merge.again
    : ready.length >= MIN_FRAMES
      ? words.merge.frames(ready.length)
      : words.merge.merge;
  byId('merge-note', HTMLParagraphElement).textContent =
    busy || isSame ? '' : why || (merged ? words.merge.changed : '');
  if (example.mergesNow(rows, why)) return merge();
  progress.toggle(busy);
  keepAwake(isMerging);
  resultPanel.setBusy(busy || gpu === 'ended');
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action^=pick], #clear'))
    button.disabled = isBusy();
  intake.batch?.update();
  offline?.update();
  kept?.changed();
}

/** Before there is a result, the stage shows the reference frame. */
function showPreview(ready: readonly FrameRow[]): void {
  const image = byId('preview', HTMLImageElement);
  const row = ready.find(({ id }) => id === referenceId);
  image.hidden = merged !== undefined || !row;
  if (!row) return;
  if (image.src !== row.preview) image.src = row.preview;
  image.alt = words.picture.reference(row.name, row.ev === undefined ? '' : evText(0));
}

/** For whoever watches: the page needs no network from here on. */
function tellFetched(): void {
  document.body.dataset.fetched = '';
}

/** Files are named after the first frame. */
function fileStem(): string {
  const [first] = inOrder(readyRows());
  // A result that was kept may have come without its frames.
  return mergedName(first?.name ?? (merged ? frameNames[0] : ''));
}

/** Moves the focus for a person who started the merge with the keyboard: to the result, or to where the button was. */
function stageFocus(): void {
  if (document.activeElement === document.body || document.activeElement?.id === 'cancel')
    byId('view', HTMLDivElement).focus({ preventScroll: true });
}

function mergeFocus(): void {
  update();
  if (document.activeElement === document.body || document.activeElement?.id === 'cancel')
    mergeButton.focus({ preventScroll: true });
}

start();
