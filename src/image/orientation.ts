/**
 * Orientation flags that differ within a stack. A camera that points down or up mistakes its orientation, and the
 * frames of one bracket then come out turned against each other. The orientation with which the frames agree is taken.
 */
import type { DecodedImage } from './picture.ts';

/** Quarter turns clockwise of EXIF's orientations; mirrored ones are not written by cameras. */
const TURNS: Readonly<Record<number, number>> = { 1: 0, 6: 1, 3: 2, 8: 3 };

type Picture = Pick<DecodedImage, 'data' | 'width' | 'height' | 'coverage'>;

/** A picture turned clockwise by quarter turns. */
export function turned<P extends Picture>(picture: P, turns: number): P {
  const { width, height, data, coverage } = picture;
  const count = ((turns % 4) + 4) % 4;
  if (count === 0) return picture;
  const [w, h] = count % 2 === 1 ? [height, width] : [width, height];
  const out = data.slice();
  const covered = coverage?.slice();
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      // Where the pixel was before the turn.
      const [u, v] =
        count === 1 ? [y, height - 1 - x] : count === 2 ? [width - 1 - x, height - 1 - y] : [width - 1 - y, x];
      const [to, from] = [y * w + x, v * width + u];
      for (let c = 0; c < 3; c++) out[3 * to + c] = data[3 * from + c];
      if (covered) covered[to] = coverage![from];
    }
  return { ...picture, data: out, width: w, height: h, ...(covered && { coverage: covered }) };
}

/** Side of the grid that pictures are compared on. */
const SIDE = 32;

/** Means of a picture's samples over a grid, less their own mean, as a vector of length 1. */
function sketch({ data, width, height }: Picture): Float64Array {
  const cells = new Float64Array(SIDE * SIDE);
  const step = Math.max(1, Math.floor(Math.min(width, height) / (4 * SIDE)));
  const counts = new Float64Array(SIDE * SIDE);
  for (let y = 0; y < height; y += step)
    for (let x = 0; x < width; x += step) {
      const cell = Math.floor((y * SIDE) / height) * SIDE + Math.floor((x * SIDE) / width);
      const at = 3 * (y * width + x);
      cells[cell] += data[at] + 2 * data[at + 1] + data[at + 2];
      counts[cell]++;
    }
  cells.forEach((sum, i) => (cells[i] = sum / Math.max(1, counts[i])));
  const mean = cells.reduce((a, b) => a + b, 0) / cells.length;
  const norm = Math.sqrt(cells.reduce((sum, v) => sum + (v - mean) ** 2, 0)) || 1;
  return cells.map((v) => (v - mean) / norm);
}

function agreement(a: Picture, b: Picture): number {
  const [p, q] = [sketch(a), sketch(b)];
  return p.reduce((sum, v, i) => sum + v * q[i], 0);
}

/**
 * Turns the frames of a stack whose orientation flags differ so that they agree.
 * @param images decoded, each turned by its own flag.
 * @returns the frames, those that were turned with the others' flag, and what to tell of them. Frames of different
 * stored sizes stay as they are.
 */
export function agreeingOrientations<P extends Picture & Pick<DecodedImage, 'exif'> & { name: string }>(
  images: readonly P[],
): { images: P[]; notes: string[] } {
  const flags = images.map(({ exif }) => exif.orientation ?? 1);
  const stored = images.map(({ width, height }, k) => (TURNS[flags[k]] % 2 === 1 ? [height, width] : [width, height]));
  const isOdd = flags.some((flag) => flag !== flags[0]);
  const isComparable = flags.every((flag) => flag in TURNS) && stored.every((size) => `${size}` === `${stored[0]}`);
  if (!isOdd || !isComparable) return { images: [...images], notes: [] };
  const votes = (flag: number): number => flags.filter((other) => other === flag).length;
  const common = flags.reduce((best, flag) => (votes(flag) > votes(best) ? flag : best));
  const model = images[flags.indexOf(common)];
  const notes: string[] = [];
  const agreed = images.map((image, k) => {
    if (flags[k] === common) return image;
    const other = turned(image, TURNS[common] - TURNS[flags[k]]);
    const isAlike = image.width === model.width && image.height === model.height;
    // A camera that was turned for one frame has a right flag, and the frame agrees with it.
    if (isAlike && agreement(image, model) >= agreement(other, model)) return image;
    notes.push(
      `${image.name} has another orientation in its EXIF data (${flags[k]}) than the other frames (${common}), but ` +
        'agrees with them without it: it is turned as they are',
    );
    return { ...other, exif: { ...image.exif, orientation: common } };
  });
  return { images: agreed, notes };
}
