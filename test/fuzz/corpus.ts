/**
 * Files that a reader once got wrong: took as many bytes as they said, took seconds for, or ended without a typed
 * error. Those that are larger than a few kB are made here; the others are in the folder `corpus`, cut or mutated by
 * hand or by the fuzzer. Add a file for each finding of `npm run fuzz` (`--show FILE` writes it).
 */
import { readFileSync } from 'node:fs';
import {
  ZEROS,
  claimingExif,
  deflated16,
  directories,
  longJpeg,
  packed,
  profileBomb,
  shortWebp,
  wideRadiance,
} from '../hostile/files.ts';

const read = (name: string): Buffer => readFileSync(new URL(`corpus/${name}`, import.meta.url));

const tiffs = (): Record<string, Buffer> => ({
  ...Object.fromEntries(Object.entries(directories()).map(([what, bytes]) => [`a directory ${what}`, bytes])),
  'no-directory.tif': read('no-directory.tif'),
  'values.tif': read('values.tif'),
  'types.tif': read('types.tif'),
  'a strip of 256 MiB': packed(8, ZEROS),
  'a strip of 256 MiB, float': packed(8, ZEROS, undefined, [
    [258, 3, [32, 32, 32]],
    [339, 3, [3, 3, 3]],
  ]),
  'a tile of 12 GB': packed(32773, Buffer.alloc(100), [65000, 65000]),
  'a Zstandard tile of 2.7 GB': packed(50000, Buffer.alloc(100), [30000, 30000]),
  '8000x8000 in 100 bytes': packed(8, Buffer.alloc(100), undefined, [
    [256, 4, [8000]],
    [257, 4, [8000]],
  ]),
});
const pngs = (): Record<string, Buffer> => ({
  'a profile of 256 MiB': profileBomb(),
  'a picture of 256 MiB': deflated16(ZEROS),
  'EXIF with a count': claimingExif(),
});
const jpegs = (): Record<string, Buffer> => ({
  'rationals.jpg': read('rationals.jpg'),
  'exif-count.jpg': read('exif-count.jpg'),
  '8192x8192 in 23 bytes': longJpeg(),
});
const radiance = (): Record<string, Buffer> => ({ '16000000x4': wideRadiance() });
const webps = (): Record<string, Buffer> => ({ '8000x8000': shortWebp() });

const CORPUS: Record<string, () => Record<string, Buffer>> = {
  tiff: tiffs,
  'page tiff': tiffs,
  png: pngs,
  'page png': pngs,
  jpeg: jpegs,
  'page jpeg': jpegs,
  exif: () => ({ ...jpegs(), ...pngs() }),
  hdr: radiance,
  radiance,
  webp: webps,
  'page webp': webps,
};

/** The files of one reader, by name. */
export function corpusOf(reader: string): [name: string, bytes: Buffer][] {
  return Object.entries(CORPUS[reader]?.() ?? {});
}
