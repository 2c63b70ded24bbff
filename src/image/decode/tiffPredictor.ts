/**
 * Bytes of a TIFF's strip or tile to samples: byte order, the two predictors, and halves.
 *
 * Predictor 2 stores differences from pixel to pixel (TIFF 6.0, section 14). Predictor 3, for floats, first puts the
 * bytes of a row apart, the most significant ones first, and then stores differences from byte to byte (Adobe's
 * Technical Note 3 of 2005).
 */
import { halvesToFloats } from '../../float16.ts';
import type { Samples } from './workingSpace.ts';

const HORIZONTAL = 2;
const FLOATING_POINT = 3;

/** What of a segment's layout counts here. */
interface SegmentLayout {
  width: number;
  bits: 8 | 16 | 32;
  float: boolean;
  predictor: number;
  /** Byte order. */
  little: boolean;
}

/**
 * The samples of a segment.
 * @param bytes unpacked, in the file's byte order; not changed.
 * @returns as many whole samples as there are.
 */
export function undoPredictor(bytes: Uint8Array, layout: SegmentLayout, channels: number): Samples {
  const { bits, float, predictor } = layout;
  const rowSamples = layout.width * channels;
  const isFloatingPoint = float && predictor === FLOATING_POINT;
  const words = isFloatingPoint
    ? wordsOf(joinBytes(bytes, rowSamples, bits / 8, channels), bits, false)
    : wordsOf(bytes, bits, layout.little);
  if (predictor === HORIZONTAL) {
    for (let start = 0; start < words.length; start += rowSamples) {
      const end = Math.min(start + rowSamples, words.length);
      for (let i = start + channels; i < end; i++) words[i] += words[i - channels];
    }
  }
  if (words instanceof Uint32Array) return new Float32Array(words.buffer);
  return float && words instanceof Uint16Array ? halvesToFloats(words) : words;
}

/** Whole numbers of 8, 16 or 32 bits. They may be unaligned, and in either byte order. */
function wordsOf(bytes: Uint8Array, bits: 8 | 16 | 32, little: boolean): Uint8Array | Uint16Array | Uint32Array {
  if (bits === 8) return bytes.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bits === 32) {
    const out = new Uint32Array(bytes.length >> 2);
    for (let i = 0; i < out.length; i++) out[i] = view.getUint32(4 * i, little);
    return out;
  }
  const out = new Uint16Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = view.getUint16(2 * i, little);
  return out;
}

/** Undoes the floating-point predictor. @returns whole rows, each sample's bytes together, big-endian. */
function joinBytes(bytes: Uint8Array, rowSamples: number, size: number, channels: number): Uint8Array {
  const rowBytes = rowSamples * size;
  const out = new Uint8Array(bytes.length - (bytes.length % rowBytes));
  const row = new Uint8Array(rowBytes);
  for (let start = 0; start < out.length; start += rowBytes) {
    row.set(bytes.subarray(start, start + rowBytes));
    for (let i = channels; i < rowBytes; i++) row[i] += row[i - channels];
    for (let i = 0; i < rowSamples; i++)
      for (let b = 0; b < size; b++) out[start + i * size + b] = row[b * rowSamples + i];
  }
  return out;
}
