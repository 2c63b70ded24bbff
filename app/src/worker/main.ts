/**
 * The page's worker: everything heavy. It decodes files, merges them, keeps the result, draws it on the canvas, and
 * encodes it. messages.ts has its requests and events.
 */
import { openDevice, openPlatformDevice } from '../../../src/device.ts';
import { cropPicture } from '../../../src/finish/crop.ts';
import type { Crop } from '../../../src/finish/crop.ts';
import { shown } from '../../../src/shown.ts';
import { CancelledError, NoAdapterError } from '../../../src/errors.ts';
import type { ChangedPart } from '../../../src/moment/openMerge.ts';
import type { Finish, FromWorker, KeptResult, NamedFile, ResultInfo, ToWorker, View } from '../messages.ts';
import { alignedFrames } from './alignedFrames.ts';
import { Brackets } from './brackets.ts';
import { Changes, cut, seenMotion } from './changes.ts';
import { preloadPackages } from './decode/packages.ts';
import { developed } from './developed.ts';
import { Engine } from './engine.ts';
import { failureOf } from './failure.ts';
import { fetchFile } from './fetchFile.ts';
import { DEFAULT_LOOK, Finishing, finishFile } from './finishing.ts';
import { Frames } from './frames.ts';
import { Glimpses } from './glimpse.ts';
import { copyFile, readResult, writeResult } from './keep.ts';
import { loadSave, preloadLater } from './later.ts';
import { cropAround, crops } from './loupe.ts';
import { mergeFrames } from './mergeFrames.ts';
import type { MergeOutcome } from './mergeFrames.ts';
import { thingAt, thingsIn } from './things.ts';
import type { Point, Thing } from './things.ts';
import { Viewer } from './viewer.ts';
import type { Rect } from './viewer.ts';

/** `self` as a worker sees it; the DOM's types know it as a window. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
};

type MergeRequest = Extract<ToWorker, { type: 'merge' }>;
type StartRequest = Extract<ToWorker, { type: 'start' }>;

interface Result {
  merged: MergeOutcome['merged'];
  /** Undefined for one that was restored: it must be merged again before it can be changed. */
  changes: Changes | undefined;
  /** Motion maps as merged and changed. */
  maps: readonly Float32Array[];
  /** The radiance that is shown: in the working space. */
  shown: Float32Array;
  /** What the result was made from, for the plain merge; undefined for one that was restored, without its frames. */
  request: Omit<MergeRequest, 'type'> | undefined;
  info: ResultInfo;
}

const frames = new Frames((changes) => {
  for (const { id, ...change } of changes)
    tell(
      'frame' in change
        ? { type: 'frame', id, frame: change.frame }
        : { type: 'frameFailed', id, failure: { kind: 'input', message: change.problem } },
    );
});
const brackets = new Brackets(tell);
const glimpses = new Glimpses();
let start: StartRequest;
let engine: Engine;
let viewer: Viewer | undefined;
/** Under way: a merge, the plain merge behind it, or the merge of a folder's bracket. */
let running: { abort: AbortController; done: Promise<void> } | undefined;
let result: Result | undefined;
let view: View | undefined;
let shownMotion: View['motionOf'] | undefined;
let display = { highRange: false, wideGamut: false };
let finishing: Finishing | undefined;
/** What the person chose; a new result begins with its look. */
let finish: Finish = { look: DEFAULT_LOOK };
let bright = false;
let viewLosses = 0;

function tell(message: FromWorker): void {
  scope.postMessage(message);
}

scope.onmessage = ({ data }) => {
  try {
    obey(data);
  } catch (error) {
    // Long jobs report their own errors; these come from showing and painting the picture.
    viewFailed(error);
  }
};

function obey(data: ToWorker): void {
  switch (data.type) {
    case 'start':
      return void begin(data);
    case 'example':
      return void tellExample();
    case 'add':
      stack.add(data.id);
      void addFrame(data);
      return expectFrames();
    case 'remove':
      stack.delete(data.id);
      return frames.remove(data.id);
    case 'estimateExposures':
      return estimateExposures(data);
    case 'merge':
      return void run((signal) => mergeBoth(data, signal));
    case 'survey':
      return void brackets.survey(data);
    case 'thumbnail':
      return brackets.thumbnail(data, () => running === undefined);
    case 'mergeBracket':
      return void run((signal) => brackets.merge(data, engine, signal));
    case 'cancel':
      brackets.cancel();
      return running?.abort.abort();
    case 'clear':
      running?.abort.abort();
      forget();
      finish = { look: DEFAULT_LOOK };
      return closeFinishing();
    case 'resize':
      return viewer?.resize(data.width, data.height);
    case 'view':
      return show(data.view);
    case 'display':
      display = data.display;
      viewer?.setDisplay(display);
      return;
    case 'finish':
      ({ finish, bright } = data);
      return showFinish();
    case 'stroke':
      return result?.changes?.paint(data.stroke);
    case 'strokeEnd':
      return result?.changes?.lift(data.isDropped);
    case 'undo':
      return result?.changes?.undo();
    case 'redo':
      return result?.changes?.redo();
    case 'look':
      return void look(data).catch(viewFailed);
    case 'moment':
      return thing && result?.changes?.show(thing, data.frame === result.merged.reference ? 255 : data.frame);
    case 'save':
      return void save(data);
    case 'copy':
      return void keep(data.name, async () => {
        await copyFile(data.folder, data.name, data.file);
        return undefined;
      });
    case 'keep':
      return void keepResult(data);
    case 'restore':
      return void run(() => restore(data));
    case 'plain':
      if (result) result.request = data;
      return void run(mergePlain);
  }
}

async function begin(request: StartRequest): Promise<void> {
  start = request;
  display = request.display;
  engine = new Engine(
    request.base,
    () => tell({ type: 'recovered', what: 'merge' }),
    () => tell({ type: 'smaller' }),
  );
  const preloaded = preload(); // beside everything else
  try {
    const adapter = await checkAdapter();
    viewer = await openViewer();
    tell({ type: 'ready', adapter, canExtend: viewer.setDisplay(display) });
  } catch (error) {
    tell({ type: 'unavailable', failure: failureOf(error) });
  }
  await preloaded;
  tell({ type: 'preloaded' });
}

/** Checks that there is an adapter and that it gives a device, before anybody has picked twenty files. */
async function checkAdapter(): Promise<string> {
  const gpu = (navigator as Navigator & { gpu?: GPU }).gpu;
  if (!gpu) throw new NoAdapterError('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapterError('WebGPU offers no adapter');
  const name = shown(adapter.info.description || adapter.info.device || adapter.info.vendor);
  (await openDevice(adapter)).destroy();
  return name;
}

/**
 * Fetches whatever will be needed later, so that nothing is fetched after this: first the weights, for which the first
 * merge waits longest. A failure is reported where the file is used.
 */
async function preload(): Promise<void> {
  await engine.preload().catch(() => undefined);
  await preloadLater().catch(() => undefined);
  await exampleFiles().catch(() => undefined);
  await preloadPackages().catch(() => undefined);
}

let example: Promise<NamedFile[]> | undefined;

/** @throws InputError where they cannot be had; another call tries again. */
function exampleFiles(): Promise<NamedFile[]> {
  example ??= Promise.all(
    ['1.jpg', '2.jpg', '3.jpg'].map(async (name) => ({
      name: `balloons-${name}`,
      file: new Blob([await fetchFile(new URL(`example/${name}`, start.base), 'the example')]),
    })),
  );
  example.catch(() => (example = undefined));
  return example;
}

async function tellExample(): Promise<void> {
  tell({ type: 'example', files: await exampleFiles().catch(() => undefined) });
}

async function addFrame({ id, name, file }: Extract<ToWorker, { type: 'add' }>): Promise<void> {
  const glimpse = glimpses.look(file, name).then((seen) => tell({ type: 'glimpse', id, ...seen }));
  try {
    await glimpse;
    await glimpses.done(); // decoding keeps this worker busy
    const frame = await frames.add(id, name, file);
    if (frame) tell({ type: 'frame', id, frame });
  } catch (error) {
    stack.delete(id);
    tell({ type: 'frameFailed', id, failure: failureOf(error) });
  }
}

/** Milliseconds without another file after which the files of a stack are complete. */
const STACK_PAUSE = 50;
/** Frames that are here or on their way. */
const stack = new Set<number>();
let expecting: ReturnType<typeof setTimeout> | undefined;

/** Has the weights fetched first that the frames at hand need. */
function expectFrames(): void {
  clearTimeout(expecting);
  expecting = setTimeout(() => engine.expect(stack.size), STACK_PAUSE);
}

/** A frame may have been removed meanwhile; the page then asks again. */
function estimateExposures({ key, ids, linear }: Extract<ToWorker, { type: 'estimateExposures' }>): void {
  const found = frames.estimate(ids, linear);
  if (!found) return;
  const { incomparable, ...rest } = found;
  tell({
    type: 'exposuresEstimated',
    key,
    ids,
    ...rest,
    ...(incomparable && { incomparable: [ids[incomparable[0]], ids[incomparable[1]]] }),
  });
}

/** Does one merge after another. */
async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  running?.abort.abort(); // a plain merge behind the last result
  await running?.done;
  const abort = new AbortController();
  const mine = { abort, done: work(abort.signal) };
  running = mine;
  await mine.done;
  if (running === mine) running = undefined;
}

async function mergeBoth(request: MergeRequest, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  try {
    const { merged, open, stack, notes, warnings } = await mergeFrames(frames, request, { engine, tell, signal });
    const { width, height, reference } = merged;
    forget();
    const changes = new Changes(open, {
      changed: (parts) => showParts(changes, parts),
      painted: (rect) => refreshMotion([rect]),
      tell: tellEdits,
      failed: (error) => tell({ type: 'changeFailed', failure: failureOf(error) }),
    });
    const info: ResultInfo = {
      width,
      height,
      reference,
      frames: stack.length,
      notes,
      response: merged.response.report.summary,
      aligned: request.align === 'none' ? [] : alignedFrames(merged, request.frames),
      warnings,
      peakBytes: merged.peakBytes,
      seconds: 0,
    };
    const { motion: maps } = open.result;
    result = { merged, changes, maps, shown: await developed(merged), request, info };
    viewLosses = 0;
    // What cannot be shown can still be saved.
    await showResult().catch(viewFailed);
    info.seconds = (performance.now() - started) / 1000;
    tell({ type: 'merged', result: info });
    tellEdits();
  } catch (error) {
    return error instanceof CancelledError
      ? tell({ type: 'cancelled' })
      : tell({ type: 'mergeFailed', failure: failureOf(error) });
  }
  await mergePlain(signal);
}

/** What the divider compares with: the same frames, averaged. */
async function mergePlain(signal: AbortSignal): Promise<void> {
  if (!result?.request) return;
  const { request, merged } = result;
  try {
    const plain = await engine.merge(frames.stack(request.frames), {
      reference: request.reference,
      response: merged.response.response,
      align: request.align,
      method: 'merge',
      signal,
    });
    await viewer?.setPlain(await developed({ ...merged, ...plain }), plain, plain.scale);
    tell({ type: 'plainReady' });
  } catch (error) {
    if (!(error instanceof CancelledError)) tell({ type: 'plainFailed', failure: failureOf(error) });
  }
}

async function openViewer(): Promise<Viewer> {
  const opened = await Viewer.create(start.canvas, () => void recoverViewer());
  opened.setDisplay(display);
  return opened;
}

/** The viewer's device was lost: opens another, once, with the result that is still here. */
async function recoverViewer(): Promise<void> {
  viewer = undefined;
  closeFinishing();
  try {
    if (++viewLosses > 1) throw new Error('the GPU was lost again');
    viewer = await openViewer();
    if (!result) return;
    await showResult();
    tell({ type: 'recovered', what: 'view' });
    await running?.done;
    void run(mergePlain);
  } catch (error) {
    tell({ type: 'viewFailed', failure: { ...failureOf(error), kind: 'device-lost' } });
  }
}

async function showResult(): Promise<void> {
  if (!result) return;
  const { merged, shown } = result;
  closeFinishing();
  viewer ??= await openViewer(); // after a second loss
  const picture = { ...merged, radiance: shown };
  await viewer.setPicture(picture);
  finishing = await Finishing.create(viewer, picture, tell, viewFailed);
  showFinish();
  void finishing.offerLooks();
  shownMotion = undefined;
  if (view) show(view);
}

function show(next: View): void {
  view = next;
  if (result && next.motionOf !== shownMotion) {
    shownMotion = next.motionOf;
    refreshMotion([{ x: 0, y: 0, width: result.merged.width, height: result.merged.height }]);
  }
  viewer?.show(next);
}

/** Brings parts of the motion overlay up to date. */
function refreshMotion(rects: readonly Rect[]): void {
  if (!result || shownMotion === undefined) return;
  const { changes, maps, merged } = result;
  for (const rect of rects) {
    const bytes = changes
      ? changes.bytes(rect, shownMotion)
      : seenMotion(
          maps.map((map) => cut(map, merged.width, rect)),
          merged.reference,
          shownMotion,
        );
    viewer?.setMotion(bytes, rect).catch(viewFailed);
  }
}

function tellEdits(): void {
  if (!result) return;
  const { undoable = 0, redoable = 0, differs = false, isBusy = false } = result.changes ?? {};
  tell({ type: 'edits', edits: { undoable, redoable, differs, isBusy, canChange: result.changes !== undefined } });
}

/** Forgets the result. */
function forget(): void {
  result?.changes?.close();
  result = thing = undefined;
  things = { points: [], next: -1 };
}

/** Shows parts of the picture that have changed. */
async function showParts(changes: Changes, parts: readonly ChangedPart[]): Promise<void> {
  if (result?.changes !== changes) return;
  const { merged, shown } = result;
  for (const { x, y, width, height, radiance } of parts) {
    if (shown !== merged.radiance) {
      const rgb = await developed({ ...merged, radiance });
      for (let row = 0; row < height; row++)
        shown.set(rgb.subarray(3 * row * width, 3 * (row + 1) * width), 3 * ((y + row) * merged.width + x));
    }
    await viewer?.setPart(shown, { x, y, width, height }, merged.scale);
    await finishing?.refresh({ top: y, height });
  }
  refreshMotion(parts);
  tell({ type: 'changed' });
}

/** The thing that was looked at last, and where. */
let thing: Thing | undefined;
let lookedAt: Point = { x: 0, y: 0 };
let things: { points: Point[]; next: number } = { points: [], next: -1 };

/** Shows a thing as it was in each frame. */
async function look({ at, grow }: Extract<ToWorker, { type: 'look' }>): Promise<void> {
  const looking = result;
  if (!looking?.changes || !viewer) return tell({ type: 'look' });
  const { changes, merged } = looking;
  const { reference } = merged;
  await changes.settled();
  const union = changes.open.result.motion[reference];
  if (at === 'same') {
    // The region of the thing becomes larger or smaller.
  } else if ('step' in at) {
    if (things.next < 0) things = { points: thingsIn(union, merged), next: 0 };
    else things.next += at.step;
    const { points, next } = things;
    if (points.length > 0) lookedAt = points[((next % points.length) + points.length) % points.length];
  } else lookedAt = at;
  const found = thingAt(union, changes.moment, merged, lookedAt, grow);
  if (!found || !finishing) return tell({ type: 'look' });
  const area = cropAround(found.rect, merged);
  const images = await crops(changes.open, merged, area, finishing.settingsOf(finish), viewer.device);
  if (result !== looking) return;
  thing = found;
  tell({ type: 'look', thing: { ...found.rect, crops: images, shown: momentOf(changes, found, reference), grow } });
}

/** The frame whose moment a thing shows; undefined for several. */
function momentOf({ moment, open }: Changes, { rect, mask }: Thing, reference: number): number | undefined {
  const found = new Set<number>();
  mask.forEach((isPart, i) => {
    const at = (rect.y + Math.floor(i / rect.width)) * open.result.width + rect.x + (i % rect.width);
    if (isPart) found.add(moment[at]);
  });
  const [only] = found;
  return found.size > 1 ? undefined : only === 255 ? reference : only;
}

function showFinish(): void {
  void finishing?.show(finishing.settingsOf(finish), bright);
}

async function cropResult(merged: Result['merged'], crop: Crop): Promise<Result['merged']> {
  if (viewer) return cropPicture(viewer.device, merged, crop);
  const device = await openPlatformDevice();
  try {
    return await cropPicture(device, merged, crop);
  } finally {
    device.destroy();
  }
}

function closeFinishing(): void {
  // Before its buffers go.
  viewer?.clear();
  finishing?.close();
  finishing = undefined;
}

function viewFailed(error: unknown): void {
  tell({ type: 'viewFailed', failure: failureOf(error) });
}

async function save({ format, finish, crop, stem }: Extract<ToWorker, { type: 'save' }>): Promise<void> {
  if (!result) return;
  const { merged, changes, shown } = result;
  try {
    await changes?.settled();
    const picture = crop ? await cropResult(merged, crop) : merged;
    const saveFile = await loadSave();
    const { name, file } = await saveFile(picture, format, stem, async (use) => {
      const cut = crop && { crop, radiance: await developed(picture) };
      if (finishing) return use(finishing.finished(finishing.settingsOf(finish), cut));
      // It cannot be shown, but saved.
      return finishFile({ ...merged, radiance: shown }, use, finish, cut);
    });
    tell({ type: 'saved', format, name, file });
  } catch (error) {
    tell({ type: 'saveFailed', format, failure: failureOf(error) });
  }
}

/** Writes what a page that is loaded again will need. */
async function keep(name: string, write: () => Promise<KeptResult | undefined>): Promise<void> {
  try {
    tell({ type: 'kept', name, result: await write() });
  } catch {
    tell({ type: 'keepFailed', name });
  }
}

function keepResult({ folder, name }: Extract<ToWorker, { type: 'keep' }>): Promise<void> {
  return keep(name, async () => {
    if (!result) throw new Error('there is no result');
    const { merged, maps, info } = result;
    const { radiance: _, ...rest } = merged;
    await writeResult(folder, name, merged, maps);
    return { merged: rest, maps: maps.length, info };
  });
}

async function restore({ folder, name, kept }: Extract<ToWorker, { type: 'restore' }>): Promise<void> {
  try {
    const { radiance, maps } = await readResult(folder, name, kept);
    const merged = { ...kept.merged, radiance };
    const { info } = kept;
    forget();
    const shown = await developed(merged);
    result = { merged, changes: undefined, maps, shown, request: undefined, info };
    viewLosses = 0;
    await showResult().catch(viewFailed);
    tell({ type: 'restored', result: info });
    tellEdits();
  } catch {
    tell({ type: 'restoreFailed' });
  }
}
