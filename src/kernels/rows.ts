/**
 * Grids of one invocation per pixel: a workgroup is a part of a row, so that no index must be divided, which is slow on
 * many devices.
 */

/** Invocations of a workgroup, along a row. */
export const ROW_WORKGROUP = 64;

/** Grid for rows of pixels: `global_invocation_id` is column, row and layer. */
export function rowGrid(width: number, height: number, layers = 1): [x: number, y: number, z: number] {
  return [Math.ceil(width / ROW_WORKGROUP), height, layers];
}
