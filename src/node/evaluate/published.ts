/** Pictures that others made of the stacks, to judge beside ours. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, reasonOf } from '../../errors.ts';
import { decodeExr } from '../../image/decode/floats.ts';
import { decodeNpy } from '../../image/npy.ts';
import { decodeRgbe } from '../../image/rgbe.ts';
import { loadExrs } from '../decodePackages.ts';
import { readFileBytes } from '../plainFile.ts';
import { shown } from '../problems.ts';
import { fitScale } from './figures.ts';
import type { Candidate } from './figures.ts';

/** A folder of somebody's pictures, named as the stacks are. */
export interface Published {
  name: string;
  folder: string;
}

const FORMATS = ['hdr', 'exr', 'npy'] as const;

/** The files that may hold somebody's picture of a stack; the first that exists is read. */
export function candidateFiles({ folder }: Published, stack: string): string[] {
  return FORMATS.map((extension) => join(folder, `${stack}.${extension}`));
}

/** Linear radiance, `[height, width, 3]` in any scale. @throws InputError naming the file. */
async function readRadiance(
  path: string,
  format: (typeof FORMATS)[number],
): Promise<{ data: Float32Array; width: number; height: number }> {
  const bytes = await readFileBytes(path);
  try {
    if (format === 'hdr') return decodeRgbe(bytes);
    if (format === 'npy') {
      const { data, shape } = decodeNpy(bytes, shown(path));
      const [height, width, channels] = shape;
      if (shape.length !== 3 || channels !== 3)
        throw new InputError(`its shape is [${shape.join()}], expected [height, width, 3]`);
      return { data: Float32Array.from(data), width, height };
    }
    const { data, width, height } = decodeExr(await loadExrs(), bytes, shown(path));
    return { data: Float32Array.from(data), width, height };
  } catch (cause) {
    throw new InputError(`${shown(path)} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Somebody's picture of a stack, scaled to fit the reference, as the ground truth is.
 * @param stack its name, of which the picture is `STACK.hdr`, `.exr` or `.npy`.
 * @param encoded X' of the reference. @param lone its radiance.
 * @returns undefined if the folder has none.
 * @throws InputError naming the file, if it cannot be read, has another size, or cannot be fitted.
 */
export async function publishedCandidate(
  { name, folder }: Published,
  stack: { name: string; width: number; height: number },
  encoded: Float32Array,
  lone: Float32Array,
): Promise<Candidate | undefined> {
  const at = candidateFiles({ name, folder }, stack.name).findIndex((file) => existsSync(file));
  if (at < 0) return undefined;
  const format = FORMATS[at];
  const path = join(folder, `${stack.name}.${format}`);
  const { data, width, height } = await readRadiance(path, format);
  if (width !== stack.width || height !== stack.height)
    throw new InputError(
      `${shown(path)} is ${width}x${height}, but the stack's pictures are ${stack.width}x${stack.height}: give a ` +
        'picture of the same size',
    );
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(`${shown(path)}: sample ${bad} is ${data[bad]}, only finite values are judged`);
  const fit = fitScale(data, encoded, lone);
  if (!fit)
    throw new InputError(
      `${shown(path)} cannot be fitted to the reference, which is nowhere well exposed, or the picture is black there`,
    );
  return { name, radiance: data.map((value) => value * fit.scale) };
}
