/**
 * The brackets of a folder: how each of its files was taken, thumbnails, and the merge of one bracket from its files to
 * the encoded result. Of a bracket nothing stays here but the engine's compiled kernels.
 */
import { HEAD_BYTES, readShot } from '../../../src/brackets/pictureFiles.ts';
import type { Shot } from '../../../src/brackets/shots.ts';
import { InputError, throwIfCancelled } from '../../../src/errors.ts';
import { choiceOf } from '../../../src/image/chooseReference.ts';
import { exposures } from '../../../src/image/exif.ts';
import { middleFrame } from '../../../src/image/frame.ts';
import { chooseTones } from '../../../src/image/toneMappings.ts';
import type { BracketResult, FrameInfo, NamedFile, ToWorker } from '../messages.ts';
import { exifr } from './decode/packages.ts';
import { Frames } from './frames.ts';
import { mergeFrames } from './mergeFrames.ts';
import type { MergeMeans } from './mergeFrames.ts';
import { resultPreview } from './preview.ts';
import { saveFile } from './save.ts';

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 100;

/** How each file was taken, in their order. @throws CancelledError. */
export async function survey(
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
    shots.push(await readShot(await exifr(), name, new Uint8Array(head)));
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
export async function mergeBracket(
  { files, stem, settings }: Extract<ToWorker, { type: 'mergeBracket' }>,
  means: MergeMeans,
): Promise<BracketResult> {
  const { tell, signal } = means;
  let misfit: string | undefined;
  const frames = new Frames((changes) => {
    for (const change of changes) if ('problem' in change) misfit ??= change.problem;
  });
  const decoded: Decoded[] = [];
  for (const [id, { name, file }] of files.entries()) {
    throwIfCancelled(signal);
    tell({ type: 'progress', stage: 'read', done: id, total: files.length, fraction: 0 });
    const info = await frames.add(id, name, file, settings.colorSpace);
    if (info) decoded.push({ id, name, info });
  }
  await frames.settled();
  if (misfit !== undefined) throw new InputError(misfit);
  const light = exposures(decoded.map(({ name, info: { exif } }) => ({ name, exif })));
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
  const tones = chooseTones(merged.radiance, merged.scale);
  const preview = await resultPreview(merged, tones);
  const saved = await saveFile(merged, settings.format, { tones, toneMapping: 'photographic', stops: 0 }, stem);
  return { ...saved, preview, notes, warnings };
}
