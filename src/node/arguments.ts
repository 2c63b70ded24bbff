/** Checks of what callers of `deghost/node` give, who may have no types. Each thing is read once. */
import {
  OBJECT,
  SIDE,
  SIGNAL,
  TEXT,
  arrayOf,
  expect,
  numbers,
  oneOf,
  readOptions,
  whole,
  wrongText,
} from '../checks.ts';
import type { Rule } from '../checks.ts';
import { UsageError } from '../errors.ts';
import { COLOR_SPACES } from '../image/colorSpace.ts';
import type { ColorSpace } from '../image/colorSpace.ts';
import type { CameraColor, MergedImage } from '../image/picture.ts';

/** The system ends a path at its first NUL. */
export const PATH: Rule = [
  'a path, a string without NUL',
  (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
];
export const COLOR_SPACE = oneOf(...COLOR_SPACES);

/** @throws UsageError */
export function checkPath(path: string, name = 'path'): void {
  expect(name, path, PATH);
}

/** @throws UsageError */
export function readPaths(paths: readonly string[]): string[] {
  if (!Array.isArray(paths)) throw new UsageError(wrongText('paths', paths, 'an array of paths'));
  const read = Array.from(paths as string[]);
  for (const [i, path] of read.entries()) checkPath(path, `path ${i + 1}`);
  return read;
}

/** The option of calls that have no other. @throws UsageError */
export function signalOf(call: string, options: { signal?: AbortSignal }): AbortSignal | undefined {
  return readOptions(call, options, { signal: SIGNAL }).signal;
}

/** The option of calls that have no other. @throws UsageError */
export function colorSpaceOf(call: string, options: { colorSpace?: ColorSpace }) {
  return readOptions(call, options, { colorSpace: COLOR_SPACE }).colorSpace;
}

const BYTES = [Uint8Array];
/** Bytes that may be absent. @throws InputError */
export const bytes = (name: string, value: unknown): Uint8Array<ArrayBuffer> | undefined =>
  value === undefined ? undefined : (arrayOf<Uint8Array>(name, value, BYTES) as Uint8Array<ArrayBuffer>);

/** A merged picture; that its values fit its size is checked where the file is known. @throws UsageError; InputError */
export function readMergedImage(image: MergedImage): MergedImage {
  expect('image', image, OBJECT);
  const { radiance, width, height, scale, colorSpace, camera, exif } = image;
  expect('image: width', width, SIDE);
  expect('image: height', height, SIDE);
  if (colorSpace !== undefined) expect('image: colorSpace', colorSpace, COLOR_SPACE);
  return {
    radiance: arrayOf<Float32Array>('image: radiance', radiance, [Float32Array]),
    ...{ width, height, scale, colorSpace },
    ...(camera !== undefined && { camera: readCamera(camera) }),
    ...(exif !== undefined && { exif: bytes('image: exif', exif) }),
  };
}

function readCamera(camera: CameraColor): CameraColor {
  expect('image: camera', camera, OBJECT);
  const { make, model, whiteBalance, toSrgb, colorMatrix } = camera;
  const rules: [string, unknown, Rule][] = [
    ['make', make, TEXT],
    ['model', model, TEXT],
    ['whiteBalance', whiteBalance, numbers(3)],
    ['toSrgb', toSrgb, numbers(9)],
    ['colorMatrix', colorMatrix, numbers(9)],
  ];
  for (const [name, value, rule] of rules) expect(`image: camera: ${name}`, value, rule);
  return { make, model, whiteBalance, toSrgb, colorMatrix };
}

/** The size that maps must have. @throws UsageError */
export function checkMapSize(width: number, height: number): void {
  expect('width', width, SIDE);
  expect('height', height, SIDE);
}

/** @throws UsageError; InputError */
export function readMaps(maps: readonly Float32Array[]): Float32Array[] {
  if (!Array.isArray(maps)) throw new UsageError(wrongText('maps', maps, 'an array of Float32Arrays'));
  return Array.from(maps as unknown[], (map, k) => arrayOf<Float32Array>(`motion map ${k + 1}`, map, [Float32Array]));
}

/** Numbers of frames. @throws UsageError */
export function checkFrameNumbers(frames: number, reference: number | undefined): void {
  expect('frames', frames, whole(1, 2 ** 31));
  if (reference !== undefined) expect('reference', reference, whole(0, frames - 1));
}

const isBytes = (value: unknown): boolean => value instanceof Uint8Array;

/** @throws UsageError */
export function checkContent(content: unknown): void {
  expect('content', content, [
    'a Uint8Array or an iterable of pieces',
    (value) =>
      isBytes(value) ||
      (OBJECT[1](value) &&
        !ArrayBuffer.isView(value) &&
        (Symbol.iterator in Object(value) || Symbol.asyncIterator in Object(value))),
  ]);
}

/** A piece of a file's content. @throws UsageError */
export function checkPiece(piece: unknown): void {
  expect('a piece of the content', piece, [
    'a Uint8Array or { at, bytes }',
    (value) =>
      isBytes(value) || (isBytes(Object(value).bytes) && whole(0, Number.MAX_SAFE_INTEGER)[1](Object(value).at)),
  ]);
}
