/** A merge of frames that are decoded: from what the person chose to the picture and what is to be told of it. */
import type { MergeResult } from '../../../src/result.ts';
import { sortFrames } from '../../../src/image/frame.ts';
import type { Frame } from '../../../src/image/frame.ts';
import type { MergedImage } from '../../../src/image/picture.ts';
import { mergeWarnings } from '../../../src/warnings.ts';
import type { MergeWarning } from '../../../src/warnings.ts';
import type { FileNote, FrameToMerge, FromWorker, MergeSettings } from '../messages.ts';
import type { Engine } from './engine.ts';
import type { Frames } from './frames.ts';

export interface MergeRequest extends MergeSettings {
  frames: FrameToMerge[];
  /** From 0 in exposure order. */
  reference: number;
}

export interface MergeOutcome {
  merged: Omit<MergeResult, 'motion'> & MergedImage;
  /** Motion maps, `[height, width]` each, in exposure order. */
  maps: Float32Array[];
  stack: Frame[];
  notes: FileNote[];
  warnings: MergeWarning[];
}

/** What a merge needs besides its request. */
export interface MergeMeans {
  engine: Engine;
  tell(message: FromWorker): void;
  signal: AbortSignal;
  /** In place of what the network finds. */
  motion?: Float32Array[];
}

/** Merges. @throws InputError; the errors of `Deghoster.merge`. */
export async function mergeFrames(
  frames: Frames,
  request: MergeRequest,
  { engine, tell, signal, motion }: MergeMeans,
): Promise<MergeOutcome> {
  await frames.convertTo(request.frames, request.colorSpace, request.reference);
  const camera = frames.camera(request.frames);
  const stack = frames.stack(request.frames);
  const { response, notes } = frames.response(request.frames, request.response);
  const { motion: maps, ...merged } = await engine.merge(stack, {
    reference: request.reference,
    response,
    align: request.align,
    strength: request.strength,
    motion,
    onWeights: (done, total) => tell({ type: 'progress', stage: 'weights', done, total, fraction: 0 }),
    onProgress: ({ stage, done, total, fraction }) => tell({ type: 'progress', stage, done, total, fraction }),
    signal,
  });
  const exif = frames.exifOf(request.frames[sortFrames(stack).order[merged.reference]].id);
  return {
    merged: { ...merged, colorSpace: request.colorSpace, camera, exif },
    maps,
    stack,
    notes,
    warnings: mergeWarnings(stack, { ...merged, motion: motion ? [] : maps }),
  };
}
