/** The files of a folder: which are pictures, and what is read of each to group them. */
import { readExifTags } from '../image/exif.ts';
import type { ExifReader } from '../image/exif.ts';
import { groupBrackets } from './group.ts';
import type { Bracket, GroupOptions, Skipped } from './group.ts';
import { SHOT_TAGS, shotOf } from './shots.ts';
import type { Shot } from './shots.ts';

const PICTURE = /\.(jpe?g|png|tiff?|webp|avif|heic|heif|jxl|exr|hdr|npy)$/i;
const RAW = /\.(dng|cr2|cr3|nef|arw|raf|orf|rw2|pef|srw)$/i;
/** macOS keeps a second file for each on cards, with the same extension: `._IMG_1.jpg`. */
const HIDDEN = /(^|[/\\])\.[^/\\]*$/;
/** EXIF lies within this much of a file's head. */
export const HEAD_BYTES = 1 << 20;

/** What a file is by its name; undefined for what is no picture. */
export function pictureKind(name: string): 'picture' | 'raw' | undefined {
  if (HIDDEN.test(name)) return undefined;
  return PICTURE.test(name) ? 'picture' : RAW.test(name) ? 'raw' : undefined;
}

/**
 * A picture's shot. A file whose EXIF cannot be read has no exposure.
 * @param name its name or path.
 * @param head its first `HEAD_BYTES`.
 */
export async function readShot(exif: ExifReader, name: string, head: Uint8Array): Promise<Shot> {
  const tags = await readExifTags(exif, head, SHOT_TAGS);
  return shotOf(name, tags ?? {}, { isRaw: pictureKind(name) === 'raw' });
}

const folderOf = (path: string): string => /^(?:.*[/\\])?/.exec(path)![0];

/** Groups the pictures of several folders, each by itself: copies in another folder are no frames of a bracket. */
export function groupFolders(
  shots: readonly Shot[],
  options: GroupOptions = {},
): { brackets: Bracket[]; skipped: Skipped[] } {
  const folders = new Map<string, Shot[]>();
  for (const shot of shots) {
    const folder = folderOf(shot.name);
    folders.set(folder, [...(folders.get(folder) ?? []), shot]);
  }
  const found = [...folders.values()].map((folder) => groupBrackets(folder, options));
  return { brackets: found.flatMap(({ brackets }) => brackets), skipped: found.flatMap(({ skipped }) => skipped) };
}
