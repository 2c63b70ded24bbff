/** Cuts frames into tiles for the GPU and joins result tiles: typed arrays in, typed arrays out. */
import { frameSize, maxSample } from './frame.ts';
import type { FrameSource } from './frame.ts';
import type { MotionMaps } from './motion.ts';
import type { Tile } from './tile.ts';

/**
 * W of a pixel where its frame has no data. As a factor it acts as 0, which W is there (spec: Before the network); the
 * few kernels that must know look at its sign.
 */
export const NO_DATA = -1e-30;

/**
 * A tile of the stack, NC4HW4: block k is (R, G, B, W_k) of frame k, samples scaled to [0,1]. Outside the picture, its
 * last row and column repeat: the padding of the spec's Conventions. Where a frame has no data, W_k is NO_DATA. For
 * frames that are not arrays or are warped, only W_k is written; the device adds their colours.
 * @param motion one map per frame, of the picture's size or the padded size; absent for W = 0.
 * @param isOnDevice whether the device adds a frame's colours.
 * @param out `[frames][tileHeight][tileWidth][4]`.
 */
export function cutStack(
  frames: readonly FrameSource[],
  motion: MotionMaps | undefined,
  isOnDevice: (frame: number) => boolean,
  tile: Tile,
  tileWidth: number,
  tileHeight: number,
  out: Float32Array,
): void {
  const { width, height } = frameSize(frames[0]);
  frames.forEach((frame, k) => {
    const { data, coverage } = 'data' in frame && !isOnDevice(k) ? frame : { data: undefined, coverage: undefined };
    const scale = data ? 1 / maxSample(data) : 1;
    const map = motion?.maps[k];
    const mapWidth = motion?.width ?? 0;
    const mapHeight = motion?.height ?? 0;
    // Loops of their own for each: a large picture's tiles take as long to cut as the GPU takes to merge them.
    const first = Math.min(tile.x.start, width - 1);
    const inside = Math.min(tileWidth, width - first);
    for (let y = 0; y < tileHeight; y++) {
      const row = Math.min(tile.y.start + y, height - 1) * width + first;
      const start = (k * tileHeight + y) * tileWidth * 4;
      if (data) {
        let from = 3 * row;
        let at = start;
        for (const end = start + 4 * inside; at < end; at += 4, from += 3) {
          out[at] = data[from] * scale;
          out[at + 1] = data[from + 1] * scale;
          out[at + 2] = data[from + 2] * scale;
          out[at + 3] = 0;
        }
        for (const end = start + 4 * tileWidth; at < end; at += 4) out.copyWithin(at, at - 4, at);
      }
      if (map) {
        const mapRow = Math.min(tile.y.start + y, mapHeight - 1) * mapWidth;
        for (let x = 0; x < tileWidth; x++)
          out[start + 4 * x + 3] = map[mapRow + Math.min(tile.x.start + x, mapWidth - 1)];
      } else if (!data) for (let x = 0; x < tileWidth; x++) out[start + 4 * x + 3] = 0;
      if (coverage)
        for (let x = 0; x < tileWidth; x++)
          if (coverage[row + Math.min(x, inside - 1)] === 0) out[start + 4 * x + 3] = NO_DATA;
    }
  });
}

/**
 * Copies a tile's core into a picture, for the channels that `targets` gives.
 * @param values the tile, NC4HW4.
 * @param targets for each channel, the array and its layout: `array[pixel * stride + offset]`.
 */
export function pasteCore(
  values: Float32Array,
  tile: Tile,
  tileWidth: number,
  tileHeight: number,
  picture: { width: number; height: number },
  targets: readonly { array: Float32Array; stride: number; offset: number }[],
): void {
  const endY = Math.min(tile.y.coreEnd, picture.height);
  const endX = Math.min(tile.x.coreEnd, picture.width);
  if (isRgb(targets)) {
    const [{ array }] = targets;
    for (let y = tile.y.coreStart; y < endY; y++) {
      let from = ((y - tile.y.start) * tileWidth + tile.x.coreStart - tile.x.start) * 4;
      let to = (y * picture.width + tile.x.coreStart) * 3;
      for (const end = (y * picture.width + endX) * 3; to < end; to += 3, from += 4) {
        array[to] = values[from];
        array[to + 1] = values[from + 1];
        array[to + 2] = values[from + 2];
      }
    }
    return;
  }
  targets.forEach(({ array, stride, offset }, channel) => {
    const plane = Math.floor(channel / 4) * tileWidth * tileHeight;
    for (let y = tile.y.coreStart; y < endY; y++) {
      const row = plane + (y - tile.y.start) * tileWidth - tile.x.start;
      for (let x = tile.x.coreStart; x < endX; x++) {
        array[(y * picture.width + x) * stride + offset] = values[(row + x) * 4 + (channel % 4)];
      }
    }
  });
}

/** Whether the targets are the three channels of one interleaved picture, whose pixels can be copied whole. */
function isRgb(targets: readonly { array: Float32Array; stride: number; offset: number }[]): boolean {
  return (
    targets.length === 3 &&
    targets.every(({ array, stride, offset }, c) => array === targets[0].array && stride === 3 && offset === c)
  );
}
