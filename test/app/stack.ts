/** Small bracketed stacks as PNG files with EXIF, with a bright square that moves. */
import { rng } from '../reference/random.ts';
import { exposureFields, png, tiff } from '../node/pictures.ts';
import type { PictureFile } from './drive.ts';

/** Seconds of the three exposures. */
export const TIMES: readonly (readonly [number, number])[] = [
  [1, 320],
  [1, 80],
  [1, 20],
];

/** 8-bit samples of one exposure, `[height, width, 3]`. @param time how far the square has moved. */
export function exposeScene(width: number, height: number, exposure: number, time: number): Uint8Array {
  const random = rng(11);
  const waves = Array.from({ length: 8 }, () => ({
    fx: random.next() * 0.25,
    fy: random.next() * 0.25,
    phase: random.next() * 6,
  }));
  const side = Math.round(height / 4);
  const left = Math.round(width * (0.2 + 0.2 * time));
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    const isSquare = x >= left && x < left + side && y >= side && y < 2 * side;
    const wave = waves.reduce(
      (sum, { fx, fy, phase }, k) => sum + Math.sin(fx * x + fy * y + phase + (k % 3 === i % 3 ? 0.8 : 0)),
      0,
    );
    const radiance = isSquare ? [0.5, 0.12, 0.06][i % 3] : Math.exp(wave / 2 - 2);
    return Math.round(255 * Math.min(1, radiance * exposure) ** (1 / 2.2));
  });
}

/**
 * PNG files of three exposures two stops apart. @param rowsOf the samples of each, `[height, width, 3]`. @param
 * withExif whether the files tell the exposures.
 */
export function pngFiles(
  name: string,
  width: number,
  height: number,
  rowsOf: (k: number) => Uint8Array,
  withExif = true,
): PictureFile[] {
  return TIMES.map(([numerator, denominator], k) => {
    const exif = tiff([], exposureFields({ time: [numerator, denominator], fNumber: [8, 1], iso: 100 }));
    return {
      name: `${name}-${k + 1}.png`,
      bytes: png({ width, height, rows: rowsOf(k), extra: withExif ? [['eXIf', exif]] : [] }),
    };
  });
}

/** The scene at three exposures two stops apart. @param withExif whether the files say so. */
export function pngStack(width: number, height: number, withExif = true): PictureFile[] {
  return pngFiles('scene', width, height, (k) => exposeScene(width, height, 4 ** (k - 1), k), withExif);
}
