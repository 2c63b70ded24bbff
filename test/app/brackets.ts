/** Brackets of small JPEG files that tell when they were taken. */
import sharp from 'sharp';
import { jpegWith } from '../../src/image/metadataSegments.ts';
import { exifBlock, tagsAt } from '../folderOfForty.ts';
import type { Tags } from '../folderOfForty.ts';
import type { PictureFile } from './drive.ts';
import { exposeScene } from './stack.ts';

/** Less than a merge aligns. */
export const [WIDTH, HEIGHT] = [48, 32];

/** A JPEG of the scene, taken some seconds after noon. @param stops of its exposure. @param view moves the scene. */
export async function photo(seconds: number, stops: number, view: number, tags: Partial<Tags> = {}): Promise<Buffer> {
  const samples = exposeScene(WIDTH, HEIGHT, 2 ** stops, view / 4);
  const jpeg = await sharp(samples, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return Buffer.concat(jpegWith(jpeg, { exif: exifBlock(tagsAt(seconds, stops, tags)) }));
}

/** Brackets of three, a minute apart: IMG_00, IMG_01, IMG_02, IMG_10, … */
export async function brackets(count: number): Promise<PictureFile[]> {
  const files: PictureFile[] = [];
  for (let view = 0; view < count; view++)
    for (const [i, stops] of [-2, 0, 2].entries())
      files.push({ name: `IMG_${view}${i}.jpg`, bytes: await photo(60 * view + i, stops, view) });
  return files;
}
