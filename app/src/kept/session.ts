/** What is kept of a picture: the frames by their handles or files, what was chosen, and the result. */
import type { Crop } from '../../../src/finish/pictures.ts';
import type { Finish, KeptResult } from '../messages.ts';
import type { InFolder } from './handles.ts';

/** A photo. Its bytes are in a file of ours, if the browser gave no handle. */
export interface KeptFile {
  /** Of one of a list, with its path. */
  name: string;
  size: number;
  /** As `File.lastModified`; undefined for the example. */
  modified: number | undefined;
  type: string;
  handle?: FileSystemFileHandle;
  /** The folder that it was dropped with. */
  place?: InFolder;
  /** The name of our copy. */
  copy?: string;
}

/** A frame of the picture. */
export interface KeptFrame extends KeptFile {
  /** As in `Exposed`. */
  ev: number | undefined;
  typed: boolean;
  estimated: boolean;
  /** Whether it is the reference. */
  isReference: boolean;
}

/** Photos of several brackets, and what became of them. */
export interface KeptList {
  files: KeptFile[];
  /** What they were in, in words. */
  folder: string | undefined;
  /** Frames of every bracket, if they are counted. */
  frames: number | undefined;
  /** Names of the brackets whose pictures are saved. */
  saved: string[];
}

/** The result, and what was done with it. */
export interface KeptPicture extends KeptResult {
  /** The name of our file with its pixels. */
  file: string;
  /** The frames' names, in exposure order. */
  names: string[];
  /** Whether frames and settings are those that it was made with. */
  isCurrent: boolean;
  isSaved: boolean;
}

export interface Session {
  id: string;
  /** When it was last written, in milliseconds since 1970. */
  changed: number;
  /** What the person knows it by: the first photo's name. */
  name: string;
  frames: KeptFrame[];
  list: KeptList | undefined;
  referenceChosen: boolean;
  /** Values of the panel's controls by their ids. */
  controls: Record<string, string | boolean>;
  finish: Finish;
  crop: Crop | undefined;
  thumbnail: Blob | undefined;
  picture: KeptPicture | undefined;
}

/** Most bytes of photos that are copied. */
export const MOST_COPIED = 2 ** 30;

/** Which files are copied: those without a handle, as long as all of them fit. @returns undefined if they do not. */
export function toCopy<F extends { size: number }>(
  files: readonly F[],
  hasHandle: (file: F) => boolean,
): F[] | undefined {
  const copied = files.filter((file) => !hasHandle(file));
  return copied.reduce((sum, { size }) => sum + size, 0) <= MOST_COPIED ? copied : undefined;
}
