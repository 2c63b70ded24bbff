/**
 * Tensors as kernels see them.
 *
 * A **tensor** is stored on the GPU channel-blocked (NC4HW4): `vec4f` of four channels, then columns, rows, blocks.
 * Channels that are not a multiple of four are padded with zeros. A **view** is a tensor inside a larger buffer,
 * starting at some block: this makes concatenation work without copies.
 */

/** Channels, rows, columns of one tensor. */
export interface Shape {
  channels: number;
  height: number;
  width: number;
}

/** Blocks of four channels that hold `channels`. */
export function blocks(channels: number): number {
  return Math.ceil(channels / 4);
}

/** How a tensor is stored. Arithmetic is f32 either way. */
export type DType = 'f32' | 'f16';

/** Bytes of four channels of one pixel. */
export function texelBytes(dtype: DType): number {
  return dtype === 'f16' ? 8 : 16;
}

/** Bytes of a tensor in NC4HW4. */
export function tensorBytes(shape: Shape, dtype: DType = 'f32'): number {
  return blocks(shape.channels) * shape.height * shape.width * texelBytes(dtype);
}

export function shapeText(shape: Shape): string {
  return `${shape.channels}x${shape.height}x${shape.width}`;
}

/** A tensor inside a buffer, `block` blocks after its start. */
export interface View {
  shape: Shape;
  dtype: DType;
  buffer: number;
  block: number;
}

/** First vec4 of a view in its buffer. */
export function start(view: View): number {
  return view.block * view.shape.height * view.shape.width;
}
