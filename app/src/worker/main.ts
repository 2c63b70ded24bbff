/**
 * The page's worker: everything heavy. It decodes files, merges them, keeps the result, draws it on the canvas, and
 * encodes it. messages.ts has its requests and events; here they are handed to whoever does the work, one merge after
 * another.
 */
import { CancelledError } from '../../../src/errors.ts';
import type { OpenMerge } from '../../../src/moment/openMerge.ts';
import type { FromWorker, ToWorker } from '../messages.ts';
import { checkAdapter } from './adapter.ts';
import { alignedFrames } from './alignedFrames.ts';
import { Brackets } from './brackets.ts';
import { preloadDecoders } from './decode/inWasm.ts';
import { preloadPackages } from './decode/packages.ts';
import { developed } from './developed.ts';
import { Engine } from './engine.ts';
import { exampleFiles } from './example.ts';
import { failureOf } from './failure.ts';
import { Frames } from './frames.ts';
import { Glimpses } from './glimpse.ts';
import { loadChanges, preloadLater } from './later.ts';
import { Looking, loadLook } from './looking.ts';
import { mergeFrames } from './mergeFrames.ts';
import type { MergeRequest } from './mergeFrames.ts';
import { Saving } from './saving.ts';
import { Showing } from './showing.ts';
import { Turns } from './turns.ts';

/** `self` as a worker sees it; the DOM's types know it as a window. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
};

type Request<K extends ToWorker['type']> = Extract<ToWorker, { type: K }>;

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
let base: string;
let engine: Engine;
let showing: Showing;
let looking: Looking;
let saving: Saving;
const turns = new Turns();

function tell(message: FromWorker): void {
  scope.postMessage(message);
}

scope.onmessage = ({ data }) => {
  try {
    obey(data);
  } catch (error) {
    // Long jobs report their own errors; these come from showing and painting the picture.
    showing.failed(error);
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
      return void turns.run((signal) => mergeBoth(data, signal));
    case 'survey':
      return void brackets.survey(data);
    case 'thumbnail':
      return brackets.thumbnail(data, () => !turns.isBusy);
    case 'mergeBracket':
      return void turns.run((signal) => brackets.merge(data, engine, signal));
    case 'cancel':
      brackets.cancel();
      return turns.cancel();
    case 'clear':
      turns.cancel();
      looking.forget();
      return showing.clear();
    case 'resize':
      return showing.resize(data.width, data.height);
    case 'view':
      return showing.setView(data.view);
    case 'display':
      return showing.setDisplay(data.display);
    case 'finish':
      return showing.setFinish(data);
    case 'stroke':
      return showing.result?.changes?.paint(data.stroke);
    case 'strokeEnd':
      return showing.result?.changes?.lift(data.isDropped);
    case 'undo':
      return showing.result?.changes?.undo();
    case 'redo':
      return showing.result?.changes?.redo();
    case 'look':
      return void looking.look(data).catch((error: unknown) => showing.failed(error));
    case 'moment':
      return looking.choose(data.frame);
    case 'save':
      return void saving.save(data);
    case 'copy':
      return void saving.copy(data);
    case 'keep':
      return void saving.keep(data);
    case 'restore':
      return void turns.run(() => restore(data));
    case 'plain':
      if (showing.result) showing.result.request = data;
      return void turns.run(mergePlain);
  }
}

async function begin(request: Request<'start'>): Promise<void> {
  ({ base } = request);
  engine = new Engine(
    base,
    () => tell({ type: 'recovered', what: 'merge' }),
    () => tell({ type: 'smaller' }),
  );
  showing = new Showing(request, tell, () => void turns.run(mergePlain, true));
  looking = new Looking(showing, tell);
  saving = new Saving(showing, tell);
  const preloaded = preload(); // beside everything else
  try {
    const adapter = await checkAdapter();
    showing.isSoftware = adapter.isSoftware;
    tell({ type: 'ready', adapter: adapter.name, canExtend: await showing.open() });
  } catch (error) {
    tell({ type: 'unavailable', failure: failureOf(error) });
  }
  await preloaded;
  tell({ type: 'preloaded' });
}

/**
 * Fetches whatever will be needed later, so that nothing is fetched after this: first the weights, for which the first
 * merge waits longest. A failure is reported where the file is used.
 */
async function preload(): Promise<void> {
  await engine.preload().catch(() => undefined);
  await Promise.all([preloadLater(), loadLook()]).catch(() => undefined);
  await exampleFiles(base).catch(() => undefined);
  await preloadPackages(preloadDecoders).catch(() => undefined);
}

async function tellExample(): Promise<void> {
  tell({ type: 'example', files: await exampleFiles(base).catch(() => undefined) });
}

async function addFrame({ id, name, file }: Request<'add'>): Promise<void> {
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
function estimateExposures({ key, ids, linear }: Request<'estimateExposures'>): void {
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

async function mergeBoth(request: Request<'merge'>, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  try {
    const { keepsChanges, ...whole } = request;
    const edited = (keepsChanges && (showing.result?.changes ?? showing.result)?.edited) || {};
    const means = { engine, tell, signal };
    const { merged, open, stack, notes, warnings } = await mergeFrames(frames, { ...whole, edited }, means);
    const { width, height, reference } = merged;
    const ChangesClass = await loadChanges();
    forget();
    const info = {
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
    const changes = showing.changesOf(ChangesClass, open, edited, (edited) => openAgain({ ...whole, edited }));
    await showing.set({ merged, changes, maps, shown: await developed(merged), request, info });
    info.seconds = (performance.now() - started) / 1000;
    tell({ type: 'merged', result: info });
    showing.tellEdits();
  } catch (error) {
    return error instanceof CancelledError
      ? tell({ type: 'cancelled' })
      : tell({ type: 'mergeFailed', failure: failureOf(error) });
  }
  await mergePlain(signal);
}

/**
 * Merges frames once more, behind what runs: what a person changes in a result needs its merge to be open, and that
 * ends with the engine, which a merge that failed or was cancelled takes with it.
 */
async function openAgain(request: MergeRequest): Promise<OpenMerge> {
  let open: OpenMerge | undefined;
  let failure: unknown;
  await turns.run(async (signal) => {
    try {
      ({ open } = await mergeFrames(frames, request, { engine, tell: () => undefined, signal }));
    } catch (error) {
      failure = error;
    }
  }, true);
  if (!open) throw failure;
  return open;
}

/** What the divider compares with: the same frames, averaged. */
async function mergePlain(signal: AbortSignal): Promise<void> {
  const { request, merged } = showing.result ?? {};
  if (!request || !merged) return;
  try {
    const plain = await engine.merge(frames.stack(request.frames), {
      reference: request.reference,
      response: merged.response.response,
      align: request.align,
      method: 'merge',
      signal,
    });
    await showing.viewer?.setPlain(await developed({ ...merged, ...plain }), plain, plain.scale);
    tell({ type: 'plainReady' });
  } catch (error) {
    if (!(error instanceof CancelledError)) tell({ type: 'plainFailed', failure: failureOf(error) });
  }
}

async function restore(request: Request<'restore'>): Promise<void> {
  try {
    const result = await saving.restored(request);
    forget();
    await showing.set(result);
    tell({ type: 'restored', result: result.info });
    showing.tellEdits();
  } catch {
    tell({ type: 'restoreFailed' });
  }
}

/** Forgets the result. */
function forget(): void {
  looking.forget();
  showing.forget();
}
