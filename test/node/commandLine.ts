/** Running the command line inside a test, and pictures for it to read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { encodeNpy } from '../npy.ts';
import { main } from '../../src/node/cli.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs `deghost ...args` in this process. */
export async function deghost(...args: string[]): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '' };
  const write = (to: 'out' | 'err') => (text: string) => void (ran[to] += text);
  ran.code = await main(args, {
    stdout: { write: write('out') },
    stderr: { write: write('err') },
    signal: new AbortController().signal,
  });
  return ran;
}

/**
 * A smooth scene of `[height, width, 3]` in 8 bit, seen at an exposure (1 clips its brightest tenth), with a bright
 * square at `at`.
 */
export function scene(width: number, height: number, exposure: number, at = -1): Uint8Array {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        let radiance = 0.02 + 1.1 * ((x + 0.5) / width) ** 2 * (0.6 + 0.4 * Math.sin(y / 5 + c));
        if (at >= 0 && x >= at && x < at + 8 && y >= 8 && y < 16) radiance = 0.5;
        data[(y * width + x) * 3 + c] = Math.round(255 * Math.min(1, radiance * exposure) ** (1 / 2.2));
      }
    }
  }
  return data;
}

/** Writes a JPEG or PNG; `time` goes to its EXIF as the exposure time. */
export async function picture(
  folder: string,
  name: string,
  data: Uint8Array,
  width: number,
  height: number,
  time?: string,
): Promise<string> {
  const path = join(folder, name);
  let image = sharp(data, { raw: { width, height, channels: 3 } });
  if (time) image = image.withExif({ IFD2: { ExposureTime: time, FNumber: '8/1', ISOSpeedRatings: '100' } });
  await (name.endsWith('.jpg') ? image.jpeg({ quality: 95 }) : image.png()).toFile(path);
  return path;
}

/** Writes a float32 array. */
export function array(folder: string, name: string, data: Float32Array, shape: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, encodeNpy(data, shape));
  return path;
}
