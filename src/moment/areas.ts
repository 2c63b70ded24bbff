/** Rectangles of a picture: which of them another moment touches, so that only they are merged again. */

/** A rectangle of a picture in pixels. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Size {
  width: number;
  height: number;
}

/** Regions are feathered by a mean over 9x9 pixels (spec: Another moment for a part). */
export const FEATHER = 4;

/** Side of the cells that regions are found in. */
const CELL = 32;

/** More rectangles than this are found in larger cells. */
const MOST_FOUND = 200;

/** Most pixels of a side of what is merged and kept at once. */
const MOST_SIDE = 2048;

/** A rectangle with a margin, as far as it lies in the picture; its sides on a grid. */
export function grown({ x, y, width, height }: Rectangle, margin: number, picture: Size, grid = 1): Rectangle {
  const down = (value: number): number => Math.floor(Math.max(0, value) / grid) * grid;
  const up = (value: number, most: number): number => Math.min(most, Math.ceil(value / grid) * grid);
  const [left, top] = [down(x - margin), down(y - margin)];
  return {
    x: left,
    y: top,
    width: up(x + width + margin, picture.width) - left,
    height: up(y + height + margin, picture.height) - top,
  };
}

/** What two rectangles share; undefined for nothing. */
export function shared(a: Rectangle, b: Rectangle): Rectangle | undefined {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** The smallest rectangle around two. */
function around(a: Rectangle, b: Rectangle): Rectangle {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

/**
 * Rectangles that share nothing and cover all the given ones: those that overlap, or are merged faster together, become
 * one; large ones are cut.
 * @param halo pixels around a rectangle that must be computed with it.
 */
export function disjoint(given: readonly Rectangle[], halo: number): Rectangle[] {
  const cost = ({ width, height }: Rectangle): number => (width + 2 * halo) * (height + 2 * halo);
  const found: Rectangle[] = [];
  for (let next of given) {
    for (let i = 0; i < found.length; i++) {
      const both = around(found[i], next);
      if (!shared(found[i], next) && cost(both) > cost(found[i]) + cost(next)) continue;
      next = both;
      found.splice(i, 1);
      // The larger one may touch those before.
      i = -1;
    }
    found.push(next);
  }
  return found.flatMap(cut);
}

/** Cuts a rectangle into parts that are not too large. */
function cut({ x, y, width, height }: Rectangle): Rectangle[] {
  const [columns, rows] = [width, height].map((side) => Math.ceil(side / MOST_SIDE));
  const [w, h] = [Math.ceil(width / columns), Math.ceil(height / rows)];
  return Array.from({ length: columns * rows }, (_, i) => {
    const [left, top] = [(i % columns) * w, Math.floor(i / columns) * h];
    return { x: x + left, y: y + top, width: Math.min(w, width - left), height: Math.min(h, height - top) };
  });
}

/**
 * The rectangles in which a map of moments shows another frame than the reference, feathers included.
 * @param map frame numbers, `[height, width]`.
 */
export function touched(map: Uint8Array, picture: Size, reference: number, halo: number): Rectangle[] {
  let found: Rectangle[] = [];
  for (let cell = CELL; cell <= CELL * 2 ** 12; cell *= 2) {
    found = cellsOf(map, picture, reference, cell);
    if (found.length <= MOST_FOUND) break;
  }
  return disjoint(found, halo);
}

/** The same in cells of one size: each row's neighbouring cells are one rectangle, and so are equal ones below. */
function cellsOf(map: Uint8Array, { width, height }: Size, reference: number, cell: number): Rectangle[] {
  const [columns, rows] = [Math.ceil(width / cell), Math.ceil(height / cell)];
  const marked = new Uint8Array(columns * rows);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (map[y * width + x] === reference) continue;
      const [right, bottom] = [Math.min(width - 1, x + FEATHER), Math.min(height - 1, y + FEATHER)];
      for (const v of [Math.max(0, y - FEATHER), bottom])
        for (const u of [Math.max(0, x - FEATHER), right])
          marked[Math.floor(v / cell) * columns + Math.floor(u / cell)] = 1;
    }
  const found: Rectangle[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      if (!marked[row * columns + column]) continue;
      const first = column;
      while (column + 1 < columns && marked[row * columns + column + 1]) column++;
      const [x, y] = [first * cell, row * cell];
      const run = { x, y, width: Math.min(width, (column + 1) * cell) - x, height: Math.min(height, y + cell) - y };
      const above = found.find((one) => one.x === run.x && one.width === run.width && one.y + one.height === y);
      if (above) above.height += run.height;
      else found.push(run);
    }
  return found;
}

/**
 * How many of the 9x9 pixels around each pixel of a rectangle show a frame. Outside the picture its edge repeats.
 * @returns up to 81, `[height, width]` of the rectangle.
 */
export function shares(map: Uint8Array, picture: Size, frame: number, area: Rectangle): Uint8Array {
  const rows = area.height + 2 * FEATHER;
  // Sums over nine columns, of the rows that the area's windows reach.
  const across = new Uint8Array(rows * area.width);
  for (let j = 0; j < rows; j++) {
    const y = Math.min(picture.height - 1, Math.max(0, area.y + j - FEATHER));
    const is = (x: number): number =>
      map[y * picture.width + Math.min(picture.width - 1, Math.max(0, x))] === frame ? 1 : 0;
    let sum = 0;
    for (let x = area.x - FEATHER; x < area.x + FEATHER; x++) sum += is(x);
    for (let i = 0; i < area.width; i++) {
      sum += is(area.x + i + FEATHER);
      across[j * area.width + i] = sum;
      sum -= is(area.x + i - FEATHER);
    }
  }
  const counts = new Uint8Array(area.width * area.height);
  for (let i = 0; i < area.width; i++) {
    let sum = 0;
    for (let j = 0; j < 2 * FEATHER; j++) sum += across[j * area.width + i];
    for (let j = 0; j < area.height; j++) {
      sum += across[(j + 2 * FEATHER) * area.width + i];
      counts[j * area.width + i] = sum;
      sum -= across[j * area.width + i];
    }
  }
  return counts;
}

/** The smallest rectangle around all values of an area that are not 0; undefined if all are. */
export function extent(values: Uint8Array, { x, y, width, height }: Rectangle): Rectangle | undefined {
  let found: Rectangle | undefined;
  for (let j = 0; j < height; j++) {
    const row = values.subarray(j * width, (j + 1) * width);
    const first = row.findIndex(Boolean);
    if (first < 0) continue;
    const run = { x: x + first, y: y + j, width: row.findLastIndex(Boolean) + 1 - first, height: 1 };
    found = found ? around(found, run) : run;
  }
  return found;
}
