/**
 * The sheet of a stack: all its pictures side by side at full size, below each picture its errors, and below these its
 * motion.
 *
 * All pictures are tone-mapped in the same way, with the exposure chosen on the truth. Error maps show the mean over
 * the channels of
 * |T(Y) - T(truth)|, T being the mu-law: black none, through red and yellow to white at 0.1. Pictures that are not
 * radiance are shown as they are, without errors.
 */
import { maxSample } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import { LABEL_HEIGHT, drawLabel } from '../../image/label.ts';
import { muLaw } from '../../image/metrics.ts';
import { chooseTone, toneMap } from '../../image/toneMap.ts';
import { loadSharp } from '../loadSharp.ts';
import { writeFileAtomic } from '../writeFile.ts';
import { clipped } from './figures.ts';
import type { DisplayPicture } from './figures.ts';

/** One column. */
export interface Panel {
  name: string;
  /** PSNR-mu, the error map's label; absent for the truth. */
  mu?: number;
  radiance: Float32Array;
  /** What was marked as moving: the union over the frames. */
  motion?: Float32Array;
}

/** The error that is shown as white. */
const WHITE_ERROR = 0.1;
const GAP = 4;

interface Tile {
  label: string;
  rgb: Uint8Array;
}

function heat(picture: Float32Array, truth: Float32Array): Uint8Array {
  const [a, b] = [muLaw(clipped(picture)), muLaw(truth)];
  const out = new Uint8Array(a.length);
  for (let p = 0; p < a.length; p += 3) {
    const error = (Math.abs(a[p] - b[p]) + Math.abs(a[p + 1] - b[p + 1]) + Math.abs(a[p + 2] - b[p + 2])) / 3;
    const level = Math.min(3, (3 * error) / WHITE_ERROR);
    for (let c = 0; c < 3; c++) out[p + c] = Math.round(255 * Math.min(1, Math.max(0, level - c)));
  }
  return out;
}

function grey(map: Float32Array): Uint8Array {
  const out = new Uint8Array(3 * map.length);
  for (let p = 0; p < map.length; p++) out.fill(Math.round(255 * map[p]), 3 * p, 3 * p + 3);
  return out;
}

function eightBits({ data }: Frame): Uint8Array {
  const scale = 255 / maxSample(data);
  return Uint8Array.from(data, (x) => Math.round(x * scale));
}

/**
 * Writes a stack's sheet as PNG.
 * @param reference the reference frame as it was taken.
 * @param truth the truth in the scale of the candidates, with true motion if known.
 */
export async function writeSheet(
  path: string,
  reference: Frame,
  truth: Panel,
  candidates: readonly (Panel | DisplayPicture)[],
  signal?: AbortSignal,
): Promise<void> {
  const { width, height } = reference;
  const clean = clipped(truth.radiance);
  const tone = chooseTone(clean);
  const columns = [
    [{ label: 'reference as taken', rgb: eightBits(reference) }, undefined, undefined],
    ...[truth, ...candidates].map((panel): (Tile | undefined)[] => {
      if ('display' in panel)
        return [
          { label: panel.name, rgb: Uint8Array.from(panel.display, (x) => Math.round(255 * x)) },
          undefined,
          undefined,
        ];
      const { name, mu, radiance, motion } = panel;
      return [
        { label: name, rgb: toneMap(clipped(radiance), tone) },
        mu === undefined
          ? undefined
          : { label: `${Number.isFinite(mu) ? mu.toFixed(2) : '-'} dB mu`, rgb: heat(radiance, clean) },
        motion && { label: mu === undefined ? 'true motion' : 'motion', rgb: grey(motion) },
      ];
    }),
  ];
  const rows = columns.some(([, , motion]) => motion) ? 3 : 2;
  const [stepX, stepY] = [width + GAP, LABEL_HEIGHT + height];
  const total = { width: columns.length * stepX - GAP, height: rows * stepY };
  const sheet = new Uint8Array(total.width * total.height * 3).fill(40);
  columns.forEach((column, i) =>
    column.forEach((tile, j) => {
      if (!tile) return;
      const [left, top] = [i * stepX, j * stepY];
      drawLabel(sheet, total.width, left + 2, top + 2, tile.label, width - 2);
      for (let y = 0; y < height; y++)
        sheet.set(
          tile.rgb.subarray(3 * y * width, 3 * (y + 1) * width),
          3 * ((top + LABEL_HEIGHT + y) * total.width + left),
        );
    }),
  );
  const sharp = await loadSharp('writing sheets');
  const png = await sharp(sheet, { raw: { ...total, channels: 3 }, limitInputPixels: false })
    .png()
    .toBuffer();
  await writeFileAtomic(path, png, { signal });
}
