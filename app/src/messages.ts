/**
 * Everything the page and its worker say to each other.
 *
 * The page (main thread) draws controls and nothing else; the worker owns the pictures, the GPU, the result and the
 * canvas. Requests have no replies of their own: the worker reports what happened as events, and the page's state
 * follows from them. Where several of a kind can be under way, both sides name the frame or the job.
 */
import type { AlignmentKind } from '../../src/align/types.ts';
import type { ClippedPixels } from '../../src/image/chooseReference.ts';
import type { InputProblem } from '../../src/errors.ts';
import type { Shot } from '../../src/brackets/shots.ts';
import type { Crop } from '../../src/finish/pictures.ts';
import type { FinishHistogram } from '../../src/finish/pictures.ts';
import type { LookName } from '../../src/finish/looks.ts';
import type { FinishSettings } from '../../src/finish/settings.ts';
import type { ColorSpace } from '../../src/image/colorSpace.ts';
import type { ExposureInfo } from '../../src/image/exif.ts';
import type { MergedImage } from '../../src/image/picture.ts';
import type { MergeResult } from '../../src/result.ts';
import type { MergeWarning } from '../../src/warnings.ts';

/** How the picture is finished: as a look suits it, or with settings that began as that look's. */
export interface Finish {
  look: LookName;
  settings?: FinishSettings;
}

/** A look of the result. */
export interface LookOffer {
  name: LookName;
  settings: FinishSettings;
  /** A small JPEG. */
  thumbnail: Blob;
}

/** What the display can show. */
export interface DisplayAbility {
  /** Light above white. */
  highRange: boolean;
  /** Colours of Display P3. */
  wideGamut: boolean;
}

/** What the files' values mean: `auto` is estimated from 8-bit stacks, gamma otherwise. */
export type ResponseChoice = 'auto' | 'gamma' | 'linear';

/**
 * Which part of the result is seen, and how. Positions are in pixels of what is shown, sizes in the canvas's.
 */
export interface View {
  /** What of the picture is shown; undefined for all of it. */
  crop?: Crop;
  /** The point at the canvas's middle. */
  centerX: number;
  centerY: number;
  /** Canvas pixels per picture pixel: 1 is 100 %. */
  zoom: number;
  /** Canvas x of the divider, left of which the plain merge is shown; undefined for none. */
  divider: number | undefined;
  /** Opacity of the motion overlay, 0 for none. */
  overlay: number;
  /** Whose motion is shown: a frame in exposure order, or all of them. */
  motionOf: number | 'all';
}

/** A stroke of the brush: a line from the last point to this one, in the picture's pixels. */
export interface Stroke {
  fromX: number;
  fromY: number;
  toX: number;
  toY: number;
  radius: number;
  /** 1 for a hard edge, less for a soft one. */
  hardness: number;
  /** 1 adds motion, 0 erases it. */
  value: 0 | 1;
  motionOf: number | 'all';
  /** Whether this begins a new step of undo. */
  starts: boolean;
}

export type SaveFormat = 'hdr' | 'exr-half' | 'exr-float' | 'ultrahdr' | 'png' | 'tiff' | 'dng';

export interface FrameToMerge {
  id: number;
  /** Exposure relative to the others. */
  exposure: number;
}

/** A file and its name. Those of a folder have a path as their name. */
export interface NamedFile {
  name: string;
  file: Blob;
}

/** How frames are merged: what the person chose for all. */
export interface MergeSettings {
  response: ResponseChoice;
  align: 'auto' | 'none';
  /** As the library's option. */
  strength: number;
  colorSpace: ColorSpace;
}

/** How the brackets of a folder are merged. */
export interface BracketSettings extends MergeSettings {
  /** Whether the frame that shows most is the reference, and not the middle exposure. */
  autoReference: boolean;
  format: SaveFormat;
}

export type ToWorker =
  | { type: 'start'; canvas: OffscreenCanvas; base: string; display: DisplayAbility }
  /** Fetch the example, if that has not begun. */
  | { type: 'example' }
  | ({ type: 'add'; id: number } & NamedFile)
  | { type: 'remove'; id: number }
  /** Estimate exposures from the pixels. `key` comes back with the answer. */
  | { type: 'estimateExposures'; key: string; ids: number[]; linear: boolean }
  /** `keepsChanges`: of the same frames as the result that is shown, with what a person has changed in it. */
  | ({ type: 'merge'; frames: FrameToMerge[]; reference: number; keepsChanges?: boolean } & MergeSettings)
  /** Read how each file was taken, to find the brackets among them. */
  | { type: 'survey'; job: number; files: NamedFile[] }
  | ({ type: 'thumbnail'; id: string } & NamedFile)
  /** Merge a bracket and encode the result, which is not kept. */
  | { type: 'mergeBracket'; bracket: number; files: NamedFile[]; stem: string; settings: BracketSettings }
  /** Ends the merge or the survey under way. */
  | { type: 'cancel' }
  /** Forget the result. */
  | { type: 'clear' }
  | { type: 'resize'; width: number; height: number }
  | { type: 'view'; view: View }
  | { type: 'display'; display: DisplayAbility }
  /** `bright` shows light above white, on a display that can. */
  | { type: 'finish'; finish: Finish; bright: boolean }
  | { type: 'stroke'; stroke: Stroke }
  /** The brush was lifted: what it painted is merged, or dropped. */
  | { type: 'strokeEnd'; isDropped: boolean }
  | { type: 'undo' }
  | { type: 'redo' }
  /** Look at what moves at a point of the picture, at the next thing or the one before, or at the same again. */
  | { type: 'look'; at: { x: number; y: number } | { step: 1 | -1 } | 'same'; grow: number }
  /** Show a frame's moment of the thing that was looked at last. */
  | { type: 'moment'; frame: number }
  | { type: 'save'; format: SaveFormat; finish: Finish; crop?: Crop; stem: string }
  /** Copy a photo to a file of the origin's own; a folder's path from its root. */
  | { type: 'copy'; folder: string[]; name: string; file: Blob }
  /** Write the result to such a file. */
  | { type: 'keep'; folder: string[]; name: string }
  /** Show a result that was kept. */
  | { type: 'restore'; folder: string[]; name: string; kept: KeptResult }
  /** Average the frames for the divider: those of a result that was restored. */
  | ({ type: 'plain'; frames: FrameToMerge[]; reference: number } & MergeSettings);

export interface FrameInfo {
  width: number;
  height: number;
  bits: 8 | 16 | 32;
  exif: ExposureInfo;
  /** Mean of the encoded samples, 0 to 1: orders frames whose exposure is unknown. */
  brightness: number;
  /** What is burnt out or black, for samples that are gamma-encoded and for linear samples. */
  clipped: { encoded: ClippedPixels; linear: ClippedPixels };
  /** A small JPEG of the frame. */
  preview: Blob;
}

/** Why a merge, a save, a file or the start failed. The page words it (words/failures.ts). */
export type FailureKind = 'no-webgpu' | 'no-adapter' | 'device-lost' | 'memory' | 'gpu-memory' | 'input' | 'other';

export interface Failure {
  kind: FailureKind;
  /** In English, with the engine's remedy. */
  message: string;
  /** A problem that the page may have a remedy of its own for, and the message without the engine's. */
  problem?: InputProblem;
  finding?: string;
}

/** How a frame lies on the reference. */
export interface AlignedFrame {
  id: number;
  kind: AlignmentKind;
  /** Whether no alignment could be trusted. */
  failed: boolean;
  /** The largest way of a point, in pixels. */
  moved: number;
  /** Degrees by which it is turned, clockwise. */
  turned: number;
}

/** What is worth knowing of the files: a sentence of the engine, and its kind for other languages. */
export interface FileNote {
  kind: 'turned' | 'linear' | 'clipped-colors' | 'estimated';
  text: string;
}

export interface ResultInfo {
  width: number;
  height: number;
  frames: number;
  reference: number;
  /** One line on what is known of the camera's response. */
  response: string;
  /** How the frames lie on the reference; empty if none was aligned. */
  aligned: AlignedFrame[];
  notes: FileNote[];
  /** What may be wrong with the picture. */
  warnings: MergeWarning[];
  /** Most bytes of GPU buffers during the merge. */
  peakBytes: number;
  seconds: number;
}

/** What a result is without its pixels, to be kept. */
export interface KeptResult {
  merged: Omit<MergeResult, 'motion' | 'radiance'> & Omit<MergedImage, 'radiance'>;
  /** How many motion maps follow the pixels. */
  maps: number;
  /** Whether a person has painted in the maps, and whether which frame each pixel shows follows them. */
  changes: { isPainted: boolean; hasMoments: boolean };
  info: ResultInfo;
}

/** What a person has changed in a result. */
export interface Edits {
  /** Steps that can be undone, and done again. */
  undoable: number;
  redoable: number;
  /** Whether the picture is another than the merge's. */
  differs: boolean;
  /** Whether a change is being merged. */
  isBusy: boolean;
  /** Whether it can be changed: not one that was restored, before it is merged again. */
  canChange: boolean;
}

/** A thing that moves, as it was in each frame. */
export interface ThingSeen {
  /** In the picture. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** The frames in exposure order: a small JPEG of each, aligned and finished as the picture is. */
  crops: Blob[];
  /** The frame whose moment is shown; undefined for several. */
  shown?: number;
  grow: number;
}

/** A bracket's merged picture, as a file. */
export interface BracketResult {
  name: string;
  file: Blob;
  /** A small JPEG of it. */
  preview: Blob;
  notes: FileNote[];
  warnings: MergeWarning[];
}

export type FromWorker =
  | { type: 'ready'; adapter: string; canExtend: boolean }
  | { type: 'unavailable'; failure: Failure }
  /** Everything that will be needed later has been fetched, or was tried. */
  | { type: 'preloaded' }
  /** The example's files; without them where they cannot be had. */
  | { type: 'example'; files?: NamedFile[] }
  /** What a first look at a file shows, before it is decoded. */
  | { type: 'glimpse'; id: number; exif: ExposureInfo; preview?: Blob }
  | { type: 'frame'; id: number; frame: FrameInfo }
  | { type: 'frameFailed'; id: number; failure: Failure }
  /** In the order of `ids`. Of the frames named by `incomparable`, nothing can be said. */
  | {
      type: 'exposuresEstimated';
      key: string;
      ids: number[];
      exposures: number[];
      uncertainty: number;
      incomparable?: [number, number];
    }
  | {
      type: 'progress';
      /** `weights`: the merge waits for the network's file, of which `done` of `total` bytes are here. */
      stage: 'weights' | 'read' | 'response' | 'align' | 'compile' | 'segmentation' | 'fusion' | 'merge' | 'moment';
      done: number;
      total: number;
      fraction: number;
    }
  | { type: 'merged'; result: ResultInfo }
  | { type: 'looks'; looks: LookOffer[] }
  | { type: 'histogram'; histogram: FinishHistogram }
  | { type: 'mergeFailed'; failure: Failure }
  | { type: 'cancelled' }
  | { type: 'plainReady' }
  | { type: 'plainFailed'; failure: Failure }
  | { type: 'surveying'; job: number; done: number; total: number }
  /** In the order of the files. */
  | { type: 'surveyed'; job: number; shots: Shot[] }
  /** Without a picture where the file cannot be read, or takes too much memory beside a merge. */
  | { type: 'thumbnail'; id: string; picture?: Blob }
  | { type: 'bracketMerged'; bracket: number; result: BracketResult }
  | { type: 'bracketFailed'; bracket: number; failure: Failure }
  | { type: 'bracketCancelled'; bracket: number }
  | { type: 'edits'; edits: Edits }
  /** Parts of the picture have changed. */
  | { type: 'changed' }
  | { type: 'changeFailed'; failure: Failure }
  /** Without a thing where nothing moves. */
  | { type: 'look'; thing?: ThingSeen }
  | { type: 'recovered'; what: 'merge' | 'view' }
  /** The graphics card was short of memory, and the merge begins again in smaller pieces. */
  | { type: 'smaller' }
  /** `isOutdated`: the picture has changed since it was written to the file. */
  | { type: 'saved'; format: SaveFormat; name: string; file: Blob; isOutdated: boolean }
  | { type: 'saveFailed'; format: SaveFormat; failure: Failure }
  /** A photo was copied, or the result written. */
  | { type: 'kept'; name: string; result?: KeptResult }
  | { type: 'keepFailed'; name: string }
  | { type: 'restored'; result: ResultInfo }
  | { type: 'restoreFailed' }
  | { type: 'viewFailed'; failure: Failure };
