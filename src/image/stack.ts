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
    let at = k * tileWidth * tileHeight * 4;
    for (let y = 0; y < tileHeight; y++) {
      const row = Math.min(tile.y.start + y, height - 1) * width;
      const mapRow = Math.min(tile.y.start + y, mapHeight - 1) * mapWidth;
      for (let x = 0; x < tileWidth; x++, at += 4) {
        if (data) {
          const pixel = row + Math.min(tile.x.start + x, width - 1);
          out[at] = data[3 * pixel] * scale;
          out[at + 1] = data[3 * pixel + 1] * scale;
          out[at + 2] = data[3 * pixel + 2] * scale;
        }
        out[at + 3] = map ? map[mapRow + Math.min(tile.x.start + x, mapWidth - 1)] : 0;
        if (coverage && coverage[row + Math.min(tile.x.start + x, width - 1)] === 0) out[at + 3] = NO_DATA;
      }
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
