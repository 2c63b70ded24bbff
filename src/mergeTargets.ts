/** Where the tiles of a merge are put: into an array or maps on the CPU, or into a buffer on the device. */
import { InputError } from './errors.ts';
import { Commands } from './graph/commands.ts';
import { readBytes } from './graph/readBytes.ts';
import { UnfitResult, createUnfit } from './graph/results.ts';
import type { Session } from './session.ts';
import { partOf } from './stage.ts';
import type { PasteTarget, TileWork } from './stage.ts';

/** The picture being built: an array or a buffer on the device, both float32 `[height, width, 3]`. */
export type Picture =
  | { kind: 'array'; array: Float32Array<ArrayBuffer> }
  | { kind: 'buffer'; buffer: GPUBuffer | undefined };

/** What takes the results of a stage's tiles. */
export type StageResult = Pick<TileWork, 'target' | 'store'> & {
  /** Called when more rows of a picture in an array are final. */
  onRows?: (rows: number) => unknown;
  /** Waits until all is known to be right. */
  settle?: () => Promise<void>;
  /** Called at the end of each try. */
  free?: () => void;
};

/** An interleaved picture to paste tiles into. */
export function pixelsOf(array: Float32Array, { width, height }: { width: number; height: number }): PasteTarget {
  return {
    width,
    height,
    layout: 'pixels',
    paste(part, values) {
      for (let y = 0; y < part.height; y++)
        array.set(values.subarray(3 * y * part.width, 3 * (y + 1) * part.width), 3 * ((part.y + y) * width + part.x));
    },
  };
}

/** Maps to paste tiles into, one a channel. */
export function planesOf(
  maps: readonly Float32Array[],
  { width, height }: { width: number; height: number },
): PasteTarget {
  return {
    width,
    height,
    layout: 'planes',
    paste(part, values) {
      for (const [k, map] of maps.entries())
        for (let y = 0; y < part.height; y++) {
          const from = (k * part.height + y) * part.width;
          map.set(values.subarray(from, from + part.width), (part.y + y) * width + part.x);
        }
    },
  };
}

/**
 * A buffer on the device, made when its first part is there.
 * @param state `kept` becomes true before a part is in it: what is there would be lost with the device.
 */
export function bufferOf(
  session: Session,
  { width, height }: { width: number; height: number },
  picture: { buffer: GPUBuffer | undefined },
  state: { kept: boolean },
): StageResult {
  let unfit: GPUBuffer | undefined;
  return {
    async store(take, tile, clock) {
      const { gpu, executor, pipelines } = session;
      const { device } = gpu;
      picture.buffer ??= await gpu.guard('allocating the result', (own) =>
        own(
          device.createBuffer({
            label: 'radiance',
            size: width * height * 12,
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
          }),
        ),
      );
      unfit ??= await executor.memory.attempt('allocating a flag', () => createUnfit(executor.memory));
      const part = partOf(tile, { width, height });
      state.kept = true;
      if (!part) return;
      // Pictures may be larger than a binding.
      const align = device.limits.minStorageBufferOffsetAlignment;
      const offset = Math.floor((part.y * 12 * width) / align) * align;
      const size = (part.y + part.height) * 12 * width - offset;
      const commands = new Commands(gpu, pipelines);
      take(commands, part, [0, 3], { buffer: picture.buffer, offset, size }, unfit, {
        base: 3 * (part.y * width + part.x) - offset / 4,
        pixelStep: 3,
        rowStep: 3 * width,
        channelStep: 1,
      });
      await commands.submit('storing a tile', undefined, clock);
    },
    // Nothing else comes back to the CPU: the flag does when all is done.
    async settle() {
      if (unfit && new Uint32Array(await readBytes(session.gpu, unfit, 0, 4))[0] !== 0) throw new UnfitResult();
    },
    // Before a part is in the result, the next try makes both anew: it may be on another device.
    free() {
      if (unfit) session.executor.memory.destroy(unfit);
      unfit = undefined;
      if (state.kept) return;
      picture.buffer?.destroy();
      picture.buffer = undefined;
    },
  };
}

/** Checks that a buffer result fits one buffer of the device. @throws InputError naming both values. */
export function checkBufferSize(width: number, height: number, device: GPUDevice): void {
  const bytes = width * height * 12;
  if (bytes > device.limits.maxBufferSize) {
    throw new InputError(
      `a result of ${width}x${height} takes a buffer of ${bytes} bytes, the device's largest has ` +
        `${device.limits.maxBufferSize}: merge to an array`,
    );
  }
}
