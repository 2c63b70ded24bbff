/**
 * Motion maps as files: one per frame, K = 1..N in exposure order.
 *
 * `motion-K.png` is 8-bit grey, round(255 W), to look at and to edit; `motion-K.npy` is W itself, float32
 * `[height, width]`. When maps are read back, the two files are compared. If the PNG equals what would be written for
 * the NPY, the PNG was not edited, and the NPY is used with its full precision. If they differ, the PNG was edited and
 * is used. Either file may also be alone.
 *
 * The reference's map is the union (maximum) of the others. It is computed again from them if its files are absent or
 * are an unedited pair, which would be out of date after an edit of another map. An edited or single file is used
 * unchanged.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, reasonOf, throwIfCancelled } from '../errors.ts';
import { withUnion } from '../image/motion.ts';
import { decodeNpy, npyPieces } from '../image/npy.ts';
import { checkSize, firstOutside } from '../image/picture.ts';
import { checkFrameNumbers, checkMapSize, checkPath, readMaps, signalOf } from './arguments.ts';
import { loadSharp } from './loadSharp.ts';
import { readFileBytes } from './plainFile.ts';
import { shown, systemProblem } from './problems.ts';
import { checkWritable, writeFileAtomic } from './writeFile.ts';

type Extension = 'png' | 'npy';
const mapName = (k: number, extension: Extension) => `motion-${k}.${extension}`;
const MAP_NAME = /^motion-([1-9]\d*)\.(png|npy)$/;

/**
 * Checks, before any work is done, that maps can be written to `dir`, and creates it if its parent exists.
 * @throws InputError naming the folder.
 */
export async function checkMotionFolder(dir: string): Promise<void> {
  checkPath(dir, 'dir');
  try {
    await mkdir(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new InputError(
        `cannot create ${shown(dir)}: the folder ${shown(dirname(dir))} does not exist, create it first`,
        { cause: error },
      );
    if (code !== 'EEXIST') throw systemProblem(error, 'create', dir);
    if (!(await stat(dir)).isDirectory())
      throw new InputError(`cannot write motion maps to ${shown(dir)}: it is not a folder`);
  }
  await checkWritable(join(dir, mapName(1, 'png')));
}

/**
 * Writes the maps of a stack.
 * @param givenMaps in exposure order, each `[height, width]` in [0,1].
 * @throws InputError naming the file or folder; CancelledError, which leaves the maps that were complete.
 */
export async function writeMotionMaps(
  dir: string,
  givenMaps: readonly Float32Array[],
  width: number,
  height: number,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  checkPath(dir, 'dir');
  const maps = readMaps(givenMaps);
  checkMapSize(width, height);
  const signal = signalOf('writeMotionMaps', options);
  const sharp = await loadSharp('writing motion maps');
  await checkMotionFolder(dir);
  for (const [i, map] of maps.entries()) {
    throwIfCancelled(signal);
    if (map.length !== width * height)
      throw new InputError(`motion map ${i + 1}: ${map.length} values, ${width}x${height} needs ${width * height}`);
    checkValues(map, width, `motion map ${i + 1}`);
    const grey = new Uint8Array(map.length);
    for (let p = 0; p < map.length; p++) grey[p] = toByte(map[p]);
    const png = await sharp(grey, { raw: { width, height, channels: 1 }, limitInputPixels: false })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    await writeFileAtomic(join(dir, mapName(i + 1, 'png')), png, { signal });
    await writeFileAtomic(join(dir, mapName(i + 1, 'npy')), npyPieces(map, [height, width]), { signal });
  }
}

/**
 * Reads the maps of a stack back.
 * @param count frames of the stack.
 * @param reference its reference frame, from 0 in exposure order.
 * @returns one map per frame, each `[height, width]` in [0,1].
 * @throws InputError naming the file: maps missing or too many, another size, values outside [0,1], colour in a PNG.
 */
export async function readMotionMaps(
  dir: string,
  count: number,
  width: number,
  height: number,
  reference: number,
): Promise<Float32Array[]> {
  checkPath(dir, 'dir');
  checkFrameNumbers(count, reference);
  checkMapSize(width, height);
  let names: Set<string>;
  try {
    names = new Set(await readdir(dir));
  } catch (error) {
    throw systemProblem(error, 'read motion maps from', dir);
  }
  for (const name of names) {
    const k = Number(MAP_NAME.exec(name)?.[1] ?? 0);
    if (k > count)
      throw new InputError(
        `${shown(join(dir, name))} is a map of frame ${k}, the stack has ${count}: these maps belong to another stack`,
      );
  }
  const maps: Float32Array[] = [];
  let isUnionDue = true;
  for (let k = 1; k <= count; k++) {
    const read = async (extension: Extension) => {
      if (!names.has(mapName(k, extension))) return undefined;
      const path = join(dir, mapName(k, extension));
      if (extension === 'npy') return readNpyMap(path, width, height);
      const { samples, largest } = await readPngMap(path, width, height, MOTION);
      return Float32Array.from(samples, (value) => value / largest);
    };
    const npy = await read('npy');
    const png = await read('png');
    if (k - 1 === reference) {
      const isUnedited = npy !== undefined && png !== undefined && isWrittenFrom(png, npy);
      isUnionDue = isUnedited || (npy === undefined && png === undefined);
    } else if (!npy && !png) {
      throw new InputError(
        `${shown(join(dir, mapName(k, 'png')))} is missing, and so is ${mapName(k, 'npy')}: each of the ${count} ` +
          'frames but the reference needs a map',
      );
    }
    maps.push(npy && (!png || isWrittenFrom(png, npy)) ? npy : (png ?? new Float32Array(0)));
  }
  return isUnionDue ? withUnion(maps, reference) : maps;
}

const toByte = (w: number) => Math.round(255 * w);

/** Whether the PNG's values equal the NPY's, rounded to the PNG's bit depth. */
function isWrittenFrom(png: Float32Array, npy: Float32Array): boolean {
  for (let i = 0; i < npy.length; i++) if (Math.fround(toByte(npy[i]) / 255) !== png[i]) return false;
  return true;
}

function checkValues(map: Float32Array, width: number, name: string): void {
  const bad = firstOutside(map);
  if (bad >= 0)
    throw new InputError(
      `${name}: row ${Math.floor(bad / width)}, column ${bad % width} is ${map[bad]}, values must be in [0,1]`,
    );
}

function checkShape(name: string, found: { width: number; height: number }, width: number, height: number): void {
  if (found.width !== width || found.height !== height)
    throw new InputError(
      `${name} is ${found.width}x${found.height}, the frames are ${width}x${height}: a map has the size of its stack`,
    );
}

async function readNpyMap(path: string, width: number, height: number): Promise<Float32Array> {
  const name = shown(path);
  const { data, shape } = decodeNpy(await readFileBytes(path), name);
  if (shape.length !== 2 || !(data instanceof Float32Array))
    throw new InputError(
      `${name}: a map is a float32 array (height, width), this one's shape is (${shape.join(', ')})`,
    );
  checkShape(name, { width: shape[1], height: shape[0] }, width, height);
  checkValues(data, width, name);
  return data;
}

/** What a file is a map of, and what its values are. */
interface MapWords {
  map: string;
  grey: string;
}

const MOTION: MapWords = { map: 'a map', grey: 'grey, white where things move' };

/**
 * A grey PNG, 8 or 16 bit, or a colour one whose channels agree, as editors save them. Colour profiles are ignored: the
 * values are used directly.
 * @returns its values, and the largest that its type has.
 * @throws InputError naming the file: another size or format, colour.
 */
export async function readPngMap(
  path: string,
  width: number,
  height: number,
  words: MapWords,
): Promise<{ samples: Uint8Array | Uint16Array; largest: number }> {
  const sharp = await loadSharp('reading maps');
  const name = shown(path);
  const bytes = await readFileBytes(path);
  const open = { limitInputPixels: false, ignoreIcc: true } as const;
  let decoded: { data: Buffer; info: { channels: number } };
  let is16: boolean;
  try {
    const metadata = await sharp(bytes, open).metadata();
    if (metadata.format !== 'png') throw new Error(`it holds ${metadata.format}, not PNG`);
    checkSize(metadata.width, metadata.height, name);
    checkShape(name, metadata, width, height);
    is16 = metadata.depth === 'ushort';
    decoded = await sharp(bytes, open)
      .toColourspace(is16 ? 'rgb16' : 'srgb')
      .raw({ depth: is16 ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name} cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
  const { data, info } = decoded;
  const samples = is16 ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
  const step = info.channels;
  const map = new (is16 ? Uint16Array : Uint8Array)(width * height);
  for (let i = 0; i < map.length; i++) {
    const value = samples[i * step];
    if (step >= 3 && (samples[i * step + 1] !== value || samples[i * step + 2] !== value)) {
      throw new InputError(
        `${name} is in colour (row ${Math.floor(i / width)}, column ${i % width}): ${words.map} is ${words.grey}`,
      );
    }
    map[i] = value;
  }
  return { samples: map, largest: is16 ? 65535 : 255 };
}
