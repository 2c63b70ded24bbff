/**
 * Pyramids of Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983), with their binomial filter
 * (1 4 6 4 1) / 16. Beyond the edges pictures are mirrored, the edge pixel not repeated.
 */

/** A picture of any number of channels, interleaved `[height, width, channels]`. */
export interface Layer {
  data: Float64Array;
  width: number;
  height: number;
  channels: number;
}

const TAPS = [1, 4, 6, 4, 1].map((tap) => tap / 16);

/** The index within [0, length) that i mirrors to. */
function mirror(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const at = ((i % period) + period) % period;
  return at < length ? at : period - at;
}

/** Every row, or every column, through `tap`, which adds up samples of a line of `from` for the new index i. */
function resample(
  { data, width, height, channels }: Layer,
  isRow: boolean,
  length: number,
  tap: (i: number, sample: (index: number) => number) => number,
): Layer {
  const [w, h] = isRow ? [length, height] : [width, length];
  const out: Layer = { data: new Float64Array(w * h * channels), width: w, height: h, channels };
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      for (let c = 0; c < channels; c++)
        out.data[(y * w + x) * channels + c] = isRow
          ? tap(x, (u) => data[(y * width + u) * channels + c])
          : tap(y, (v) => data[(v * width + x) * channels + c]);
  return out;
}

/** Filtered and every second pixel of every second row kept: `ceil(side / 2)`. */
export function reduce(layer: Layer): Layer {
  const halve = (from: Layer, isRow: boolean, length: number): Layer =>
    resample(from, isRow, Math.ceil(length / 2), (i, sample) => {
      let sum = 0;
      for (let t = 0; t < 5; t++) sum += TAPS[t] * sample(mirror(2 * i + t - 2, length));
      return sum;
    });
  return halve(halve(layer, true, layer.width), false, layer.height);
}

/** Zeros put between the pixels, and filtered with four times the filter: to a size whose reduction it is. */
export function expand(layer: Layer, width: number, height: number): Layer {
  const double = (from: Layer, isRow: boolean, length: number): Layer =>
    resample(from, isRow, length, (i, sample) => {
      let sum = 0;
      for (let t = 0; t < 5; t++) {
        const at = mirror(i + t - 2, length);
        if (at % 2 === 0) sum += 2 * TAPS[t] * sample(at / 2);
      }
      return sum;
    });
  return double(double(layer, true, width), false, height);
}

/** A layer and its reductions, finest first, `levels` reductions. */
export function gaussianPyramid(layer: Layer, levels: number): Layer[] {
  const out = [layer];
  for (let i = 0; i < levels; i++) out.push(reduce(out[i]));
  return out;
}

/** What each layer of a gaussian pyramid adds to the next, finest first; the last is the coarsest layer itself. */
export function laplacianPyramid(layer: Layer, levels: number): Layer[] {
  const layers = gaussianPyramid(layer, levels);
  return layers.map((of, i) => {
    if (i === levels) return of;
    const coarse = expand(layers[i + 1], of.width, of.height);
    return { ...of, data: of.data.map((value, j) => value - coarse.data[j]) };
  });
}

/** The picture that a Laplacian pyramid is of. */
export function collapse(pyramid: readonly Layer[]): Layer {
  return pyramid.reduceRight((coarse, of) => {
    const wide = expand(coarse, of.width, of.height);
    return { ...of, data: of.data.map((value, j) => value + wide.data[j]) };
  });
}
