/**
 * The variants of the convolution, and why each exists.
 *
 * All but the last keep a tile of pixels x output channels in registers, so that each vec4 of input is used once an output channel and each of weights once a pixel. They differ in
 * - where an invocation has its **weights** from: `direct`, from memory, which caches serve well where loads of one address by a whole subgroup are cheap (GPUs);
 *   `workgroup`, staged in workgroup memory by all invocations together, and so are the inputs, which neighbours share: an implicit GEMM;
 *   `subgroup`, from a texture, a part in each lane's registers, handed round by broadcast, on software adapters, whose subgroups are the CPU's vectors: they load a value lane by lane even where all lanes want the same, and check each address of a buffer;
 * - the **tile**, `columns x rows x channels`: larger ones reuse more, and need more registers;
 * - for 3x3 kernels, the **method**: as written, or Winograd's, with 16 multiplications where the other has 36, and four times as many sums to keep (winograd.ts).
 * Where the GPU has **matrix** units and layers are stored as halves, they do the work instead (matrix.ts), in `columns x rows x channels` a workgroup.
 * Which is fastest is found by measuring (src/tune); the order here is the guess without it.
 */
import { blocks } from '../kernel.ts';
import type { Shape, Target } from '../kernel.ts';
import { dilationsOf, groupsOf, inputChannels, layerBlocks, layersOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';
import type { Matrices } from './matrices.ts';
import { POSITIONS } from './winograd.ts';

export interface Variant {
  memory: 'direct' | 'workgroup' | 'subgroup' | 'matrix';
  /** Pixels of a tile. */
  columns: number;
  rows: number;
  /** Output blocks of a tile, at each dilation. */
  out: number;
  /** Invocations of a workgroup. */
  workgroup: number;
  /** Whether 3x3 kernels are computed by Winograd's method, in tiles of 2x2 (winograd.ts). */
  winograd: boolean;
  /** Of matrix units (matrices.ts). */
  matrices?: Matrices;
}

/** Of the register-tiled convolution. */
type Memory = Exclude<Variant['memory'], 'matrix'>;

/** A kernel row is unrolled, so code grows with the kernel; the network has 1x1 and 3x3. */
const UNROLLED_KERNEL = 3;
/** A workgroup that stages its inputs is a square of so many tiles. */
export const SIDE = 8;
const WORKGROUP = SIDE ** 2;
/** Workgroup memory that every device has. */
const MOST_STAGED = 16384;
/** WebGPU's limit of a texture's height. */
const MOST_ROWS = 8192;

type Tile = readonly [columns: number, rows: number, channels: number, method?: 'winograd'];

/**
 * Tiles, most promising first. Code grows with a tile, and a software adapter takes seconds to compile it: there 2x2x16 is the quickest to compile, and Winograd's
 * of 4x2x32 is half as fast again and takes fifteen times as long.
 */
const TILES: Record<Memory, readonly Tile[]> = {
  subgroup: [[2, 2, 16], [4, 2, 32, 'winograd'], [4, 2, 16, 'winograd'], [4, 2, 16]],
  direct: [[2, 2, 16], [4, 2, 16], [2, 2, 32], [4, 2, 8], [2, 2, 16, 'winograd'], [4, 2, 8, 'winograd']],
  workgroup: [[2, 2, 16], [4, 2, 16], [2, 2, 32], [2, 2, 16, 'winograd']],
};
/** Of 1x1 kernels in subgroups: neighbours share nothing. */
const POINTWISE: readonly Tile[] = [[2, 1, 32], [4, 1, 32], [2, 2, 16]];

/** The name of the way that is always there. */
export const GENERAL = 'general';

/** What a variant is called. */
export function nameOf({ memory, columns, rows, out, winograd }: Variant): string {
  return `${memory} ${winograd ? 'winograd ' : ''}${columns}x${rows}x${4 * out}`;
}

/** Weights of an input block, in vec4. */
export function kernelVectors({ out, winograd }: Pick<Variant, 'out' | 'winograd'>, kernel: number): number {
  return 4 * out * (winograd ? POSITIONS : kernel ** 2);
}

/** What a workgroup's tiles read of an input block at a dilation, in vec4: columns, and all. */
export function stagedArea({ columns, rows }: Pick<Variant, 'columns' | 'rows'>, kernel: number): { pitch: number; area: number } {
  const pitch = SIDE * columns + kernel - 1;
  return { pitch, area: pitch * (SIDE * rows + kernel - 1) };
}

/** The candidates for a layer on a device, by name. Without one the general kernel computes it. */
export function candidates(attrs: ConvAttrs, inputs: readonly Shape[], target: Target): Map<string, Variant> {
  const { traits = {} } = target;
  const found = new Map<string, Variant>();
  if (groupsOf(attrs) !== 1 || attrs.kernel > UNROLLED_KERNEL) return found;
  // Where subgroups are a CPU's vectors, of the others one each: they are several times slower there, and no less slow to compile.
  const lanes = traits.cpu ? (traits.subgroupSize ?? 0) : 0;
  const vectors = lanes > 1;
  const tiles = (memory: Memory): readonly Tile[] => {
    if (memory === 'subgroup') return attrs.kernel === 1 ? POINTWISE : TILES.subgroup;
    return vectors ? TILES[memory].slice(0, 1) : TILES[memory];
  };
  const memories: Memory[] = vectors ? ['subgroup', 'direct', 'workgroup'] : ['direct', 'workgroup'];
  const n = layerBlocks(attrs);
  for (const memory of memories) {
    for (const [columns, rows, channels, method] of tiles(memory)) {
      const winograd = method === 'winograd';
      if (winograd && attrs.kernel !== 3) continue;
      if (attrs.store?.kind === 'pool' && (columns % 2 || rows % 2)) continue;
      // Several dilations hold a tile each.
      const most = Math.max(1, Math.floor(channels / 4 / dilationsOf(attrs).length));
      const out = [8, 4, 2, 1].find((size) => size <= most && n % size === 0)!;
      // Its rows of weights, one an input block and group of outputs, are a texture's.
      if (memory === 'subgroup' && layersOf(attrs).length * (n / out) * blocks(inputChannels(attrs, inputs)) > MOST_ROWS) continue;
      const staged = dilationsOf(attrs).length * stagedArea({ columns, rows }, attrs.kernel).area + kernelVectors({ out, winograd }, attrs.kernel);
      if (memory === 'workgroup' && 16 * staged > MOST_STAGED) continue;
      const variant: Variant = { memory, columns, rows, out, workgroup: memory === 'subgroup' ? lanes : WORKGROUP, winograd };
      if (!found.has(nameOf(variant))) found.set(nameOf(variant), variant);
    }
  }
  // Last: what they read is rounded, so they are measured and compared before they are taken.
  for (const variant of traits.matrices?.conv2d.candidates(attrs, inputs, target) ?? []) if (!found.has(nameOf(variant))) found.set(nameOf(variant), variant);
  return found;
}

export function variantNames(attrs: ConvAttrs, inputs: readonly Shape[], target: Target): string[] {
  const names = [...candidates(attrs, inputs, target).keys()];
  return names.length > 0 ? names : [GENERAL];
}
