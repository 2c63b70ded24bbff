/**
 * The GPU's NC4HW4 layout for tests: `[ceil(c/4)][h][w][4]`, channel c in lane c % 4 of block floor(c / 4). Lanes
 * beyond the last channel are padding.
 */
import { tensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** Blocks of four that c channels take. */
export function blocks(c: number): number {
  return Math.ceil(c / 4);
}

/** Packs a tensor; padding lanes get `fill` (a test may poison them to see that nothing reads them). */
export function packNC4HW4({ data, c, h, w }: Tensor, fill = 0): Float32Array {
  const out = new Float32Array(blocks(c) * h * w * 4).fill(fill);
  for (let ch = 0; ch < c; ch++) {
    for (let p = 0; p < h * w; p++) out[(Math.floor(ch / 4) * h * w + p) * 4 + (ch % 4)] = data[ch * h * w + p];
  }
  return out;
}

/** Unpacks `c` channels from channel `from` of a packed tensor, which may have more. */
export function unpackNC4HW4(packed: ArrayLike<number>, c: number, h: number, w: number, from = 0): Tensor {
  if (packed.length < blocks(from + c) * h * w * 4)
    throw new Error(`${packed.length} packed values for channels ${from}..${from + c - 1} of ${h}x${w}`);
  const out = tensor(c, h, w);
  for (let ch = 0; ch < c; ch++) {
    const source = from + ch;
    for (let p = 0; p < h * w; p++)
      out.data[ch * h * w + p] = packed[(Math.floor(source / 4) * h * w + p) * 4 + (source % 4)];
  }
  return out;
}

/** Lanes of a packed tensor that hold no channel. */
export function paddingLanes(packed: ArrayLike<number>, c: number, h: number, w: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < blocks(c) * h * w * 4; i++) {
    if (Math.floor(i / (4 * h * w)) * 4 + (i % 4) >= c) out.push(packed[i]);
  }
  return out;
}
