/** Finds a mesh of shifts that is left after a homography, and how much better frames agree with it. */
import type { Gpu } from '../device.ts';
import { throwIfCancelled } from '../errors.ts';
import { flatGrid } from '../kernels/flat.ts';
import type { Commands } from './commands.ts';
import { multiply3, invert3 } from '../image/colorSpace.ts';
import { normalization, scaled } from './homography.ts';
import type { Level } from './levels.ts';
import { PIXEL_BYTES } from './levels.ts';
import { CELL, MESH_SOLVE, MESH_SUMS, NODE_FLOATS, WARP_FEATURES } from './meshPrograms.ts';
import type { Homography, Mesh } from './types.ts';

/** How a mesh is found. */
export interface MeshOptions {
  /** Most pixels of the level that shifts are found at. */
  mostPixels: number;
  updates: number;
  signal?: AbortSignal;
}

/** A mesh, and the mean error of features in the overlap without and with it, from 0 to 1. */
export interface FoundMesh {
  mesh: Mesh;
  before: number;
  after: number;
}

/** The level that shifts are found at. */
function levelOf(levels: readonly Level[], mostPixels: number): Level {
  return levels.find(({ width, height }) => width * height <= mostPixels) ?? levels.at(-1)!;
}

/** Bytes of the buffers that a mesh needs. */
export function meshBytes(levels: readonly Level[], mostPixels: number): number {
  const { width, height } = levelOf(levels, mostPixels);
  const { columns, rows } = gridOf({ width, height });
  return width * height * PIXEL_BYTES + columns * rows * (3 * 8 + NODE_FLOATS * 4 * 2 + 8);
}

function gridOf({ width, height }: { width: number; height: number }): { columns: number; rows: number } {
  return { columns: Math.max(2, Math.round(width / CELL)), rows: Math.max(2, Math.round(height / CELL)) };
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
  const level = levelOf(levels, mostPixels);
  const { width, height, first, halvings } = level;
  const grid = gridOf(level);
  const { columns, rows } = grid;
  const nodes = columns * rows;
  const { device } = gpu;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
  const sumsBytes = nodes * NODE_FLOATS * 4;
  const buffers = await gpu.guard('allocating a mesh', () => [
    device.createBuffer({ label: 'warped features', size: width * height * PIXEL_BYTES, usage }),
    device.createBuffer({ label: 'mesh shifts', size: 3 * nodes * 8, usage }),
    device.createBuffer({ label: 'mesh sums', size: sumsBytes, usage }),
    device.createBuffer({
      label: 'mesh readback',
      size: 2 * sumsBytes + nodes * 8,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    }),
  ]);
  const [warped, shifts, sums, readback] = buffers;
  try {
    const { cx, cy, unit } = normalization(level);
    const k = [unit, 0, cx, 0, unit, cy, 0, 0, 1];
    const n = multiply3(multiply3(invert3(k), scaled(matrix, 0.5 ** halvings)), k);
    const params = { width, height, first, columns, rows };
    const packed = [0, 3, 6].flatMap((i) => [n[i], n[i + 1], n[i + 2], 0]);
    const measure = (): void => {
      commands.add(
        WARP_FEATURES,
        { ...params, unit, matrix: packed },
        [frame, shifts, warped],
        flatGrid(width * height),
      );
      commands.add(MESH_SUMS, params, [reference, warped, sums], [columns, rows, 1]);
    };
    for (let i = 0; i < updates; i++) {
      throwIfCancelled(signal);
      measure();
      if (i === 0)
        await commands.submit('a mesh', (encoder) => encoder.copyBufferToBuffer(sums, 0, readback, 0, sumsBytes));
      commands.add(MESH_SOLVE, { columns, rows }, [sums, shifts], [1, 1, 1]);
      await commands.submit('a mesh');
    }
    measure();
    await commands.submit('a mesh', (encoder) => {
      encoder.copyBufferToBuffer(sums, 0, readback, sumsBytes, sumsBytes);
      encoder.copyBufferToBuffer(shifts, 0, readback, 2 * sumsBytes, nodes * 8);
    });
    await gpu.wait(readback.mapAsync(GPUMapMode.READ));
    const values = new Float32Array(readback.getMappedRange().slice(0));
    readback.unmap();
    const floats = sumsBytes / 4;
    return {
      mesh: { ...grid, shifts: values.slice(2 * floats).map((value) => value * 2 ** halvings) },
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
