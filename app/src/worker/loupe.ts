/** A thing as it was in each frame: the same crop of all of them, aligned, finished as the picture is. */
import type { FinishSettings } from '../../../src/finish/settings.ts';
import type { MergedImage } from '../../../src/image/picture.ts';
import type { OpenMerge } from '../../../src/moment/openMerge.ts';
import { developed } from './developed.ts';
import { jpegOf } from './preview.ts';
import { halve } from './sharedExponent.ts';
import type { Rect } from './viewer.ts';
import { loadFinisher } from './later.ts';

/** Most pixels of a side of a crop; larger ones are halved. */
const MOST_SIDE = 320;
/** Around a thing, as a share of its longer side. */
const SURROUNDINGS = 0.2;

/** The part of the picture that is seen around a thing. */
export function cropAround({ x, y, width, height }: Rect, picture: { width: number; height: number }): Rect {
  const margin = Math.round(8 + SURROUNDINGS * Math.max(width, height));
  const [left, top] = [Math.max(0, x - margin), Math.max(0, y - margin)];
  return {
    x: left,
    y: top,
    width: Math.min(picture.width, x + width + margin) - left,
    height: Math.min(picture.height, y + height + margin) - top,
  };
}

/** A small JPEG of each frame's crop, in exposure order. @throws as `OpenMerge.view` and `Finisher.create`. */
export async function crops(
  open: Pick<OpenMerge, 'result' | 'view'>,
  merged: Omit<MergedImage, 'radiance'>,
  area: Rect,
  settings: FinishSettings,
  device: GPUDevice,
): Promise<Blob[]> {
  const parts: { rgb: Float32Array; width: number; height: number }[] = [];
  for (const frame of open.result.order.keys()) {
    const radiance = await open.view(frame, area);
    let part = { rgb: await developed({ ...merged, radiance }), width: area.width, height: area.height };
    while (Math.max(part.width, part.height) > MOST_SIDE) part = halve(part.rgb, part.width, part.height);
    parts.push(part);
  }
  // One below another as one picture, so that all are finished alike.
  const [{ width, height }] = parts;
  const radiance = new Float32Array(3 * width * height * parts.length);
  parts.forEach(({ rgb }, k) => radiance.set(rgb, k * 3 * width * height));
  const column = { ...merged, radiance, width, height: height * parts.length };
  const Finisher = await loadFinisher();
  const finisher = await Finisher.create(device, column);
  try {
    const codes = await finisher.finish('codes', settings);
    return await Promise.all(
      parts.map((_, k) => {
        const image = new ImageData(width, height);
        for (let i = 0; i < width * height; i++) {
          for (let c = 0; c < 3; c++) image.data[4 * i + c] = codes[3 * (k * width * height + i) + c];
          image.data[4 * i + 3] = 255;
        }
        return jpegOf(image);
      }),
    );
  } finally {
    finisher.dispose();
  }
}
