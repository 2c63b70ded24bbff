/** What CPU references compute on: f64 values, channels outermost. */

/** A `[c, h, w]` tensor, row-major. */
export interface Tensor {
  data: Float64Array;
  c: number;
  h: number;
  w: number;
}

/** A tensor of zeros, or of the values given (copied to f64). */
export function tensor(c: number, h: number, w: number, values?: ArrayLike<number>): Tensor {
  if (values && values.length !== c * h * w) throw new Error(`${values.length} values for [${c}, ${h}, ${w}]`);
  return { data: values ? Float64Array.from(values) : new Float64Array(c * h * w), c, h, w };
}

/** A tensor with every value replaced. */
export function map(x: Tensor, f: (value: number, index: number) => number): Tensor {
  return { ...x, data: x.data.map(f) };
}

/** Channels [from, from + count). */
export function channels(x: Tensor, from: number, count: number): Tensor {
  return { ...x, c: count, data: x.data.slice(from * x.h * x.w, (from + count) * x.h * x.w) };
}

/** Tensors of one size, one after the other along the channels. */
export function concat(...parts: Tensor[]): Tensor {
  const [{ h, w }] = parts;
  if (parts.some((part) => part.h !== h || part.w !== w))
    throw new Error(`concat of ${parts.map((p) => `[${p.c}, ${p.h}, ${p.w}]`).join(' and ')}`);
  const out = tensor(
    parts.reduce((sum, part) => sum + part.c, 0),
    h,
    w,
  );
  let at = 0;
  for (const part of parts) {
    out.data.set(part.data, at);
    at += part.data.length;
  }
  return out;
}

/** The top left h x w pixels. */
export function crop(x: Tensor, h: number, w: number): Tensor {
  const out = tensor(x.c, h, w);
  for (let c = 0; c < x.c; c++)
    for (let y = 0; y < h; y++)
      for (let i = 0; i < w; i++) out.data[(c * h + y) * w + i] = x.data[(c * x.h + y) * x.w + i];
  return out;
}

/** `c y x` of a flat index, for messages. */
export function where({ h, w }: Tensor): (index: number) => string {
  return (index) => `channel ${Math.floor(index / (h * w))}, y ${Math.floor(index / w) % h}, x ${index % w}`;
}
