/**
 * How a crop changes as its frame is dragged, its angle or its aspect is chosen. Whatever is asked for, the crop stays
 * in the picture: it goes as far as it can.
 *
 * While it is changed, the whole picture is shown, turned, in the smallest upright box around it: `boxOf`. Distances on
 * the page are pixels of that box.
 */
import { largestCrop, liesWithin } from '../../src/finish/crop.ts';
import type { Crop } from '../../src/finish/pictures.ts';

export interface Size {
  width: number;
  height: number;
}

/** What is dragged: -1 is the left or upper side, 1 the right or lower one; 0 and 0 are the whole frame. */
export interface Handle {
  x: -1 | 0 | 1;
  y: -1 | 0 | 1;
}

/** Least pixels along a side, or all there are. */
const LEAST = 16;
const STEPS = 24;

/** The whole picture. */
export function wholeOf({ width, height }: Size): Crop {
  return { angle: 0, centerX: width / 2, centerY: height / 2, width, height };
}

/** Whether nothing is cut. */
export function isWhole(crop: Crop, size: Size): boolean {
  return crop.angle === 0 && crop.width === size.width && crop.height === size.height;
}

/** The picture as it is shown while its crop is changed: it leaves the picture at its corners. */
export function boxOf({ width, height }: Size, angle: number): Crop {
  const [cos, sin] = turnOf(angle).map(Math.abs);
  return {
    angle,
    centerX: width / 2,
    centerY: height / 2,
    width: Math.ceil(cos * width + sin * height),
    height: Math.ceil(sin * width + cos * height),
  };
}

/** The frame in that box: its left upper corner and its size. */
export function frameOf(crop: Crop, size: Size): Size & { x: number; y: number } {
  const box = boxOf(size, crop.angle);
  const [cos, sin] = turnOf(crop.angle);
  const [dx, dy] = [crop.centerX - size.width / 2, crop.centerY - size.height / 2];
  return {
    x: box.width / 2 + cos * dx - sin * dy - crop.width / 2,
    y: box.height / 2 + sin * dx + cos * dy - crop.height / 2,
    width: crop.width,
    height: crop.height,
  };
}

/**
 * The crop after a handle was dragged.
 * @param dx in pixels of the box.
 * @param aspect width / height that stays; undefined if both sides are free.
 */
export function dragged(
  crop: Crop,
  handle: Handle,
  dx: number,
  dy: number,
  aspect: number | undefined,
  size: Size,
): Crop {
  return farthest((t) => moved(crop, handle, t * dx, t * dy, aspect), size, crop);
}

/** The crop at another angle: as large as `wanted`, about the same point, where that has room. */
export function turned(crop: Crop, angle: number, wanted: Size, size: Size): Crop {
  const rounded = (t: number): Crop => ({
    ...crop,
    angle,
    width: Math.max(1, Math.round(t * wanted.width)),
    height: Math.max(1, Math.round(t * wanted.height)),
  });
  return farthest(rounded, size, largestCrop(size, angle, wanted.width / wanted.height));
}

/** The largest crop of an aspect about the same point, at the same angle. */
export function withAspect(crop: Crop, aspect: number, size: Size): Crop {
  const { width, height } = largestCrop(size, crop.angle, aspect);
  return turned(crop, crop.angle, { width, height }, size);
}

function moved(crop: Crop, { x, y }: Handle, dx: number, dy: number, aspect: number | undefined): Crop {
  if (x === 0 && y === 0) return shifted(crop, dx, dy);
  let [width, height] = [Math.max(LEAST, crop.width + x * dx), Math.max(LEAST, crop.height + y * dy)];
  if (aspect !== undefined) {
    // A corner follows the side that is dragged farther; a side takes the other one with it.
    const byWidth = y === 0 || (x !== 0 && Math.abs(dx) >= Math.abs(dy) * aspect);
    if (byWidth) height = width / aspect;
    else width = height * aspect;
  }
  [width, height] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  // The opposite side stays where it is.
  const shift = shifted(crop, (x * (width - crop.width)) / 2, (y * (height - crop.height)) / 2);
  return { ...shift, width, height };
}

/** Moved by pixels of the box: to whole pixels, if it is not turned. */
function shifted(crop: Crop, dx: number, dy: number): Crop {
  const [cos, sin] = turnOf(crop.angle);
  return { ...crop, centerX: crop.centerX + cos * dx + sin * dy, centerY: crop.centerY - sin * dx + cos * dy };
}

/** On whole pixels, if it is not turned: then it is cut without resampling. */
function onPixels(crop: Crop): Crop {
  if (crop.angle !== 0) return crop;
  const snap = (center: number, side: number): number => Math.round(center - side / 2) + side / 2;
  return { ...crop, centerX: snap(crop.centerX, crop.width), centerY: snap(crop.centerY, crop.height) };
}

/** The crop at the largest t up to 1 that lies in the picture; `otherwise` if there is none. */
function farthest(at: (t: number) => Crop, size: Size, otherwise: Crop): Crop {
  const all = onPixels(at(1));
  if (liesWithin(all, size)) return all;
  let found: Crop | undefined;
  let [low, high] = [0, 1];
  for (let i = 0; i < STEPS; i++) {
    const t = (low + high) / 2;
    const crop = onPixels(at(t));
    if (liesWithin(crop, size)) [low, found] = [t, crop];
    else high = t;
  }
  return found ?? otherwise;
}

function turnOf(angle: number): [cos: number, sin: number] {
  return [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
}
