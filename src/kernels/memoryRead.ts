/**
 * Reads of the global memory that compute what was written as they read it (spec: Global memory).
 *
 * A slot of the memory is `act(conv1x1(f))` of a layer's features f. The reads are sums over slots, so a slot need not
 * be stored: an invocation computes the four channels of a block of it from f, and adds them to the sums of all readers
 * at once. That moves f and the results, not the memory: a third of the bytes. It pays where arithmetic is cheap
 * compared with memory, which is on GPUs.
 *
 * The blocks of a pixel are computed by neighbours in a workgroup, all of which load the same features: caches serve
 * them. The results of the readers are one or more tensors, so that none exceeds a binding's size. As in `groupedRead`,
 * a pass may read only some of the slots and add to results in place. Slots may be the mean and the maximum over frames
 * of what is written (`any`).
 */
import { expectSameSize, shapeError } from './kernel.ts';
import type { Implementation, PackedWeights, Tensors, TunedKernel, WeightTensor } from './kernel.ts';
import { Program, buffer, reads, readsRows, rowsOf, texelType, weights, writes } from './program.ts';
import type { Bindings, Dispatch } from './program.ts';
import type { Target } from './target.ts';
import { blocks, start } from './tensor.ts';
import type { DType, View } from './tensor.ts';
import { each, lines, range } from './text.ts';

export interface MemoryReadAttrs {
  /**
   * The layers that write the slots, in the order of the inputs' features. Each has the tensors `{name}.weight`
   * [channels, channels, 1, 1] and `{name}.bias` [channels].
   */
  writers: readonly string[];
  /**
   * Whether slots are the mean and the maximum over a tensor's features, frame by frame. A tensor then has one writer,
   * and two slots.
   */
  isReduced?: boolean;
  /** Slope of their activation for negative values: 1 for none, 0 for relu. */
  slope: number;
  /** The number of each of these slots among all, and the number of all slots. */
  slots: { held: readonly number[]; of: number };
  /**
   * Names of the readers, one list for each tensor of results. Each reader has the tensors `{name}.weight` [channels,
   * of, 1, 1] and `{name}.bias` [channels].
   */
  readers: readonly (readonly string[])[];
  /** Channels of a slot, of its features, and of a reader's result. */
  channels: number;
  /** Whether the first inputs are the results so far, which are added to in place; else results start from the bias. */
  adds?: boolean;
}

/** Most tensors of features and of results: eight storage buffers, with two of weights. */
export const MAX_FEATURES = 4;
export const MAX_RESULTS = 2;

/** Invocations side by side, which compute neighbouring pixels, and most invocations of a workgroup. */
const LANES = 32;
const MOST_INVOCATIONS = 256;

function featuresOf<T>({ adds, readers }: MemoryReadAttrs, inputs: readonly T[]): readonly T[] {
  return adds ? inputs.slice(readers.length) : inputs;
}

/** What an invocation computes: pixels, each with some output blocks of every reader. */
interface Variant {
  pixels: number;
  out: number;
}

/** Best guess first: 48 sums of six readers, then 24. With 96, compilers spill. */
const VARIANTS: readonly Variant[] = [
  { pixels: 2, out: 1 },
  { pixels: 1, out: 1 },
];

/** What the generated program depends on: plain data. */
interface Recipe extends Variant {
  name: string;
  blocks: number;
  /** Groups of output blocks that are computed in one workgroup. */
  across: number;
  /** The number of readers of each result. */
  readers: readonly number[];
  adds: boolean;
  isReduced: boolean;
  weights: DType;
  features: readonly DType[];
  results: readonly DType[];
}

function generate(recipe: Recipe): Program {
  const { name, pixels, out, across, readers, adds, isReduced, features, results } = recipe;
  const all = readers.flatMap((count, result) => range(count).map((index) => ({ result, index })));
  const sum = (r: number, p: number, o: number): string => `sum_${r}_${p}_${o}`;
  /** A line for each pixel and output block. */
  const eachSum = (line: (p: number, o: number) => string): string =>
    lines(range(pixels).flatMap((p) => range(out).map((o) => line(p, o))));
  const at = (r: number, p: number, o: number): string => {
    const { result, index } = all[r];
    return `params.result${result}_start + (${index}u * params.blocks + first_block + ${o}u) * params.size + at_${p}`;
  };
  const begin = (r: number): string =>
    eachSum((p, o) =>
      adds
        ? `  var ${sum(r, p, o)} = vec4f(result${all[r].result}[${at(r, p, o)}]);`
        : `  var ${sum(r, p, o)} = vectors[v][${(r + 1) * out + o}];`,
    );
  const multiply = (o: number, lane: number): string =>
    `        { let a = vec4f(weights[w][${lane * out + o}]); ${range(pixels)
      .map((p) => `slot_${p}_${o} += a * f_${p}.${'xyzw'[lane]};`)
      .join(' ')} }`;
  /** Adds `value_pixel_block` to all readers' sums, by a row of vectors. */
  const read = (value: string): string =>
    lines(
      all.flatMap((_, r) =>
        range(out).map(
          (o) =>
            `      { let a = vectors[v][${(r + 1) * out + o}]; ${range(pixels)
              .map((p) => `${sum(r, p, o)} += a * ${value}_${p}_${o};`)
              .join(' ')} }`,
        ),
      ),
    );
  const write = (n: number): string => `${eachSum((p, o) => `      var slot_${p}_${o} = vectors[v][${o}];`)}
      for (var c = 0u; c < params.blocks; c++) {
        let base = params.features${n}_start + (slot * params.blocks + c) * params.size;
${each(pixels, (p) => `        let f_${p} = vec4f(features${n}[base + at_${p}]);`)}
${lines(range(out).flatMap((o) => range(4).map((lane) => multiply(o, lane))))}
        w++;
      }
${eachSum((p, o) => `      slot_${p}_${o} = activate(slot_${p}_${o});`)}`;
  const slots = `  for (var slot = 0u; slot < params.slots; slot++) {
${each(features.length, (n) => `    {\n${write(n)}\n${read('slot')}\n      v++;\n    }`)}
  }`;
  const reduced = (n: number): string => `  {
    let writer = w;
${eachSum((p, o) => `    var mean_${p}_${o} = vec4f(0.0); var peak_${p}_${o} = vec4f(LEAST);`)}
    for (var slot = 0u; slot < params.slots; slot++) {
      w = writer;
${write(n)}
${eachSum(
  (p, o) =>
    `      mean_${p}_${o} += slot_${p}_${o} * params.share; peak_${p}_${o} = max(peak_${p}_${o}, slot_${p}_${o});`,
)}
    }
${read('mean')}
    v++;
${read('peak')}
    v++;
  }`;
  const bound = (kind: string, dtypes: readonly DType[], bind: typeof reads): Bindings =>
    Object.fromEntries(dtypes.map((dtype, i) => [`${kind}${i}`, bind({ dtype })]));
  const starts = (kind: string, count: number): Record<string, 'u32'> =>
    Object.fromEntries(range(count).map((i) => [`${kind}${i}_start`, 'u32' as const]));
  const over = isReduced ? ' over frames' : '';
  return new Program({
    label: `memoryRead ${features.length} layers${over}, ${all.length} readers${adds ? ' more' : ''} ${name}`,
    workgroup: [LANES, across, 1],
    constants: isReduced ? { LEAST: -3.4e38 } : {},
    params: {
      size: 'u32',
      slots: 'u32',
      share: 'f32',
      blocks: 'u32',
      slope: 'f32',
      ...starts('features', features.length),
      ...starts('result', results.length),
    },
    bindings: {
      weights: readsRows(recipe.weights, 4 * out),
      vectors: readsRows('f32', out * (all.length + 1)),
      ...bound('features', features, reads),
      ...bound('result', results, writes),
    },
    body: () => `
fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

@workgroup
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u
) {
  let first = (group.z * groups.x + group.x) * ${LANES * pixels}u + local.x;
  let part = group.y * ${across}u + local.y;
  let first_block = part * ${out}u;
${each(pixels, (p) => `  let at_${p} = min(first + ${p * LANES}u, params.size - 1u);`)}
  var w = part * ${isReduced ? '' : 'params.slots * '}${features.length}u * params.blocks;
  var v = part * (1u + ${isReduced ? '2u' : 'params.slots'} * ${features.length}u);
${each(all.length, begin)}
  v++;
${isReduced ? each(features.length, reduced) : slots}
${each(pixels, (p) => {
  const stores = each(all.length, (r) =>
    each(out, (o) => {
      const { result } = all[r];
      return `    result${result}[${at(r, p, o)}] = ${texelType(results[result])}(${sum(r, p, o)});`;
    }),
  );
  return `  if (first + ${p * LANES}u < params.size) {\n${stores}\n  }`;
})}
}`,
  });
}

/**
 * Slots in the order they are added: the first of each tensor, then the second, and so on. With this order, sums round
 * alike whether the memory is read whole or frame by frame.
 */
function order(slots: number, tensors: number): number[] {
  const each = slots / tensors;
  return range(each).flatMap((slot) => range(tensors).map((tensor) => tensor * each + slot));
}

function packed(
  { writers, isReduced, slots: { held }, readers, channels }: MemoryReadAttrs,
  tensors: number,
  out: number,
  dtype: DType,
): [weights: PackedWeights, vectors: PackedWeights] {
  const slots = order(writers.length, tensors);
  const rows: { writer?: string; slot: number }[] = isReduced
    ? writers.flatMap((writer, i) => [{ writer, slot: held[2 * i] }, { slot: held[2 * i + 1] }])
    : slots.map((i) => ({ writer: writers[i], slot: held[i] }));
  const all = readers.flat();
  const [parts, count] = [blocks(channels) / out, blocks(channels)];
  return [
    {
      // [part][slot][block of features][lane][block of the part] of vec4 (four channels of the slot)
      key: `${slots.map((i) => writers[i]).join()}:written${out}:${dtype}`,
      dtype,
      pack(tensor) {
        const values = new Float32Array(slots.length * channels * channels);
        slots.forEach((index, s) => {
          const weight = tensor(`${writers[index]}.weight`);
          for (let o = 0; o < channels; o++) {
            const [part, block] = [Math.floor(o / (4 * out)), (o >> 2) % out];
            for (let i = 0; i < channels; i++) {
              const vector = (((part * slots.length + s) * count + (i >> 2)) * 4 + (i & 3)) * out + block;
              values[vector * 4 + (o & 3)] = weight[o * channels + i];
            }
          }
        });
        return values;
      },
    },
    {
      // [part][row]: in the first [1 + reader][block] zeros and biases; then for each slot [block] its writer's
      // bias, which a maximum lacks, and [reader][block] the readers' weights
      key: `${rows.map(({ writer = 'maximum', slot }) => `${writer}@${slot}`).join()}:read by ${all.join()}:${out}`,
      pack(tensor) {
        const vectors: number[] = [];
        for (let part = 0; part < parts; part++) {
          const put = (value: (channel: number) => number): void =>
            range(4 * out).forEach((i) => vectors.push(value(part * 4 * out + i)));
          put(() => 0);
          all.forEach((name) => put((g) => tensor(`${name}.bias`)[g]));
          for (const { writer, slot } of rows) {
            put((g) => (writer === undefined ? 0 : tensor(`${writer}.bias`)[g]));
            all.forEach((name) => {
              const weight = tensor(`${name}.weight`);
              put((g) => weight[(g * weight.length) / channels + slot]);
            });
          }
        }
        return new Float32Array(vectors);
      },
    },
  ];
}

/** The variants of a node, best guess first: results so far take registers that two pixels' sums then lack. */
function variants({ channels, adds }: MemoryReadAttrs, { capabilities }: Target): readonly Variant[] {
  const fitting = VARIANTS.filter(({ out }) => blocks(channels) % out === 0);
  const ordered = adds ? fitting.toReversed() : fitting;
  // Software drivers take seconds to compile each.
  return capabilities?.cpu ? ordered.slice(0, 1) : ordered;
}

/**
 * Inputs: with `adds` the results so far; then one to four tensors of features, each of the same number of slots.
 * Outputs, one or two: `channels` channels for each reader of theirs.
 */
export const memoryRead: TunedKernel<MemoryReadAttrs> = {
  storage: () => ({ output: 'any', inputs: 'any' }),
  samples: [
    {
      attrs: {
        writers: ['a', 'b', 'c', 'd'],
        slope: 0.2,
        slots: { held: [0, 1, 2, 3], of: 4 },
        readers: [['w', 'v', 'u', 't', 's', 'r']],
        channels: 32,
      },
      inputs: [64, 64],
    },
  ],
  inPlace: ({ adds }) => (adds ? 0 : undefined),
  shape(attrs, inputs) {
    const { writers, isReduced, slots, readers, channels } = attrs;
    const features = featuresOf(attrs, inputs);
    const fail = (what: string): Error => shapeError('memoryRead', `${readers[0]?.[0]}: ${what}`);
    expectSameSize('memoryRead', inputs);
    if (features.length < 1 || features.length > MAX_FEATURES)
      throw fail(`${features.length} tensors of features, 1 to ${MAX_FEATURES} are supported`);
    if (readers.length < 1 || readers.length > MAX_RESULTS)
      throw fail(`${readers.length} results, 1 to ${MAX_RESULTS} are supported`);
    if (channels % 4 !== 0) throw fail(`${channels} channels are not a multiple of 4`);
    const each = features[0].channels;
    const written = isReduced ? features.length : (each * features.length) / channels;
    if (each % channels !== 0 || features.some((shape) => shape.channels !== each) || writers.length !== written)
      throw fail(
        `features of ${features.map((shape) => shape.channels).join()} channels for ${writers.length} writers of ` +
          `${channels}, expected as many in each`,
      );
    if (slots.held.length !== writers.length * (isReduced ? 2 : 1))
      throw fail(`${slots.held.length} slots are named for ${writers.length} writers`);
    return { ...features[0], channels: channels * readers[0].length };
  },
  results: ({ readers, channels }, inputs) =>
    readers.slice(1).map((names) => ({ ...inputs[0], channels: channels * names.length })),
  weights({ writers, slots, readers, channels }): WeightTensor[] {
    const layer = (name: string, shape: readonly number[]): WeightTensor[] => [
      { name: `${name}.weight`, shape },
      { name: `${name}.bias`, shape: [channels] },
    ];
    return [
      ...writers.flatMap((name) => layer(name, [channels, channels, 1, 1])),
      ...readers.flat().flatMap((name) => layer(name, [channels, slots.of, 1, 1])),
    ];
  },
  multiplyAdds(attrs, inputs, { width, height }) {
    const { slots, readers, channels } = attrs;
    const features = featuresOf(attrs, inputs).reduce((total, shape) => total + shape.channels, 0);
    return width * height * channels * (features + slots.held.length * readers.flat().length);
  },
  shapeClass(attrs, inputs, { precision = 'f32' }) {
    const { isReduced, slots, readers, channels, adds } = attrs;
    return (
      `memoryRead ${slots.held.length} slots of ${channels} in ${featuresOf(attrs, inputs).length}` +
      `${isReduced ? ' over frames' : ''}, ` +
      `${readers.map((names) => names.length).join('+')} readers${adds ? ' more' : ''}` +
      `${precision === 'f16' ? ' f16' : ''}`
    );
  },
  implementations(attrs, inputs, target) {
    const tensors = featuresOf(attrs, inputs).length;
    return variants(attrs, target).map((variant): Implementation => {
      const weights = packed(attrs, tensors, variant.out, target.precision ?? 'f32');
      return {
        name: `x${variant.pixels}x${4 * variant.out}`,
        weights,
        dispatch: (bound) => dispatch(attrs, variant, weights, bound),
      };
    });
  },
};

function dispatch(
  attrs: MemoryReadAttrs,
  variant: Variant,
  [matrices, vectors]: readonly PackedWeights[],
  { inputs, output, results }: Tensors,
): Dispatch {
  const features = featuresOf(attrs, inputs);
  const outputs = [output, ...results];
  const size = output.shape.width * output.shape.height;
  const { pixels, out } = variant;
  const parts = blocks(attrs.channels) / out;
  const across = range(MOST_INVOCATIONS / LANES + 1).findLast((n) => n > 0 && parts % n === 0)!;
  const [x, z] = rowsOf(Math.ceil(size / (LANES * pixels)));
  const named = <T>(kind: string, views: readonly View[], value: (view: View) => T): Record<string, T> =>
    Object.fromEntries(views.map((view, i) => [kind.replace('#', `${i}`), value(view)]));
  return {
    program: generate({
      ...variant,
      name: `x${pixels}x${4 * out}`,
      blocks: blocks(attrs.channels),
      across,
      readers: attrs.readers.map((names) => names.length),
      adds: attrs.adds ?? false,
      isReduced: attrs.isReduced ?? false,
      weights: matrices.dtype ?? 'f32',
      features: features.map(({ dtype }) => dtype),
      results: outputs.map(({ dtype }) => dtype),
    }),
    resources: {
      weights: weights(matrices),
      vectors: weights(vectors),
      ...named('features#', features, buffer),
      ...named('result#', outputs, buffer),
    },
    params: {
      size,
      slots: features[0].shape.channels / attrs.channels,
      share: attrs.channels / features[0].shape.channels,
      blocks: blocks(attrs.channels),
      slope: attrs.slope,
      ...named('features#_start', features, start),
      ...named('result#_start', outputs, start),
    },
    workgroups: [x, parts / across, z],
  };
}
