/** DNG files of a scene, as a camera with a Bayer or X-Trans sensor would write them. */
import { D65, PRIMARIES, multiply3, rgbToXyz } from '../src/image/colorSpace.ts';
import {
  TIFF_TYPE,
  bytesEntry,
  directoryEntry,
  encodeDirectory,
  numbersEntry,
  textEntry,
} from '../src/image/tiffEntries.ts';

const { byte, short, long, rational, srational } = TIFF_TYPE;

/** XYZ to camera RGB of the made-up camera. */
export const CAMERA = [0.7188, -0.0641, -0.0563, -0.487, 1.267, 0.243, -0.098, 0.198, 0.665];

const BAYER = { side: 2, colors: [0, 1, 1, 2] };
/** Fujifilm's pattern of 6x6. */
export const X_TRANS = {
  side: 6,
  colors: [1, 1, 0, 1, 1, 2, 1, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 1, 1, 1, 2, 1, 1, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1, 2, 0, 1],
};

const FROM_SRGB = multiply3(CAMERA, rgbToXyz(PRIMARIES.srgb, D65));

/** Linear sRGB to the camera's RGB, in which D65's white has 1 in the largest channel. */
export function cameraRgb(rgb: readonly number[]): number[] {
  const m = FROM_SRGB;
  const at = (c: number, v: readonly number[]): number => m[3 * c] * v[0] + m[3 * c + 1] * v[1] + m[3 * c + 2] * v[2];
  const white = Math.max(...[0, 1, 2].map((c) => at(c, [1, 1, 1])));
  return [0, 1, 2].map((c) => at(c, rgb) / white);
}

export interface DngPicture {
  width: number;
  height: number;
  /** Linear sRGB of the scene at a pixel; white is 1 at an exposure of 1. */
  scene(x: number, y: number): readonly number[];
  /** What the scene is multiplied by; the exposure time is a hundredth of it. */
  exposure: number;
  black?: number;
  white?: number;
  /** What a neutral has in the camera's RGB; the true one by default. */
  neutral?: readonly number[];
  orientation?: number;
  pattern?: typeof BAYER;
  model?: string;
  /** Whether the colour matrix is left out. */
  isUnknown?: boolean;
  /** In the header, in place of the true one. */
  saysWidth?: number;
  saysHeight?: number;
  /** `2026:11:26 10:09:26`. */
  taken?: string;
  /** Whether the samples come after the directory, as in most cameras' files. */
  isLast?: boolean;
  /** JPEGs of the picture, each in a directory of its own. */
  previews?: readonly { jpeg: Uint8Array; width: number; height: number }[];
}

/** A DNG of 16 bit, not compressed. */
export function dng(picture: DngPicture): Uint8Array<ArrayBuffer> {
  const { width, height, scene, exposure, black = 512, white = 16383, pattern = BAYER } = picture;
  const { neutral = cameraRgb([1, 1, 1]), orientation = 1, model = 'Bayer 1', isUnknown, taken } = picture;
  const { previews = [] } = picture;
  const samples = new DataView(new ArrayBuffer(2 * width * height));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const c = pattern.colors[(y % pattern.side) * pattern.side + (x % pattern.side)];
      const light = Math.max(0, cameraRgb(scene(x, y))[c]) * exposure;
      samples.setUint16(2 * (y * width + x), Math.min(white, Math.round(black + light * (white - black))), true);
    }
  const fractions = (numbers: readonly number[]): number[] => numbers.flatMap((n) => [Math.round(n * 1e6), 1e6]);
  const entries = (samplesAt: number, previewsAt: number[]) => [
    numbersEntry(254, long, [0]),
    numbersEntry(256, long, [picture.saysWidth ?? width]),
    numbersEntry(257, long, [picture.saysHeight ?? height]),
    numbersEntry(258, short, [16]),
    numbersEntry(259, short, [1]),
    numbersEntry(262, short, [32803]),
    textEntry(271, 'Synth'),
    textEntry(272, model),
    numbersEntry(273, long, [samplesAt]),
    numbersEntry(274, short, [orientation]),
    numbersEntry(277, short, [1]),
    numbersEntry(278, long, [picture.saysHeight ?? height]),
    numbersEntry(279, long, [samples.byteLength]),
    numbersEntry(33421, short, [pattern.side, pattern.side]),
    bytesEntry(33422, Uint8Array.from(pattern.colors), byte),
    directoryEntry(34665, [
      numbersEntry(33434, rational, [Math.round(exposure * 1e6), 1e8]),
      numbersEntry(33437, rational, [8, 1]),
      numbersEntry(34855, short, [100]),
      ...(taken ? [textEntry(36867, taken)] : []),
    ]),
    bytesEntry(50706, Uint8Array.of(1, 4, 0, 0), byte),
    bytesEntry(50707, Uint8Array.of(1, 1, 0, 0), byte),
    textEntry(50708, `Synth ${model}`),
    numbersEntry(50714, long, [black]),
    numbersEntry(50717, long, [white]),
    ...(isUnknown ? [] : [numbersEntry(50721, srational, fractions(CAMERA))]),
    numbersEntry(50728, rational, fractions(neutral)),
    numbersEntry(50778, short, [21]),
    ...(previewsAt.length > 0 ? [numbersEntry(330, long, previewsAt)] : []),
  ];
  const size = encodeDirectory(
    entries(
      0,
      previews.map(() => 0),
    ),
    8,
  ).length;
  const [samplesAt, base] = picture.isLast ? [8 + size, 8] : [8, 8 + samples.byteLength];
  // Behind the rest: directory, then JPEG, of one preview after another.
  let end = 8 + size + samples.byteLength;
  const small = previews.map((preview) => {
    const at = end + (end & 1);
    const directory = previewDirectory(preview, at);
    end = at + directory.length + preview.jpeg.length;
    return { at, bytes: [...directory, ...preview.jpeg] };
  });
  const out = new Uint8Array(end);
  out.set([0x49, 0x49, 42, 0]);
  new DataView(out.buffer).setUint32(4, base, true);
  out.set(new Uint8Array(samples.buffer), samplesAt);
  out.set(
    encodeDirectory(
      entries(
        samplesAt,
        small.map(({ at }) => at),
      ),
      base,
    ),
    base,
  );
  for (const { at, bytes } of small) out.set(bytes, at);
  return out;
}

/** The directory of a JPEG that follows it. */
function previewDirectory(
  { jpeg, width, height }: { jpeg: Uint8Array; width: number; height: number },
  at: number,
): Uint8Array {
  const directory = (jpegAt: number): Uint8Array =>
    encodeDirectory(
      [
        numbersEntry(254, long, [1]),
        numbersEntry(256, long, [width]),
        numbersEntry(257, long, [height]),
        numbersEntry(258, short, [8, 8, 8]),
        numbersEntry(259, short, [7]),
        numbersEntry(262, short, [6]),
        numbersEntry(273, long, [jpegAt]),
        numbersEntry(277, short, [3]),
        numbersEntry(278, long, [height]),
        numbersEntry(279, long, [jpeg.length]),
      ],
      at,
    );
  return directory(at + directory(0).length);
}

/** Side of a patch of `patches`. */
export const PATCH = 16;
const COLORS = [
  [0.2, 0.2, 0.2],
  [0.5, 0.2, 0.12],
  [0.1, 0.35, 0.12],
  [0.12, 0.15, 0.4],
  [0.42, 0.36, 0.1],
  [0.05, 0.05, 0.05],
  [0.6, 0.6, 0.6],
];

/** A scene of coloured patches: linear sRGB at a pixel. */
export function patches(x: number, y: number): readonly number[] {
  const column = Math.floor(x / PATCH);
  const row = Math.floor(y / PATCH);
  return COLORS[(column + 3 * row) % COLORS.length];
}
