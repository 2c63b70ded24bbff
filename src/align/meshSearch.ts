/** Finds a mesh of shifts that is left after a homography, and how much better frames agree with it. */
import type { Gpu } from '../device.ts';
import { throwIfCancelled } from '../errors.ts';
import { flatGrid } from '../kernels/flat.ts';
import type { Commands } from '../graph/commands.ts';
import { multiply3, invert3 } from '../image/colorSpace.ts';
import { normalization, scaled } from './homography.ts';
import type { Level } from './levels.ts';
import { NODE_FLOATS, gridOf, meshLevels } from './meshGrid.ts';
import { MESH_SOLVE, MESH_SUMS, WARP_FEATURES } from './meshPrograms.ts';
import { PIXEL_BYTES } from './pixels.ts';
import type { Homography, Mesh } from './types.ts';

/** How a mesh is found. */
export interface MeshOptions {
  /** Most pixels of the finest level that shifts are found at. */
  mostPixels: number;
  /** Updates at each level. */
  updates: number;
  signal?: AbortSignal;
}

/** A mesh, and the mean error of features in the overlap without and with it, from 0 to 1. */
export interface FoundMesh {
  mesh: Mesh;
  before: number;
  after: number;
}

/**
 * Finds the mesh for a frame.
 * @param matrix from the reference's pixels to the frame's, at full size.
 * @throws CancelledError; GpuError; DeviceLostError.
 */
export async function findMesh(
  gpu: Gpu,
  commands: Commands,
  levels: readonly Level[],
  { reference, frame }: { reference: GPUBuffer; frame: GPUBuffer },
  matrix: Homography,
  { mostPixels, updates, signal }: MeshOptions,
): Promise<FoundMesh> {
  const chosen = meshLevels(levels, mostPixels);
  const { width, height } = chosen.at(-1)!;
  const grid = gridOf({ width, height });
  const { columns, rows } = grid;
  const nodes = columns * rows;
  const { device } = gpu;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const sumsBytes = nodes * NODE_FLOATS * 4;
  const buffers = await gpu.guard('allocating a mesh', (own) => [
    own(device.createBuffer({ label: 'warped features', size: width * height * PIXEL_BYTES, usage })),
    own(device.createBuffer({ label: 'mesh shifts', size: 3 * nodes * 8, usage })),
    own(device.createBuffer({ label: 'mesh sums', size: sumsBytes, usage })),
    own(
      device.createBuffer({
        label: 'mesh readback',
        size: 2 * sumsBytes + nodes * 8,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      }),
    ),
  ]);
  const [warped, shifts, sums, readback] = buffers;
  try {
    const measure = (level: Level): void => {
      const { cx, cy, unit } = normalization(level);
      const scale = 0.5 ** level.halvings;
      const k = [unit, 0, cx, 0, unit, cy, 0, 0, 1];
      const n = multiply3(multiply3(invert3(k), scaled(matrix, scale)), k);
      const params = { width: level.width, height: level.height, first: level.first, columns, rows };
      commands.add(
        WARP_FEATURES,
        { ...params, unit, scale, matrix: [0, 3, 6].flatMap((i) => [n[i], n[i + 1], n[i + 2], 0]) },
        [frame, shifts, warped],
        flatGrid(level.width * level.height),
      );
      commands.add(MESH_SUMS, params, [reference, warped, sums], [columns, rows, 1]);
    };
    /** Measures the finest level once more, for the error. */
    const measureError = async (slot: number): Promise<void> => {
      measure(chosen.at(-1)!);
      await commands.submit('the error with a mesh', (encoder) =>
        encoder.copyBufferToBuffer(sums, 0, readback, slot * sumsBytes, sumsBytes),
      );
    };
    await measureError(0);
    for (const level of chosen) {
      throwIfCancelled(signal);
      for (let i = 0; i < updates; i++) {
        measure(level);
        commands.add(MESH_SOLVE, { columns, rows, scale: 0.5 ** level.halvings }, [sums, shifts], [1, 1, 1]);
      }
      await commands.submit('a mesh');
    }
    await measureError(1);
    await commands.submit('reading a mesh', (encoder) =>
      encoder.copyBufferToBuffer(shifts, 0, readback, 2 * sumsBytes, nodes * 8),
    );
    const values = await gpu.read(readback, (range) => new Float32Array(range.slice(0)));
    const floats = sumsBytes / 4;
    return {
      mesh: { ...grid, shifts: values.slice(2 * floats) },
      before: meanError(values.subarray(0, floats)),
      after: meanError(values.subarray(floats, 2 * floats)),
    };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** Mean error over usable pixels of all nodes. */
function meanError(sums: Float32Array): number {
  let [error, weight] = [0, 0];
  for (let i = 0; i < sums.length; i += NODE_FLOATS) {
    weight += sums[i + 3];
    error += sums[i + 6];
  }
  return weight > 0 ? error / weight : 0;
}
