/** What alignment finds and what a warp needs. Types only, so that the core can name them without loading any code. */

/**
 * A homography, 9 numbers, rows first, the last one 1: from a pixel of the reference to the pixel of the frame that
 * shows the same point. Pixel centres are at whole numbers, `(0, 0)` is the centre of the first pixel.
 */
export type Homography = readonly number[];

/**
 * Shifts on a regular grid over the reference, for parallax: the reference's pixel p is the frame's pixel
 * `H(p + shift(p))`. Node (i, j) lies at `((i + 0.5) * width / columns - 0.5, (j + 0.5) * height / rows - 0.5)` of the
 * reference; between nodes, shifts are interpolated linearly, and beyond the outer nodes they stay as there.
 */
export interface Mesh {
  columns: number;
  rows: number;
  /** Pixels in x and y, `[rows, columns, 2]`. */
  shifts: Float32Array;
}

/** Where a frame's pixels lie. */
export interface Warp {
  matrix: Homography;
  mesh?: Mesh;
}

/** How a frame was aligned: not resampled (`reference`, `none`), or by one of these models. */
export type AlignmentKind = 'reference' | 'none' | 'translation' | 'similarity' | 'homography' | 'mesh';

/** How one frame lies on the reference. */
export interface FrameAlignment extends Warp {
  kind: AlignmentKind;
  /**
   * How far the reference's points come back from where they began, if they go to the frame by one alignment and back
   * by another that was found on its own: mean over a grid of 9 x 9 points, in pixels. Undefined if nothing was
   * estimated.
   */
  roundTrip?: number;
  /** The largest way from a point of the reference to the frame's, over a grid of 9 x 9 points, in pixels. */
  displacement: number;
  /** Share of the reference that the frame covers with usable pixels. Undefined if nothing was estimated. */
  overlap?: number;
  /** Whether no alignment could be trusted, or only a simpler one than asked for. */
  failed?: boolean;
}

/** A frame that was left out of a merge, because it does not belong to the bracket. */
export interface Misfit {
  /** Its index among the frames that were given. */
  frame: number;
  /** What was found: `failed`, with the `overlap` that there is. */
  alignment: FrameAlignment;
}

/**
 * How frames are aligned: `auto` finds a homography for each, and shifts on a grid where those help against parallax;
 * `homography` and `mesh` do the first alone, or both always; `none` takes the frames as they are. Or homographies, in
 * the frames' order: 9 numbers, rows first, the last one 1, from a pixel of the reference to the frame's, pixel centres
 * at whole numbers.
 */
export type AlignOption = 'auto' | 'none' | 'homography' | 'mesh' | { matrices: readonly (readonly number[])[] };
