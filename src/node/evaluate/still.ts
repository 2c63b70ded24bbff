/**
 * Reads what stands still in a stack: `still.json` in its folder is a list of boxes `[x, y, width, height]` in pixels
 * from the upper left corner. If nothing moves, that is one box of the whole picture.
 */
import { InputError, reasonOf } from '../../errors.ts';
import { readFileBytes } from '../plainFile.ts';
import { shown } from '../problems.ts';

export const STILL_FILE = 'still.json';

/** `[x, y, width, height]` in pixels. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/**
 * Reads the boxes of a stack.
 * @throws InputError naming the file, the box, both values and the remedy.
 */
export async function readStill(file: string, width: number, height: number): Promise<Box[]> {
  const name = shown(file);
  let list: unknown;
  try {
    list = JSON.parse((await readFileBytes(file, 1 << 20)).toString('utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${name} is not JSON (${reasonOf(error)}): write a list of boxes [x, y, width, height]`, {
      cause: error,
    });
  }
  if (!Array.isArray(list) || list.length === 0)
    throw new InputError(
      `${name} holds no list of boxes: write [[x, y, width, height], ...], for a stack in which nothing moves [[0, ` +
        `0, ${width}, ${height}]]`,
    );
  return list.map((box: unknown, i): Box => {
    const isBox =
      Array.isArray(box) &&
      box.length === 4 &&
      box.every((value) => Number.isInteger(value)) &&
      box[0] >= 0 &&
      box[1] >= 0 &&
      box[2] > 0 &&
      box[3] > 0;
    const text = shown(JSON.stringify(box)?.slice(0, 60) ?? 'nothing');
    if (!isBox)
      throw new InputError(
        `${name}: box ${i + 1} is ${text}, a box is [x, y, width, height] in whole pixels, width and height at least 1`,
      );
    const [x, y, w, h] = box as [number, number, number, number];
    if (x + w > width || y + h > height)
      throw new InputError(
        `${name}: box ${i + 1} is ${text} and reaches to ${x + w},${y + h}, but the pictures are ${width}x${height}: ` +
          'boxes lie within the picture',
      );
    return [x, y, w, h];
  });
}

/** 1 in any of the boxes, 0 elsewhere, `[height, width]`. */
export function boxMask(boxes: readonly Box[], width: number, height: number): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(width * height);
  for (const [x, y, w, h] of boxes)
    for (let row = y; row < y + h; row++) mask.fill(1, row * width + x, row * width + x + w);
  return mask;
}
