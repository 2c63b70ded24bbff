/** A merge of frames that are decoded: from what the person chose to the picture and what is to be told of it. */
import type { OpenMerge } from '../../../src/moment/openMerge.ts';
import type { MergeResult } from '../../../src/result.ts';
import { sortFrames } from '../../../src/image/frame.ts';
import type { Frame } from '../../../src/image/frame.ts';
import type { MergedImage } from '../../../src/image/picture.ts';
import { mergeWarnings } from '../../../src/warnings.ts';
import type { MergeWarning } from '../../../src/warnings.ts';
import type { FileNote, FrameToMerge, FromWorker, MergeSettings } from '../messages.ts';
import type { Edited } from './changes.ts';
import type { Engine } from './engine.ts';
import type { Frames } from './frames.ts';

export interface MergeRequest extends MergeSettings {
  frames: FrameToMerge[];
  /** From 0 in exposure order. */
  reference: number;
  /** What a person has changed in a merge of the same frames. */
  edited?: Edited;
}

export interface MergeOutcome {
  merged: Omit<MergeResult, 'motion'> & MergedImage;
  /** The merge, to be changed in parts; it has the motion maps. */
  open: OpenMerge;
  stack: Frame[];
  notes: FileNote[];
  warnings: MergeWarning[];
}

/** What a merge needs besides its request. */
export interface MergeMeans {
  engine: Engine;
  tell(message: FromWorker): void;
  signal: AbortSignal;
}

/** Merges. @throws InputError; the errors of `Deghoster.merge`. */
export async function mergeFrames(
  frames: Frames,
  request: MergeRequest,
  { engine, tell, signal }: MergeMeans,
): Promise<MergeOutcome> {
  await frames.convertTo(request.frames, { ...request, signal });
  const camera = frames.camera(request.frames);
  const stack = frames.stack(request.frames);
  const { response, notes } = frames.response(request.frames, request.response);
  const open = await engine.open(stack, {
    reference: request.reference,
    response,
    align: request.align,
    strength: request.strength,
    ...request.edited,
    onWeights: (done, total) => tell({ type: 'progress', stage: 'weights', done, total, fraction: 0 }),
    onProgress: ({ stage, done, total, fraction }) => tell({ type: 'progress', stage, done, total, fraction }),
    signal,
  });
  const { motion, ...merged } = open.result;
  const exif = frames.exifOf(request.frames[sortFrames(stack).order[merged.reference]].id);
  return {
    merged: { ...merged, colorSpace: request.colorSpace, camera, exif },
    open,
    stack,
    notes,
    warnings: mergeWarnings(stack, { ...merged, motion }),
  };
}
