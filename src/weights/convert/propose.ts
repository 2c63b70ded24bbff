/**
 * Proposes which tensor of a checkpoint is which of the network's: by names where they agree but for a common start,
 * else by shapes, and by their order among tensors of one shape.
 */
import { InputError } from '../../errors.ts';
import { networkTensors } from '../../model/loadWeights.ts';
import { checkTensors } from '../check.ts';
import type { NetworkConfig } from '../config.ts';
import { damaged, gather, quoted } from './checkpoint.ts';
import type { Checkpoint, KernelLayout, SourceDtype } from './checkpoint.ts';
import { candidateOf, candidatesByShapes, configByNames, isSameTally, tally } from './configOf.ts';
import type { Candidate, Said } from './configOf.ts';
import { hwioStrides, layersOf, layoutOf, oihw, plainName, stepsOf } from './layers.ts';
import type { LaidOut, Layer } from './layers.ts';

/** How a tensor was found: in a map, by its name, as the only one of its shape, by its order among several. */
export type FoundBy = 'map' | 'name' | 'shape' | 'order';

/** A tensor of the network, and the checkpoint's tensor that becomes it. */
export interface Assignment {
  target: string;
  source: string;
  /** Of the target: OIHW for kernels. */
  shape: readonly number[];
  dtype: SourceDtype;
  by: FoundBy;
}

/** What a checkpoint becomes. */
export interface Proposal {
  config: NetworkConfig;
  variant: string;
  /** The config's fields as they are saved. */
  fields: Record<string, unknown>;
  /** Fields that change what the network computes but that tensors do not show, and that nothing says. */
  unsaid: string[];
  layout: KernelLayout;
  /** In the order of the network. */
  assignments: Assignment[];
  /** Tensors of the checkpoint that are not used. */
  leftOut: string[];
  /** Other networks with the same shapes, in words. */
  alternatives: string[];
}

/** A map of names: the checkpoint's to the network's, or null for what is left out. */
export type NameMap = ReadonlyMap<string, string | null>;

export interface ProposeOptions {
  /** The file, for messages. */
  name: string;
  /** Overrides what the checkpoint and its tensors say. */
  variant?: string;
  /** Likewise, field by field. */
  fields?: Record<string, unknown>;
  /** `auto`: as the kernels show. */
  layout?: KernelLayout | 'auto';
  map?: NameMap;
}

/** Fields that tensors do not show. */
const UNSEEN = ['slope', 'gamma', 'maskMode', 'base', 'hat', 'gate'];
/** Most lines about what does not fit. */
const SHOWN = 8;

/**
 * Proposes a network and a map of names.
 * @throws InputError that names what does not fit, tensor by tensor.
 */
export async function propose(checkpoint: Checkpoint, options: ProposeOptions): Promise<Proposal> {
  const { name, map } = options;
  if (checkpoint.tensors.size === 0)
    throw new InputError(`${name}: it holds no tensors of floats${othersText(checkpoint)}`);
  const layout = !options.layout || options.layout === 'auto' ? layoutOf(checkpoint) : options.layout;
  const tensors = [...checkpoint.tensors].map(
    ([own, tensor]): LaidOut => ({ name: own, tensor, shape: oihw(tensor.shape, layout) }),
  );
  const said = saidOf(checkpoint, options);
  const proposal = map
    ? await byMap(tensors, map, said, name, checkpoint)
    : ((await byNames(tensors, said, name)) ?? (await byShapes(tensors, said, name)));
  return { ...proposal, layout, unsaid: UNSEEN.filter((field) => !(field in said.fields)) };
}

/** Decodes the network's tensors, in OIHW. @throws InputError if the file's data cannot be read. */
export function decodeAssigned(
  { tensors }: Checkpoint,
  { assignments, layout }: Proposal,
): Map<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }> {
  return new Map(
    assignments.map(({ target, source, shape }) => {
      const tensor = tensors.get(source)!;
      const values = tensor.read();
      const isTurned = layout === 'HWIO' && shape.length === 4;
      return [target, { shape, data: isTurned ? gather(values, shape, hwioStrides(tensor.shape), 0) : values }];
    }),
  );
}

type Part = Omit<Proposal, 'layout' | 'unsaid'>;

function saidOf({ metadata }: Checkpoint, { variant, fields, name }: ProposeOptions): Said {
  let own: Record<string, unknown> = {};
  if (metadata.config !== undefined) {
    try {
      own = JSON.parse(metadata.config) as Record<string, unknown>;
    } catch (cause) {
      damaged(name, 'its config is not JSON', { cause });
    }
    if (typeof own !== 'object' || own === null || Array.isArray(own)) damaged(name, 'its config is not an object');
  }
  return { variant: variant ?? metadata.variant, fields: { ...own, ...fields } };
}

async function finish(
  said: Said,
  found: ReadonlyMap<string, LaidOut>,
  by: (target: string) => FoundBy,
  all: readonly LaidOut[],
  name: string,
  alternatives: string[] = [],
): Promise<Part> {
  const shapes = new Map([...found].map(([target, { shape }]) => [target, shape]));
  const seen = configByNames(shapes);
  const variant = said.variant ?? seen.variant ?? 'fixed';
  const fields = { ...seen.fields, ...said.fields };
  const { config } = await candidateOf(variant, fields, name);
  const expected = networkTensors(config);
  checkTensors(new Map([...found].map(([target, { shape }]) => [target, { shape: [...shape] }])), expected, name);
  const used = new Set([...found.values()].map((item) => item.name));
  return {
    config,
    variant,
    fields,
    assignments: [...expected.keys()].map((target) => {
      const { name: source, shape, tensor } = found.get(target)!;
      return { target, source, shape, dtype: tensor.dtype, by: by(target) };
    }),
    leftOut: all.filter((item) => !used.has(item.name)).map((item) => item.name),
    alternatives,
  };
}

/** By a map that the caller gives: it must name every tensor, and every tensor of the network once. */
async function byMap(
  tensors: readonly LaidOut[],
  map: NameMap,
  said: Said,
  name: string,
  { others }: Checkpoint,
): Promise<Part> {
  const bySource = new Map(tensors.map((item) => [item.name, item]));
  const problems: string[] = [];
  const found = new Map<string, LaidOut>();
  for (const [source, target] of map) {
    const item = bySource.get(source);
    const what = others.get(source);
    if (!item && target !== null)
      problems.push(
        what ? `${quoted(source)} is no tensor of floats, but ${what}` : `the file has no tensor ${quoted(source)}`,
      );
    if (!item || target === null) continue;
    if (found.has(target))
      problems.push(`${quoted(target)} is named for ${quoted(found.get(target)!.name)} and ${quoted(source)}`);
    else found.set(target, item);
  }
  for (const { name: source, shape } of tensors)
    if (!map.has(source)) problems.push(`the map leaves ${quoted(source)} [${shape}] over, write null to leave it out`);
  if (problems.length > 0) throw new InputError(`${name}: ${listed(problems)}: correct the map`);
  return finish(said, found, () => 'map', tensors, name);
}

/** By names that are the network's but for a common start, or nothing if they are others. */
async function byNames(tensors: readonly LaidOut[], said: Said, name: string): Promise<Part | undefined> {
  const plain = new Map<string, LaidOut>();
  for (const item of tensors) if (!plain.has(plainName(item.name))) plain.set(plainName(item.name), item);
  // Every network has an encoder.
  const landmark = 'encoder.1.weight';
  const roots = [...plain.keys()]
    .filter((own) => own === landmark || own.endsWith(`.${landmark}`))
    .map((own) => own.slice(0, -landmark.length));
  for (const root of roots) {
    const under = new Map(
      [...plain].filter(([own]) => own.startsWith(root)).map(([own, item]) => [own.slice(root.length), item]),
    );
    const seen = configByNames(new Map([...under].map(([own, { shape }]) => [own, shape])));
    const { config } = await candidateOf(
      said.variant ?? seen.variant ?? 'fixed',
      { ...seen.fields, ...said.fields },
      name,
    );
    const expected = networkTensors(config);
    const isWhole = [...expected].every(([target, shape]) => under.get(target)?.shape.join() === shape.join());
    if (!isWhole && root !== roots.at(-1)) continue;
    // What does not fit is named, and so is what is left over among the network's own parts.
    const parts = new Set([...expected.keys()].map((target) => target.split('.')[0]));
    const used = isWhole
      ? [...under].filter(([own]) => expected.has(own))
      : [...under].filter(([own]) => parts.has(own.split('.')[0]));
    return finish(said, new Map(used), () => 'name', tensors, name);
  }
  return undefined;
}

/** By shapes, and by order among layers of one shape. */
async function byShapes(tensors: readonly LaidOut[], said: Said, name: string): Promise<Part> {
  for (const root of rootsOf(tensors)) {
    const under = tensors.filter(({ name: own }) => root.length === 0 || isUnder(own, root));
    const { layers, rest } = layersOf(under);
    if (layers.length === 0 || rest.some(({ shape }) => shape.length === 4)) continue;
    const candidates = await candidatesByShapes(layers, said, name);
    if (candidates.length === 0) continue;
    const [candidate, ...others] = candidates;
    const counts = tally(candidate.layers.values());
    const found = assign(candidate, layers);
    const by = (target: string): FoundBy => {
      const shape = candidate.layers.get(target.replace(/\.(weight|bias)$/, ''))!;
      return counts.get(shape.join()) === 1 ? 'shape' : 'order';
    };
    const full = { variant: candidate.variant, fields: candidate.fields };
    return finish(
      full,
      found,
      by,
      tensors,
      name,
      others.map((other) => networkText(other.variant, other.config)),
    );
  }
  throw await misfit(tensors, said, name);
}

/** The n-th layer of a shape in the network is the n-th of that shape in the file. */
function assign(candidate: Candidate, layers: readonly Layer[]): Map<string, LaidOut> {
  const waiting = new Map<string, Layer[]>();
  for (const layer of layers) {
    const key = layer.weight.shape.join();
    waiting.set(key, [...(waiting.get(key) ?? []), layer]);
  }
  const found = new Map<string, LaidOut>();
  for (const [target, shape] of candidate.layers) {
    const { weight, bias } = waiting.get(shape.join())!.shift()!;
    found.set(`${target}.weight`, weight);
    found.set(`${target}.bias`, bias);
  }
  return found;
}

function isUnder(own: string, root: readonly string[]): boolean {
  const steps = stepsOf(own);
  return root.every((step, i) => steps[i] === step);
}

/** Most dictionaries within a file that are tried. */
const MAX_ROOTS = 50;

/** The whole file, then each dictionary in it that holds kernels, those that hold many first. */
function rootsOf(tensors: readonly LaidOut[]): string[][] {
  const kernels = new Map<string, { root: string[]; count: number }>();
  for (const { name, shape } of tensors) {
    if (shape.length !== 4) continue;
    const steps = stepsOf(name);
    for (let depth = 1; depth < Math.min(steps.length, 6); depth++) {
      const root = steps.slice(0, depth);
      const known = kernels.get(root.join('.'));
      if (known) known.count++;
      else kernels.set(root.join('.'), { root, count: 1 });
    }
  }
  const found = [...kernels.values()].sort((a, b) => b.count - a.count).map(({ root }) => root);
  return [[], ...found.slice(0, MAX_ROOTS)];
}

/** Why no network fits: the shapes of the nearest one that are missing or left over. */
async function misfit(tensors: readonly LaidOut[], said: Said, name: string): Promise<InputError> {
  const { layers, rest } = layersOf(tensors);
  const readsSix = layers.find(({ weight }) => weight.shape[1] === 6 && weight.shape[2] === 3);
  const loose = rest
    .filter(({ shape }) => shape.length === 4)
    .map((item) => `${quoted(item.name)} [${item.shape}] has no bias`);
  const fields = { ...(readsSix && { width: readsSix.weight.shape[0] }), ...said.fields };
  const variant = said.variant ?? 'fixed';
  let candidate: Candidate;
  try {
    candidate = await candidateOf(variant, fields, name);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  const has = tally(layers.map(({ weight }) => weight.shape));
  const wants = tally(candidate.layers.values());
  const problems = [...loose];
  if (!readsSix) problems.push('no 3x3 kernel reads 6 channels, as the encoder and S do');
  const wanting = new Map([...candidate.layers].map(([layer, shape]) => [shape.join(), layer]));
  for (const [shape, count] of wants) {
    const found = has.get(shape) ?? 0;
    if (found < count)
      problems.push(`${count} kernels [${shape}] are wanted (such as ${wanting.get(shape)}), ${found} found`);
  }
  for (const { weight } of layers) {
    const key = weight.shape.join();
    if ((has.get(key) ?? 0) > (wants.get(key) ?? 0))
      problems.push(`${quoted(weight.name)} [${weight.shape}] is left over`);
  }
  if (isSameTally(has, wants)) problems.push('layers and widths contradict each other');
  return new InputError(
    `${name}: its tensors fit no network; beside ${networkText(variant, candidate.config)}: ${listed(problems)}`,
    { problem: 'unknown-network', remedy: 'give its variant and config, or a map of names' },
  );
}

/** A network in words: `fixed, width 32, segWidths 16, 32, 64, 128, decoder vanilla`. */
export function networkText(variant: string, config: NetworkConfig): string {
  const { width, segWidths, ablation } = config;
  const changes = Object.entries(ablation ?? {}).filter(
    ([, value]) => !['network', 'full', 'separate', 'sdc-dense'].includes(value),
  );
  const hasUnet = !ablation || ablation.segmentation === 'network';
  return [
    `${variant}, width ${width}`,
    ...(hasUnet ? [`segWidths ${segWidths.join(', ')}`] : []),
    ...changes.map(([field, value]) => `${field} ${value}`),
  ].join(', ');
}

function listed(problems: readonly string[]): string {
  const rest = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : '';
  return problems.slice(0, SHOWN).join('; ') + rest;
}

function othersText({ others }: Checkpoint): string {
  const [first] = others;
  return first ? `; it has ${others.size} other entries, such as ${quoted(first[0])}, ${first[1]}` : '';
}
