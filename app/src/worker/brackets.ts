/**
 * The brackets of a folder: how each of its files was taken, thumbnails, and the merge of one bracket from its files to
 * the encoded result. Of a bracket nothing stays here but the engine's compiled kernels.
 */
import { HEAD_BYTES, pictureKind, readShot } from '../../../src/brackets/pictureFiles.ts';
import type { Shot } from '../../../src/brackets/shots.ts';
import { CancelledError, InputError, throwIfCancelled } from '../../../src/errors.ts';
import { choiceOf } from '../../../src/image/chooseReference.ts';
import { middleFrame } from '../../../src/image/frame.ts';
import type { BracketResult, FrameInfo, FromWorker, NamedFile, ToWorker } from '../messages.ts';
import { exifReader } from './decode/exifReader.ts';
import { developed } from './developed.ts';
import { embeddedPreview, headOf } from './embeddedPreview.ts';
import type { Engine } from './engine.ts';
import { failureOf } from './failure.ts';
import { finishFile } from './finishing.ts';
import { Frames } from './frames.ts';
import { loadSave } from './later.ts';
import { mergeFrames } from './mergeFrames.ts';
import type { MergeMeans } from './mergeFrames.ts';
import { THUMBNAIL_SIDE, makeThumbnail } from './preview.ts';

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 100;

type Request<K extends ToWorker['type']> = Extract<ToWorker, { type: K }>;

/** What the worker does for the plan of a folder. */
export class Brackets {
  readonly #tell: (message: FromWorker) => void;
  #surveying: AbortController | undefined;
  /** The thumbnail that is being made; the next one waits for it. */
  #thumbnail: Promise<void> = Promise.resolve();
  /** Ends its decoder, when a bracket is merged, or the person cancels. */
  #drawing: AbortController | undefined;

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell;
  }

  /** Reads how files were taken. Another survey, or `cancel`, ends this one. */
  async survey({ job, files }: Request<'survey'>): Promise<void> {
    this.#surveying?.abort();
    this.#surveying = new AbortController();
    const report = (done: number) => this.#tell({ type: 'surveying', job, done, total: files.length });
    try {
      this.#tell({ type: 'surveyed', job, shots: await survey(files, report, this.#surveying.signal) });
    } catch (error) {
      // Without what the files say, they are opened one by one.
      if (!(error instanceof CancelledError)) this.#tell({ type: 'surveyed', job, shots: [] });
    }
  }

  cancel(): void {
    this.#surveying?.abort();
    this.#drawing?.abort();
  }

  /** @param isFree whether there is memory for a whole picture, when its turn comes. */
  thumbnail({ id, name, file }: Request<'thumbnail'>, isFree: () => boolean): void {
    this.#thumbnail = this.#thumbnail.then(async () => {
      this.#drawing = new AbortController();
      const picture = await thumbnail(file, name, isFree, this.#drawing.signal);
      this.#tell({ type: 'thumbnail', id, picture });
    });
  }

  /** Merges a bracket. */
  async merge(request: Request<'mergeBracket'>, engine: Engine, signal: AbortSignal): Promise<void> {
    const { bracket } = request;
    this.#drawing?.abort();
    try {
      const result = await mergeBracket(request, { engine, tell: this.#tell, signal });
      this.#tell({ type: 'bracketMerged', bracket, result });
    } catch (error) {
      if (error instanceof CancelledError) this.#tell({ type: 'bracketCancelled', bracket });
      else this.#tell({ type: 'bracketFailed', bracket, failure: failureOf(error) });
    }
  }
}

/** A small picture of a file: of RAW files the camera's, where there is one. */
async function thumbnail(
  file: Blob,
  name: string,
  isFree: () => boolean,
  signal: AbortSignal,
): Promise<Blob | undefined> {
  const embed = async () => embeddedPreview(file, await headOf(file), THUMBNAIL_SIDE);
  const embedded = pictureKind(name) === 'raw' ? await embed().catch(() => undefined) : undefined;
  return embedded ?? makeThumbnail(file, name, isFree(), signal);
}

/** How each file was taken, in their order. @throws CancelledError. */
async function survey(
  files: readonly NamedFile[],
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Shot[]> {
  const shots: Shot[] = [];
  let reported = performance.now();
  for (const { name, file } of files) {
    throwIfCancelled(signal);
    // A file that cannot be read is reported when it is opened.
    const head = await file
      .slice(0, HEAD_BYTES)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0));
    shots.push(await readShot(exifReader, name, new Uint8Array(head)));
    if (performance.now() - reported < REPORT_EVERY) continue;
    reported = performance.now();
    onProgress(shots.length);
  }
  return shots;
}

/** A frame that is decoded, by its place among the bracket's files. */
interface Decoded {
  id: number;
  name: string;
  info: FrameInfo;
}

/** Merges a bracket and encodes the result. @throws InputError; CancelledError; the errors of `Deghoster.merge`. */
async function mergeBracket(
  { files, stem, settings }: Request<'mergeBracket'>,
  means: MergeMeans,
): Promise<BracketResult> {
  const { tell, signal } = means;
  let misfit: string | undefined;
  const frames = new Frames((changes) => {
    for (const change of changes) if ('problem' in change) misfit ??= change.problem;
  });
  const decoded: Decoded[] = [];
  let coming = 0;
  const cancel = (): void => frames.remove(coming);
  signal.addEventListener('abort', cancel);
  try {
    for (const [id, { name, file }] of files.entries()) {
      throwIfCancelled(signal);
      coming = id;
      tell({ type: 'progress', stage: 'read', done: id, total: files.length, fraction: 0 });
      const info = await frames.add(id, name, file, settings.colorSpace);
      if (info) decoded.push({ id, name, info });
    }
    throwIfCancelled(signal);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  await frames.settled();
  if (misfit !== undefined) throw new InputError(misfit);
  const known = frames.exposures(decoded, settings.response === 'linear');
  const light = known.exposures;
  const order = decoded.map((_, k) => k).sort((a, b) => light[a] - light[b]);
  const sorted = order.map((k) => ({ ...decoded[k], exposure: light[k] / light[order[0]] }));
  const linear = settings.response === 'linear';
  const clipped = sorted.map(({ info }) => (linear ? info.clipped.linear : info.clipped.encoded));
  const { merged, notes, warnings } = await mergeFrames(
    frames,
    {
      ...settings,
      frames: sorted,
      reference: settings.autoReference ? choiceOf(clipped).reference : middleFrame(sorted.length),
    },
    means,
  );
  for (const { id } of decoded) frames.remove(id);
  throwIfCancelled(signal);
  const picture = { ...merged, radiance: await developed(merged) };
  const saveFile = await loadSave();
  const { preview, saved } = await finishFile(picture, async (finished, small) => ({
    preview: await small(),
    saved: await saveFile(merged, settings.format, stem, (use) => use(finished)),
  }));
  const estimated = known.note === undefined ? [] : [{ kind: 'estimated' as const, text: known.note }];
  return { ...saved, preview, notes: [...estimated, ...notes], warnings };
}
