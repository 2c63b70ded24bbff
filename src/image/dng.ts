/**
 * Linear DNG: the merged picture as a raw converter wants it, floating point camera RGB with the numbers that turn
 * it into colours. Adobe's DNG specification 1.6: floating point needs version 1.4, LinearRaw is 34892, deflate with
 * predictor 3 in tiles.
 *
 * Samples are divided by a power of two so that none exceeds 1, the white level; BaselineExposure gives it back, so
 * that 0 EV in the converter shows the reference frame's white as white. A preview comes first, as the specification
 * recommends; the raw picture is its sub-directory.
 *
 * - With `camera`, the white balance is undone: samples are the camera's own RGB, and AsShotNeutral is what neutral
 *   light has in it.
 * - Otherwise samples are linear RGB of the working space: it counts as a camera whose matrix is that space's, and
 *   whose neutral is 1, 1, 1.
 */
import { PRIMARIES, convertMatrix, invert3, rgbToXyz } from './colorSpace.ts';
import { exifEntries } from './exifBlock.ts';
import type { Deflate } from './exr.ts';
import type { MergedImage } from './picture.ts';
import { TIFF_TYPE, bytesEntry, directoryEntry, entryText, numbersEntry, textEntry } from './tiffEntries.ts';
import type { TiffEntry } from './tiffEntries.ts';
import { streamTiff } from './tiffFile.ts';
import { toneMap } from './toneMap.ts';
import type { ToneParameters } from './toneMap.ts';

const TILE = 256;
const PREVIEW_SIDE = 256;
const { byte, short, long, rational, srational } = TIFF_TYPE;

/** Numerators and denominators of numbers, in steps of 1/1000000. */
const fractions = (numbers: readonly number[]): number[] => numbers.flatMap((n) => [Math.round(n * 1e6), 1e6]);

/** How a DNG is written. */
export interface DngOptions {
  /** The pixel type, `half` by default: 11 bits. */
  type?: 'half' | 'float';
  /** Of the preview. */
  tone: ToneParameters;
  /** The largest sample of the radiance. */
  largest: number;
  deflate: Deflate;
  signal?: AbortSignal;
}

/** A small picture of every n-th pixel, tone-mapped. */
function previewOf({ radiance, width, height, camera, colorSpace = 'srgb' }: MergedImage, tone: ToneParameters) {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / PREVIEW_SIDE));
  const w = Math.ceil(width / step);
  const h = Math.ceil(height / step);
  const same = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const m = camera?.toSrgb ?? (colorSpace === 'srgb' ? same : convertMatrix(colorSpace, 'srgb'));
  const small = new Float32Array(w * h * 3);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = 3 * (y * step * width + x * step);
      const [r, g, b] = radiance.subarray(from, from + 3);
      for (let c = 0; c < 3; c++)
        small[3 * (y * w + x) + c] = Math.max(0, m[3 * c] * r + m[3 * c + 1] * g + m[3 * c + 2] * b);
    }
  return { width: w, height: h, codes: toneMap(small, tone) };
}

/** Streams a picture as DNG. All samples must be finite. */
export function streamDng(image: MergedImage, options: DngOptions): ReturnType<typeof streamTiff> {
  const { radiance, width, height, scale, camera, colorSpace = 'srgb' } = image;
  const inverse = camera?.whiteBalance.map((gain) => 1 / gain) ?? [1, 1, 1];
  const neutral = inverse.map((n) => n / Math.max(...inverse));
  const stops = Math.max(0, Math.ceil(Math.log2(Math.max(options.largest * scale, 1e-30))));
  const factors = neutral.map((n) => (n * scale) / 2 ** stops);
  const matrix = camera?.colorMatrix ?? invert3(rgbToXyz(PRIMARIES[colorSpace]));
  const preview = previewOf(image, options.tone);
  const exif = exifEntries(image.exif, { width, height, isSrgb: false });
  const named = (tag: number, text: string | undefined): TiffEntry[] =>
    text || !exif.some((entry) => entry.tag === tag) ? [textEntry(tag, text ?? 'deghost')] : [];
  const make = camera?.make ?? entryText(exif.find(({ tag }) => tag === 271));
  const model = camera?.model ?? entryText(exif.find(({ tag }) => tag === 272));
  // A converter has its own matrices for models that it knows; they must not meet samples that are no camera's RGB.
  const unique = camera ? `${make ?? ''} ${model ?? ''}`.trim() : `deghost linear ${colorSpace}`;
  const raw = (blocks: TiffEntry[]): TiffEntry[] => [
    ...blocks,
    numbersEntry(254, long, [0]),
    numbersEntry(262, short, [34892]),
    numbersEntry(50713, short, [1, 1]), // BlackLevelRepeatDim
    numbersEntry(50714, rational, fractions([0, 0, 0])),
    numbersEntry(50717, long, [1, 1, 1]), // WhiteLevel
    numbersEntry(50718, rational, fractions([1, 1])), // DefaultScale
    numbersEntry(50719, long, [0, 0]), // DefaultCropOrigin
    numbersEntry(50720, long, [width, height]),
    numbersEntry(50829, long, [0, 0, height, width]), // ActiveArea
  ];
  const first = (blocks: TiffEntry[]): TiffEntry[] => [
    ...exif,
    ...named(271, camera?.make),
    ...named(272, camera?.model),
    numbersEntry(254, long, [1]),
    numbersEntry(256, long, [preview.width]),
    numbersEntry(257, long, [preview.height]),
    numbersEntry(258, short, [8, 8, 8]),
    numbersEntry(259, short, [1]),
    numbersEntry(262, short, [2]),
    numbersEntry(273, long, [8]),
    numbersEntry(277, short, [3]),
    numbersEntry(278, long, [preview.height]),
    numbersEntry(279, long, [preview.codes.length]),
    numbersEntry(284, short, [1]),
    directoryEntry(330, raw(blocks)),
    bytesEntry(50706, Uint8Array.of(1, 4, 0, 0), byte),
    bytesEntry(50707, Uint8Array.of(1, 4, 0, 0), byte),
    textEntry(50708, unique || 'deghost linear'),
    numbersEntry(50721, srational, fractions(matrix)), // ColorMatrix1
    numbersEntry(50728, rational, fractions(neutral)), // AsShotNeutral
    numbersEntry(50730, srational, fractions([stops])), // BaselineExposure
    numbersEntry(50778, short, [21]), // CalibrationIlluminant1: D65
    numbersEntry(50970, long, [2]), // PreviewColorSpace: sRGB
    numbersEntry(51110, long, [1]), // DefaultBlackRender: none
  ];
  const read = (from: number, out: Float64Array): void => {
    for (let i = 0; i < out.length; i++) out[i] = radiance[from + i] * factors[i % 3];
  };
  return streamTiff({ width, height, sample: options.type ?? 'half', read, tile: TILE, predictFloats: true }, first, {
    deflate: options.deflate,
    signal: options.signal,
    before: preview.codes,
  });
}
