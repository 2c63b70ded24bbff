/**
 * The page. It starts the worker, passes on what it says, and brings what is shown up to date. The frames are in
 * stack.ts, the result in merging.ts, what is dropped goes through intake.ts. Nothing here takes long.
 */
import type { ColorSpace } from '../../src/image/colorSpace.ts';
import { MIN_FRAMES } from '../../src/image/frame.ts';
import { ExposureEstimate } from './exposureEstimate.ts';
import { evText, inOrder, propose } from './exposures.ts';
import { Intake } from './intake.ts';
import type { Kept } from './kept/index.ts';
import { Merging, fail } from './merging.ts';
import type { DisplayAbility, FromWorker, MergeSettings, NamedFile, ResponseChoice, ToWorker } from './messages.ts';
import { obstacle } from './obstacle.ts';
import type { GpuState } from './obstacle.ts';
import type { Offline } from './offline/index.ts';
import { Stack } from './stack.ts';
import { startWorker } from './startWorker.ts';
import type { WorkerFailure } from './startWorker.ts';
import { showAbout } from './ui/about.ts';
import { ask } from './ui/ask.ts';
import { AutoReference } from './ui/autoReference.ts';
import { announce, byId } from './ui/dom.ts';
import { Example } from './ui/example.ts';
import { FrameList } from './ui/frameList.ts';
import type { FrameRow } from './ui/frameList.ts';
import { showFrameNotes } from './ui/frameNotes.ts';
import { MergeControls } from './ui/mergeControls.ts';
import { notify } from './ui/notices.ts';
import { acceptFiles } from './ui/pickFiles.ts';
import { Proof } from './ui/proof.ts';
import { keepAwake } from './ui/wakeLock.ts';
import { onLanguage, words } from './words/index.ts';
import workerUrl from './worker/main.ts?worker&url';

let gpu: GpuState = 'starting';
/** Whether this browser can show light above white. */
let canExtend = false;
/** The page as an installed program; undefined where its code could not be loaded. */
let installed: Promise<Offline | undefined>;
let offline: Offline | undefined;
/** What keeps the picture; undefined until its code is loaded. */
let kept: Kept | undefined;

const worker = startWorker<ToWorker, FromWorker>(workerUrl, receive, workerFailed);
const { send } = worker;
const stack = new Stack({
  send,
  hasEnded: () => gpu === 'ended',
  hasResult: () => merging.result !== undefined,
  update,
});
const merging = new Merging(stack, { send, settings, kept: () => kept, update });
const intake = new Intake({
  send,
  add: addFiles,
  close: closeStack,
  hasUnsaved: () => merging.isUnsaved,
  stackState() {
    if (merging.isBusy) return 'merging';
    if (!merging.result) return 'open';
    return merging.isSaved ? 'saved' : 'merged';
  },
  settings: () => ({ ...settings(), autoReference: byId('reference-auto', HTMLInputElement).checked }),
  gpu: () => gpu,
  update,
});
const list = new FrameList({
  onEv: (id, text) => stack.setEv(id, text),
  onReference(id) {
    stack.chooseReference(id);
    autoReference.turnOff();
    update();
  },
  onRemove: (id) => stack.remove(id),
});
const autoReference = new AutoReference(update);
const exposureEstimate = new ExposureEstimate(send);
const mergeControls = new MergeControls(update);
const example = new Example(send, addFiles);
new Proof();

function start(): void {
  byId('unserved', HTMLDivElement).remove();
  showAbout();
  const canvas = byId('canvas', HTMLCanvasElement).transferControlToOffscreen();
  const [range, gamut] = [matchMedia('(dynamic-range: high)'), matchMedia('(color-gamut: p3)')];
  const display = (): DisplayAbility => ({ highRange: range.matches, wideGamut: gamut.matches });
  range.onchange = gamut.onchange = () => {
    send({ type: 'display', display: display() });
    merging.panel.finish.allowBright(canExtend && range.matches);
  };
  send({ type: 'start', canvas, base: document.baseURI, display: display() }, [canvas]);
  byId('clear', HTMLButtonElement).onclick = () => void startOver();
  byId('to-brackets', HTMLButtonElement).onclick = () => intake.batch?.show();
  byId('response', HTMLSelectElement).onchange = update;
  byId('colour', HTMLSelectElement).onchange = update;
  // Closing the tab would end a merge that may have taken long, or lose its result.
  addEventListener('beforeunload', (event) => (intake.isBusy || merging.isUnsaved) && event.preventDefault());
  offerKeys();
  acceptFiles(
    (picked) => void intake.take(picked),
    () => intake.isBusy,
  );
  onLanguage(() => {
    announce('');
    update();
  });
  installed = startOffline().catch(() => undefined);
  void startKeeping().catch(() => undefined);
  update();
}

/** The list of keys is fetched behind the weights, or when it is opened. */
const loadKeys = () => import('./ui/keys.ts');

/** Offers the list of keys by its buttons and its key. */
function offerKeys(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action=keys]'))
    button.onclick = () =>
      void loadKeys().then(
        ({ openKeys }) => openKeys(),
        () => undefined,
      );
  addEventListener('keydown', ({ key, ctrlKey, altKey, metaKey, target }) => {
    if (key !== '?' || ctrlKey || altKey || metaKey) return;
    // Where it can be typed, it is typed.
    if (target instanceof Element && target.matches('input[type=text], select, textarea')) return;
    void loadKeys().then(
      ({ openKeysByKey }) => openKeysByKey(),
      () => undefined,
    );
  });
}

async function startOffline(): Promise<Offline> {
  const { Offline } = await import('./offline/index.ts');
  const isOccupied = (): boolean => intake.isBusy || merging.isUnsaved;
  return (offline = new Offline({ take: (picked) => void intake.take(picked), isOccupied }));
}

async function startKeeping(): Promise<void> {
  const { keep } = await import('./kept/connect.ts');
  kept = keep({ send, add: addFiles, intake, stack, merging, update });
  kept.changed();
}

function workerFailed(failure: WorkerFailure, message: string): void {
  const title = gpu === 'starting' ? 'noStart' : 'stopped';
  if (gpu !== 'ended') gpu = failure === 'ended' ? 'ended' : 'failed';
  const lost = merging.isUnsaved;
  merging.end(gpu === 'ended');
  if (gpu === 'ended') stack.end();
  intake.batch?.workerFailed();
  const text = () => {
    if (gpu === 'ended') return words.notices.workerEnded;
    const why = failure === 'message' ? words.notices.notUnderstood : message || words.notices.notLoaded;
    return words.notices.workerFailed(why, lost);
  };
  notify('worker', () => ({ title: words.notices[title], text: text() }), 'error', false);
  update();
}

function receive(message: FromWorker): void {
  if (intake.receive(message)) return;
  kept?.receive(message);
  switch (message.type) {
    case 'ready':
      gpu = 'ready';
      canExtend = message.canExtend;
      merging.panel.finish.allowBright(canExtend && matchMedia('(dynamic-range: high)').matches);
      break;
    case 'unavailable':
      gpu = 'unavailable';
      fail('start', message.failure);
      break;
    case 'preloaded':
      // Fetched now, so that nothing is fetched once there are pictures.
      void Promise.all([intake.load(), loadKeys()]).then(tellFetched, tellFetched);
      void installed.then((offline) => offline?.register());
      break;
    case 'example':
      return example.receive(message.files, isEmpty() && !intake.batch?.isShown);
    case 'glimpse':
    case 'frame':
    case 'frameFailed':
      stack.receive(message);
      break;
    case 'exposuresEstimated':
      exposureEstimate.receive(message);
      break;
    default:
      if (!merging.receive(message)) return;
  }
  update();
}

/** Whether there are neither frames nor a result. */
function isEmpty(): boolean {
  return stack.rows.length === 0 && !merging.result;
}

function addFiles(files: readonly NamedFile[]): number[] {
  return intake.isBusy ? [] : stack.add(files);
}

async function startOver(): Promise<void> {
  if (merging.isUnsaved && !(await ask(words.ask.unsaved, words.ask.discard, words.ask.keep))) return;
  intake.batch?.forget();
  closeStack();
  document.querySelector<HTMLButtonElement>('#welcome [data-action=pick]')?.focus();
}

/** Forgets the frames and their result. */
function closeStack(): void {
  stack.clear();
  send({ type: 'clear' });
  kept?.forget();
  merging.clear();
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

function update(): void {
  const { ready, rows } = stack;
  const { isBusy: busy, result } = merging;
  const resumed = kept?.chosen(rows);
  const contradiction = stack.applyExif();
  const isSettled = !rows.some(({ state }) => state === 'loading');
  const linear = byId('response', HTMLSelectElement).value === 'linear';
  const estimate = exposureEstimate.apply(ready, isSettled, linear);
  const showsMost = autoReference.choose(inOrder(ready), linear, busy);
  stack.settleReference(showsMost);
  if (resumed)
    Object.assign(stack, {
      referenceChosen: resumed.referenceChosen,
      referenceId: resumed.referenceId ?? stack.referenceId,
    });
  if (result && (kept?.isResuming || resumed?.isCurrent)) merging.setCurrent();
  const isSame = merging.isCurrent;
  list.update(rows, {
    reference: stack.referenceId,
    why: showsMost !== undefined ? 'most' : stack.referenceChosen ? 'chosen' : 'middle',
    aligned: (isSame && result?.aligned) || [],
    busy,
  });
  const isPlan = intake.batch?.isShown === true;
  const isMerging = busy || intake.batch?.isMerging === true;
  const stackState = result ? 'result' : rows.length > 0 ? 'loaded' : 'empty';
  document.body.dataset.state = isMerging ? 'merging' : isPlan ? 'plan' : stackState;
  byId('welcome', HTMLElement).hidden = !isEmpty() || isPlan;
  byId('workspace', HTMLDivElement).hidden = isEmpty() || isPlan;
  const toBrackets = byId('to-brackets', HTMLButtonElement);
  toBrackets.hidden = isPlan || !intake.batch?.hasPlan;
  toBrackets.disabled = intake.isBusy;
  byId('frame-count', HTMLSpanElement).textContent = ready.length > 0 ? `(${ready.length})` : '';
  showFrameNotes({ ready, contradiction, isSettled, estimate }, () => {
    propose(stack.ready);
    update();
  });
  showPreview(ready);
  const why = obstacle(rows, gpu);
  // What was restored can be changed once it is merged again.
  const isDone = isSame && merging.canChange && !merging.isBroken;
  const { button } = merging;
  button.disabled = why !== '' || busy || isDone;
  button.hidden = busy || isDone;
  button.textContent = result
    ? words.merge.again
    : ready.length >= MIN_FRAMES
      ? words.merge.frames(ready.length)
      : words.merge.merge;
  byId('merge-note', HTMLParagraphElement).textContent =
    busy || isSame ? '' : why || (result ? words.merge.changed : '');
  if (example.mergesNow(rows, why)) return merging.start();
  merging.progress.toggle(busy);
  keepAwake(isMerging);
  merging.panel.setBusy(busy || gpu === 'ended');
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action^=pick], #clear'))
    button.disabled = intake.isBusy;
  intake.batch?.update();
  offline?.update();
  kept?.changed();
}

/** Before there is a result, the stage shows the reference frame. */
function showPreview(ready: readonly FrameRow[]): void {
  const image = byId('preview', HTMLImageElement);
  const row = ready.find(({ id }) => id === stack.referenceId);
  image.hidden = merging.result !== undefined || !row;
  if (!row) return;
  if (image.src !== row.preview) image.src = row.preview;
  image.alt = words.picture.reference(row.name, row.ev === undefined ? '' : evText(0));
}

/** For whoever watches: the page needs no network from here on. */
function tellFetched(): void {
  document.body.dataset.fetched = '';
}

start();
