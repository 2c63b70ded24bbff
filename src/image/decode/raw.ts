/**
 * RAW files, developed by LibRaw to white-balanced camera RGB in linear light.
 *
 * Black and white level are the file's; nothing depends on what a frame shows: no automatic brightness, and no scaling
 * by a frame's own maximum (LibRaw's `adjust_maximum_thr`), which would falsify the ratios of a bracket. Samples are
 * divided by the level at which the first channel clips after white balance, and clamped to 1: LibRaw's `highlight` 0.
 * The camera's colours become those of a working space after the merge (developColors.ts).
 *
 * LibRaw itself runs in a worker (rawWorker.ts), which also frees its memory.
 */
import { InputError, reasonOf } from '../../errors.ts';
import { D65, PRIMARIES, invert3, multiply3, rgbToXyz } from '../colorSpace.ts';
import type { Matrix3 } from '../colorSpace.ts';
import type { ExposureInfo } from '../exif.ts';
import { checkSize } from '../picture.ts';
import type { CameraColor } from '../picture.ts';
import { damaged } from '../refusals.ts';

/** What red, green and blue are multiplied by, relative to green. */
export type WhiteBalance = CameraColor['whiteBalance'];

/** What LibRaw says of a file, as far as it is used. Tables have a fourth row or column for a fourth colour. */
export interface RawMetadata {
  width: number;
  height: number;
  raw_width: number;
  raw_height: number;
  /** 0, 3 (180 degrees), 5 (90 degrees counterclockwise) or 6 (90 degrees clockwise). */
  flip: number;
  camera_make: string;
  camera_model: string;
  iso_speed: number;
  shutter: number;
  aperture: number;
  colors?: number;
  dng_version?: number;
  color_data?: {
    cam_mul: number[];
    pre_mul: number[];
    cam_xyz: number[][];
    dng_color: { illuminant: number; colormatrix: number[][]; calibration: number[][] }[];
    dng_levels: { analogbalance: number[] };
  };
}

/** LibRaw's demosaiced picture. */
export interface RawPicture {
  width: number;
  height: number;
  colors: number;
  bits: number;
  data: Uint16Array;
}

/** A RAW file before it is developed. */
export interface RawHead {
  /** Upright. */
  width: number;
  height: number;
  /** Pixels of the sensor, for estimates of memory. */
  pixels: number;
  exposure: ExposureInfo;
  camera: CameraColor;
}

/** LibRaw's parameters (its `libraw_output_params_t`), for a white balance. */
export function rawSettings([red, green, blue]: WhiteBalance): Record<string, unknown> {
  return {
    outputBps: 16,
    gamm: [1, 1, 0, 0, 0, 0],
    noAutoBright: true,
    adjustMaximumThr: 0,
    highlight: 0,
    outputColor: 0, // the camera's own
    useCameraMatrix: 1,
    useCameraWb: false,
    userMul: [red, green, blue, green],
    userQual: 3, // AHD; X-Trans has a method of its own
    userFlip: -1, // as the file says
  };
}

const EXIF_ORIENTATION: Readonly<Record<number, number>> = { 3: 3, 5: 8, 6: 6 };
/** EXIF's LightSource of D65. */
const ILLUMINANT_D65 = 21;

const isFilled = (rows: readonly number[][]): boolean =>
  rows.slice(0, 3).every((row) => row.slice(0, 3).some((value) => value !== 0));
const flat = (rows: readonly number[][]): number[] => rows.slice(0, 3).flatMap((row) => row.slice(0, 3));

/**
 * XYZ (D65) to camera RGB: a DNG's own matrix, with its calibration and analogue balance (DNG specification, Mapping
 * Camera Color Space to CIE XYZ Space), or LibRaw's for the camera.
 */
function colorMatrixOf({ color_data: color }: RawMetadata): Matrix3 | undefined {
  if (!color) return undefined;
  const own = color.dng_color.filter(({ colormatrix }) => isFilled(colormatrix));
  const best = own.find(({ illuminant }) => illuminant === ILLUMINANT_D65) ?? own.at(-1);
  if (best) {
    const balance = color.dng_levels.analogbalance.map((value) => value || 1);
    const calibration = isFilled(best.calibration) ? flat(best.calibration) : [1, 0, 0, 0, 1, 0, 0, 0, 1];
    return multiply3(calibration, flat(best.colormatrix)).map((value, i) => value * balance[Math.floor(i / 3)]);
  }
  return isFilled(color.cam_xyz) ? flat(color.cam_xyz) : undefined;
}

/** White-balanced camera RGB to linear sRGB: rows are scaled so that equal camera values are neutral, as dcraw does. */
export function cameraToSrgb(colorMatrix: Matrix3): number[] {
  const fromSrgb = multiply3(colorMatrix, rgbToXyz(PRIMARIES.srgb, D65));
  const balanced = fromSrgb.map((value, i) => {
    const row = 3 * Math.floor(i / 3);
    return value / (fromSrgb[row] + fromSrgb[row + 1] + fromSrgb[row + 2]);
  });
  return invert3(balanced);
}

/**
 * Checks what LibRaw says of a file.
 * @throws InputError: over the limit of pixels, a sensor without three colours, or a camera without a colour matrix.
 */
export function rawHead(metadata: RawMetadata, name: string): RawHead {
  const { camera_make: make, camera_model: model, flip, colors = 3, color_data: color } = metadata;
  const isTurned = flip === 5 || flip === 6;
  const [width, height] = isTurned ? [metadata.height, metadata.width] : [metadata.width, metadata.height];
  checkSize(width, height, name);
  if (colors !== 3)
    throw new InputError(
      `${name} has ${colors === 1 ? 'no colours' : `${colors} colours`} (${make} ${model}), only RAW of 3 colours is ` +
        'read: develop it to 16-bit TIFF first',
    );
  const colorMatrix = colorMatrixOf(metadata);
  const toSrgb = colorMatrix && cameraToSrgb(colorMatrix);
  if (!colorMatrix || !toSrgb?.every(Number.isFinite))
    throw new InputError(
      `${name} is of a camera that LibRaw does not know (${`${make} ${model}`.trim() || 'no name'}): convert it to ` +
        'DNG, or develop it to 16-bit TIFF first',
    );
  const [red, green, blue] = [color!.cam_mul, color!.pre_mul].find((m) => m[0] > 0 && m[1] > 0 && m[2] > 0) ?? [
    1, 1, 1,
  ];
  const positive = (value: number): number | undefined => (value > 0 && Number.isFinite(value) ? value : undefined);
  return {
    width,
    height,
    pixels: metadata.raw_width * metadata.raw_height,
    exposure: {
      time: positive(metadata.shutter),
      fNumber: positive(metadata.aperture),
      iso: positive(metadata.iso_speed),
      orientation: EXIF_ORIENTATION[flip] ?? 1,
    },
    camera: { make, model, whiteBalance: [red / green, 1, blue / green], toSrgb, colorMatrix },
  };
}

/**
 * The exposure of a RAW file: EXIF's where a reader of EXIF found it, LibRaw's for the rest. The orientation is the one
 * that LibRaw applied.
 */
export function rawExposure(head: RawHead, exif: ExposureInfo): ExposureInfo {
  const found = Object.entries(exif).filter(([, value]) => value !== undefined);
  const known = Object.entries(head.exposure).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(known), ...Object.fromEntries(found), orientation: head.exposure.orientation };
}

/** The error for a file that LibRaw does not read. @param answer what its worker said. */
export function rawProblem(name: string, answer: { problem: string; isOutOfMemory?: boolean }): InputError {
  if (answer.isOutOfMemory)
    return new InputError(`there is not enough memory to develop ${name}: close other programs, or scale it down`, {
      cause: answer.problem,
    });
  const problem = answer.problem.replace(/^unknown file: /, '');
  const why = problem === '' ? '' : ` (${reasonOf(problem)})`;
  return new InputError(
    `${name} cannot be developed${why}: it is damaged or cut off, or of a kind that LibRaw does not know. Copy it ` +
      'from the card again, convert it to DNG, or develop it to 16-bit TIFF',
    { cause: answer.problem },
  );
}

/** Checks what LibRaw developed. @throws InputError naming the file. */
export function checkDeveloped({ width, height, colors, bits, data }: RawPicture, name: string): void {
  if (colors !== 3 || bits !== 16 || data.length !== width * height * 3)
    throw damaged(name, `${data.length} samples of ${bits} bit were developed, ${width}x${height} RGB was expected`);
}

/** The white balance of a stack: that of its reference, or of the middle exposure where the reference is not known. */
export function stackWhiteBalance(
  frames: readonly { camera: CameraColor; exposure: number }[],
  reference?: number,
): WhiteBalance {
  const sorted = [...frames].sort((a, b) => a.exposure - b.exposure);
  return sorted[reference ?? Math.floor((sorted.length - 1) / 2)].camera.whiteBalance;
}

/**
 * Checks that the frames of a stack are of one camera, or all of none.
 * @returns its colours, with the stack's white balance; undefined without RAW files.
 * @throws InputError naming two frames.
 */
export function stackCamera(images: readonly { name: string; camera?: CameraColor }[]): CameraColor | undefined {
  const raw = images.find(({ camera }) => camera);
  if (!raw) return undefined;
  const model = ({ camera }: { camera?: CameraColor }): string => `${camera?.make} ${camera?.model}`.trim();
  for (const image of images) {
    if (!image.camera)
      throw new InputError(`${raw.name} is RAW and ${image.name} is not: take all frames of a stack in one format`);
    if (model(image) !== model(raw))
      throw new InputError(
        `${raw.name} is of a ${model(raw)} and ${image.name} of a ${model(image)}: frames of one camera are merged`,
      );
  }
  return raw.camera;
}
