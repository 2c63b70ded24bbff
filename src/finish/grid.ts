/**
 * The grid of local curves: its size, and where values lie in it.
 *
 * Its columns stand a thirty-second of the picture's long side apart, and each column has a node every half EV of
 * luminance. A node holds by how many EV a pixel of that luminance becomes brighter there.
 */

/** Long side of the proxy, in pixels: means of the picture's blocks, which the grid is made from. */
const PROXY_SIDE = 512;
/** Columns along the picture's long side. */
const COLUMNS = 32;
/** EV of the first node, EV from one to the next, and nodes of a column. */
export const GRID_LOW = -12;
export const GRID_STEP = 0.5;
export const GRID_NODES = 45;
/** Standard deviation of the means that a column's curve is about: in columns, and in EV. */
export const SIGMA_SPACE = 1;
export const SIGMA_VALUE = 0.75;
/** Luminance of middle grey, which EV count from. */
export const GREY = 0.18;

/** Sizes for one picture. */
export interface GridSize {
  /** Pixels of the picture along each side of a block. */
  block: number;
  /** The proxy. */
  proxyWidth: number;
  proxyHeight: number;
  /** Proxy pixels from one column of the grid to the next. */
  cell: number;
  /** Columns of the grid. */
  columns: number;
  rows: number;
}

/** The grid for a picture. */
export function gridFor(width: number, height: number): GridSize {
  const block = Math.ceil(Math.max(width, height) / PROXY_SIDE);
  const proxyWidth = Math.ceil(width / block);
  const proxyHeight = Math.ceil(height / block);
  const cell = Math.max(1, Math.max(proxyWidth, proxyHeight) / COLUMNS);
  const columns = Math.ceil(proxyWidth / cell) + 1;
  const rows = Math.ceil(proxyHeight / cell) + 1;
  return { block, proxyWidth, proxyHeight, cell, columns, rows };
}
