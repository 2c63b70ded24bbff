/**
 * Which network a checkpoint holds, as far as its tensors show it: the variant, the widths and the ablation. What they
 * do not show (slope, gamma, soft or binary maps, base, hat, gate) is not guessed.
 */
import { networkTensors } from '../../model/loadWeights.ts';
import { loadParts } from '../../model/partsOf.ts';
import { InputError } from '../../errors.ts';
import { parseConfig } from '../config.ts';
import type { Ablation, NetworkConfig } from '../config.ts';
import type { Layer } from './layers.ts';
import { naturalOrder } from './naturalOrder.ts';

/** Fields of a config, as a weights file has them. */
export type ConfigFields = Record<string, unknown>;

/** The variant and the fields of a config; the variant may be unknown yet. */
export interface Said {
  variant?: string;
  fields: ConfigFields;
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/**
 * From tensors that have the network's own names.
 * @param shapes by name, in OIHW.
 */
export function configByNames(shapes: Shapes): Said {
  const has = (start: string): boolean => [...shapes.keys()].some((name) => name.startsWith(start));
  const side = (name: string, axis: number): number | undefined => shapes.get(name)?.[axis];
  const width = side('encoder.1.weight', 0);
  const unet = ['seg.short', 'seg.long', 'seg.any'].find((name) => has(`${name}.`));
  const segWidths = [1, 2, 3, 4].map((level) => side(`${unet}.enc${level}.1.weight`, 0));
  const fuse = ['static', 'shared', 'all'].find((name) => has(`fuse.${name}.`)) ?? 'dynamic';
  const inputs = side(`fuse.${fuse}.0.weight`, 1);
  const ablation: Partial<Ablation> = {};
  if (fuse === 'all') ablation.segmentation = 'none';
  else if (!unet) ablation.segmentation = 'difference';
  if (fuse === 'shared') ablation.fusion = 'shared';
  if (shapes.has('memory.write.weight')) ablation.memory = 'shared';
  else if (!has('memory.')) ablation.memory = 'none';
  if (has('decoder.conv1.')) ablation.decoder = 'vanilla';
  else if (has('decoder.res1.')) ablation.decoder = 'resnet';
  else if (side('decoder.out.weight', 1) === width) ablation.decoder = 'sdc';
  const isKnown = segWidths.every((value) => value !== undefined);
  return {
    // `fixed` concatenates three frames, `any` their mean and their maximum.
    variant: width === undefined || inputs === undefined ? undefined : inputs === 2 * width ? 'any' : 'fixed',
    fields: { ...(width !== undefined && { width }), ...(isKnown && { segWidths }), ...ablation },
  };
}

/** A network, and its layers in the order of its definition, with the shapes of their kernels in OIHW. */
export interface Candidate {
  config: NetworkConfig;
  variant: string;
  fields: ConfigFields;
  layers: Map<string, readonly number[]>;
}

/** Most networks that are built to compare them with a checkpoint. */
const MAX_BUILDS = 1000;

/** The candidate for a variant and fields. @throws InputError if they contradict each other. */
export async function candidateOf(variant: string, fields: ConfigFields, name: string): Promise<Candidate> {
  const config = parseConfig({ format: 'deghost', variant, config: JSON.stringify(fields) }, name);
  await loadParts(config);
  const layers = [...networkTensors(config)]
    .filter(([tensor]) => tensor.endsWith('.weight'))
    .map(([tensor, shape]) => [tensor.slice(0, -'.weight'.length), shape] as const)
    .sort(([a], [b]) => partOf(a) - partOf(b) || (a.startsWith(WRITES) ? naturalOrder(a, b) : 0));
  return { config, variant, fields, layers: new Map(layers) };
}

const WRITES = 'memory.write.';
/** The network's parts in the order in which the paper and the spec define them, and so do most programs. */
const PARTS = ['encoder.', 'seg.', WRITES, 'memory.read.', 'fuse.', 'decoder.'];

function partOf(layer: string): number {
  // `memory.write` alone, of shared memory, is a write as well.
  return PARTS.findIndex((part) => `${layer}.`.startsWith(part));
}

/** Every ablation and combination, the paper's network first, those with few changes before those with many. */
function* ablations(): Generator<Ablation> {
  const all: Ablation[] = [];
  for (const segmentation of ['network', 'difference', 'none'] as const)
    for (const memory of ['full', 'shared', 'none'] as const)
      for (const fusion of ['separate', 'shared'] as const) {
        // Without maps there is one fusion network in any case.
        if (segmentation === 'none' && fusion === 'shared') continue;
        for (const decoder of ['sdc-dense', 'sdc', 'vanilla', 'resnet'] as const)
          all.push({ segmentation, memory, fusion, decoder });
      }
  const changes = (ablation: Ablation): number =>
    [
      ablation.segmentation !== 'network',
      ablation.memory !== 'full',
      ablation.fusion !== 'separate',
      ablation.decoder !== 'sdc-dense',
    ].filter(Boolean).length;
  yield* all.sort((a, b) => changes(a) - changes(b));
}

/** How many kernels there are of each shape. */
export function tally(shapes: Iterable<readonly number[]>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const shape of shapes) counts.set(shape.join(), (counts.get(shape.join()) ?? 0) + 1);
  return counts;
}

export function isSameTally(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([shape, count]) => b.get(shape) === count);
}

/**
 * The networks whose layers have exactly the shapes of these, and that agree with what is said.
 * @param said what the caller or the file says of the network.
 */
export async function candidatesByShapes(layers: readonly Layer[], said: Said, name: string): Promise<Candidate[]> {
  const shapes = layers.map(({ weight }) => weight.shape);
  const found: Candidate[] = [];
  const wanted = tally(shapes);
  let built = 0;
  for (const widths of widthsOf(shapes)) {
    for (const ablation of ablations()) {
      for (const variant of ['fixed', 'any']) {
        if (said.variant !== undefined && said.variant !== variant) continue;
        const own = ablation.segmentation === 'network' ? widths : { width: widths.width };
        const fields = { ...own, ...named(ablation), ...said.fields };
        const isContradicted = Object.entries({ ...own, ...ablation }).some(
          ([field, value]) => field in said.fields && JSON.stringify(said.fields[field]) !== JSON.stringify(value),
        );
        if (isContradicted) continue;
        // Widths do not change the number of layers: most ablations are ruled out by it.
        if ((await layerCount(variant, ablation, name)) !== layers.length) continue;
        if (++built > MAX_BUILDS) return found;
        const candidate = await soundCandidate(variant, fields, name);
        if (candidate && isSameTally(wanted, tally(candidate.layers.values()))) found.push(candidate);
      }
    }
    if (found.length > 0) break;
  }
  return found;
}

const counts = new Map<string, number>();

/** The number of layers of an ablation; 0 for one that contradicts itself. */
async function layerCount(variant: string, ablation: Ablation, name: string): Promise<number> {
  const key = JSON.stringify([variant, ablation]);
  let count = counts.get(key);
  if (count === undefined) {
    const candidate = await soundCandidate(variant, { width: 4, segWidths: [4, 4, 4, 4], ...ablation }, name);
    counts.set(key, (count = candidate?.layers.size ?? 0));
  }
  return count;
}

/** The candidate, or nothing for ablations that contradict each other. */
async function soundCandidate(variant: string, fields: ConfigFields, name: string): Promise<Candidate | undefined> {
  try {
    return await candidateOf(variant, fields, name);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** An ablation without the fields that have their first values. */
function named(ablation: Ablation): Partial<Ablation> {
  const { segmentation, memory, fusion, decoder } = ablation;
  return {
    ...(segmentation !== 'network' && { segmentation }),
    ...(memory !== 'full' && { memory }),
    ...(fusion !== 'separate' && { fusion }),
    ...(decoder !== 'sdc-dense' && { decoder }),
  };
}

/** Widths that kernels allow: the encoder and S read 6 channels, and each level of S reads the one before. */
function* widthsOf(shapes: readonly (readonly number[])[]): Generator<{ width: number; segWidths?: number[] }> {
  const readers = new Map<number, Set<number>>();
  for (const [output, input, height] of shapes) {
    if (height !== 3) continue;
    if (!readers.has(input)) readers.set(input, new Set());
    readers.get(input)!.add(output);
  }
  const after = (input: number): number[] => [...(readers.get(input) ?? [])];
  for (const width of after(6)) {
    for (const one of after(6))
      for (const two of after(one))
        for (const three of after(two))
          for (const four of after(three)) yield { width, segWidths: [one, two, three, four] };
    yield { width };
  }
}
