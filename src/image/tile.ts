/**
 * Cuts a picture of any size into tiles, so that one plan, small enough for the device and the budget, computes all of
 * it.
 *
 * All tiles have one size and overlap by twice the **halo**, the pixels beyond a result that it depends on. Each
 * contributes its **core**, the part that no edge of the tile influences, unless that edge is the picture's own (there
 * zero padding is right). Cores join without gap or overlap.
 */

/** One axis of a tiling: the start of each tile, and the core it contributes, in picture coordinates. */
export interface Span {
  start: number;
  coreStart: number;
  coreEnd: number;
}

export interface Tile {
  x: Span;
  y: Span;
}

export interface Tiling {
  width: number;
  height: number;
  tiles: readonly Tile[];
  /** Computed pixels divided by the picture's pixels. */
  waste: number;
}

export interface TileRules {
  /** How many pixels away a result still depends on its input. A multiple of `grid`. */
  halo: number;
  /** Tile sizes and starts are multiples of this. */
  grid: number;
}

/** The size of `count` equal tiles that cover `length`. */
function tileLength(length: number, count: number, { halo, grid }: TileRules): number {
  const core = Math.ceil((length - 2 * halo) / count / grid) * grid;
  return core + 2 * halo;
}

/** Where tiles of one size go along an axis. `length` and `size` are multiples of the grid. */
export function spans(length: number, size: number, { halo }: TileRules): Span[] {
  const result: Span[] = [];
  let coreStart = 0;
  while (coreStart < length) {
    const start = Math.min(Math.max(0, coreStart - halo), length - size);
    const end = start + size;
    const coreEnd = end === length ? length : end - halo;
    result.push({ start, coreStart, coreEnd });
    coreStart = coreEnd;
  }
  return result;
}

/** Tiles of one size over a picture. */
export function tile(
  pictureWidth: number,
  pictureHeight: number,
  width: number,
  height: number,
  rules: TileRules,
): Tiling {
  const xs = spans(pictureWidth, width, rules);
  const ys = spans(pictureHeight, height, rules);
  const tiles = ys.flatMap((y) => xs.map((x) => ({ x, y })));
  return { width, height, tiles, waste: (tiles.length * width * height) / (pictureWidth * pictureHeight) };
}

/** Most rows of a tile: kernels have a workgroup for each, and no device must take more. */
const MOST_ROWS = 65535;

/** Most tiles considered along one axis: enough even for a 60-megapixel strip one tile high. */
const MAX_TILES = 4096;

/** Tile sizes worth trying along an axis: those for 1, 2, 3, ... tiles, each smaller than the last. */
function lengths(length: number, rules: TileRules): number[] {
  const found = [length];
  for (let count = 2; count <= MAX_TILES; count++) {
    const size = tileLength(length, count, rules);
    if (size < 2 * rules.halo + rules.grid) break;
    if (size < found.at(-1)!) found.push(size);
    if (size === 2 * rules.halo + rules.grid) break;
  }
  return found;
}

/**
 * The tiling that fits and computes the fewest pixels; among equals, the one with the fewest tiles.
 * @param fits whether a tile of this size can be run; called for few sizes, cheapest first.
 * @returns undefined if even the smallest does not fit.
 */
export function chooseTiling(
  pictureWidth: number,
  pictureHeight: number,
  rules: TileRules,
  fits: (width: number, height: number) => boolean,
): Tiling | undefined {
  const candidates: { width: number; height: number; cost: number; count: number }[] = [];
  const heights = lengths(pictureHeight, rules)
    .filter((height) => height <= MOST_ROWS)
    .map((height) => ({ height, count: spans(pictureHeight, height, rules).length }));
  for (const width of lengths(pictureWidth, rules)) {
    const columns = spans(pictureWidth, width, rules).length;
    for (const { height, count } of heights)
      candidates.push({ width, height, cost: columns * count * width * height, count: columns * count });
  }
  // Rows of a wide tile lie one after another in the picture.
  candidates.sort((a, b) => a.cost - b.cost || a.count - b.count || b.width - a.width);
  const best = candidates.find((c) => fits(c.width, c.height));
  return best && tile(pictureWidth, pictureHeight, best.width, best.height, rules);
}
