/** What the page shows of what is kept, and what it does for it. */
import type { Crop } from '../../../src/finish/pictures.ts';
import type { Finish, NamedFile, ToWorker } from '../messages.ts';
import type { FrameRow } from '../ui/frameList.ts';

/** What the page shows. */
export interface Shown {
  rows: readonly FrameRow[];
  referenceId: number | undefined;
  referenceChosen: boolean;
  /** The frames in exposure order, and whether they are those that the result was made from; undefined without one. */
  result: { names: string[]; isCurrent: boolean; isSaved: boolean } | undefined;
  finish: Finish;
  crop: Crop | undefined;
  /** Photos of several brackets, if there are; the frames may be one of those. */
  list: ShownList | undefined;
}

/** As in `KeptList`. */
export interface ShownList {
  files: NamedFile[];
  folder?: string;
  frames: number | undefined;
  saved: string[];
}

export interface KeptHost {
  send(message: ToWorker): void;
  shown(): Shown;
  /** Adds frames. @returns their ids, in the order given. */
  add(files: readonly NamedFile[]): number[];
  setFinish(finish: Finish): void;
  /** Once the result is shown. */
  setCrop(crop: Crop | undefined): void;
  /** Asks for the plain merge of the frames, or says that there is none. */
  comparePlain(hasFrames: boolean): void;
  /** Plans brackets as before. @param opened names of the open one's frames. @returns when that is done. */
  restoreList(list: ShownList, opened: readonly string[]): Promise<void>;
  update(): void;
}
