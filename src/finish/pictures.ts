/** What a finisher takes and gives. */
import type { ColorSpace } from '../image/colorSpace.ts';

/** A part of a picture, and by how much it is turned. Sizes and places are in pixels of the picture. */
export interface Crop {
  /** Degrees by which the picture is turned clockwise before it is cut, from -45 to 45. */
  angle: number;
  /** The picture's point in the middle of the cut, from the picture's corner. */
  centerX: number;
  centerY: number;
  /** Of the cut, in whole pixels. */
  width: number;
  height: number;
}

/** A picture to finish: the part of a merge's result that this needs. */
export interface RadiancePicture {
  /** Linear RGB, interleaved `[height, width, 3]`; negative values count as 0. */
  radiance: Float32Array;
  width: number;
  height: number;
  /** Radiance times this is 1 at the reference frame's white; 1 by default. */
  scale?: number;
  /** `srgb` by default. */
  colorSpace?: ColorSpace;
}

/** A cut of the picture: `cropPicture` makes its light. */
export interface FinishCut {
  crop: Crop;
  radiance: Float32Array;
}

/** How a picture is finished. Every field has a default. */
export interface FinishOptions {
  /** EV above white that the display shows, from 0 to 8, for `linear`; 0 by default: 1 is the most. */
  headroom?: number;
  /** Finishes this cut in place of the whole picture, as it looks there. */
  cut?: FinishCut;
  /** Called with the share of the work that is done, from 0 to 1. */
  onProgress?: (fraction: number) => void;
  signal?: AbortSignal;
}

/** A finished picture's samples by kind. */
export interface FinishedSamples {
  /** 8-bit codes under sRGB's curve. */
  codes: Uint8Array<ArrayBuffer>;
  /** Display-linear: 1 is white. */
  linear: Float32Array<ArrayBuffer>;
}

/**
 * How light is spread, and how it is shown: shares of the picture, by bins of EV about middle grey. What lies beyond
 * the bins is in the first or the last one.
 */
export interface FinishHistogram {
  /** EV where the first bin begins, and EV of a bin. */
  from: number;
  step: number;
  /** By the light after exposure and white balance: its luminance, and each channel. */
  luminance: Float32Array;
  red: Float32Array;
  green: Float32Array;
  blue: Float32Array;
  /** By luminance: the part of which a channel is shown as the display's most, and the part that is shown black. */
  white: Float32Array;
  black: Float32Array;
}

/** A small finished picture. */
export interface FinishPreview {
  /** 8-bit codes under sRGB's curve, RGB. */
  codes: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
}
