/**
 * Every kernel against the CPU references (f64 accumulation), case by case: what the kernel tests run in Node and
 * test/runtimes everywhere else. The worst difference may be at most 1e-5 of the case's scale.
 */
import { groupedRead as readKernel } from '../../src/kernels/groupedRead.ts';
import type { GroupedReadAttrs } from '../../src/kernels/groupedRead.ts';
import { NO_DATA } from '../../src/kernels/stack.ts';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import type { ConvAttrs } from '../../src/kernels/conv2d/index.ts';
import type { TunedKernel } from '../../src/kernels/kernel.ts';
import { VENDORS } from '../../src/kernels/target.ts';
import type { Target, Capabilities } from '../../src/kernels/target.ts';
import type { Shape } from '../../src/kernels/tensor.ts';
import { addTunedMethods } from '../../src/tune/methods.ts';
import { CONV_CASES, VARIANT_CASES, convData } from '../cases/conv.ts';
import type { ConvCase } from '../cases/conv.ts';
import {
  BLEND_CASES,
  EXPOSURE_CASES,
  GATE_CASES,
  MASK_CASES,
  MAX_POOL_CASES,
  MEAN_MAX_CASES,
  READ_CASES,
  UPSAMPLE_CASES,
} from '../cases/others.ts';
import {
  blendData,
  exposureData,
  gateData,
  maskData,
  maxPoolData,
  meanMaxData,
  readData,
  upsampleData,
} from '../cases/others.ts';
import type { ExposureData, OtherCase } from '../cases/others.ts';
import { mergeBase } from '../reference/exposure.ts';
import { smoothstep } from '../reference/gate.ts';
import * as ops from '../reference/ops.ts';
import { expectClose, rng } from '../reference/random.ts';
import type { Rng } from '../reference/random.ts';
import { concat, map, tensor, where } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';
import type { KernelCall, KernelHarness, Placed } from './harness.ts';
import { KERNEL_TOLERANCE } from './kernelCheck.ts';
import type { KernelCheck } from './kernelCheck.ts';
import { MEMORY_CHECKS } from './memoryChecks.ts';
import { MERGE_CHECKS } from './mergeChecks.ts';
import { SAMPLE_CHECKS } from './sampleChecks.ts';

// As a tuner has them.
addTunedMethods();

/** In which variants of conv2d a case runs, on what numbers, and how near the result must be. */
export interface Manner {
  targets(attrs: ConvAttrs, shapes: readonly Shape[], capabilities: Capabilities): Target[];
  random(seed: number): Rng;
  tolerance: number;
  replace?: Placed['replace'];
}

function close(actual: Tensor, expected: Tensor, label: string, tol = KERNEL_TOLERANCE): number {
  return expectClose(actual.data, expected.data, { tol, label, where: where(expected) });
}

/** A stack as the kernels read it: R, G, B, W of each frame. */
export function stack(frames: readonly Tensor[], masks: readonly Tensor[]): Tensor {
  return concat(...frames.flatMap((frame, k) => [frame, masks[k]]));
}

/** Masks alone, in a stack whose colours must not matter. */
function masksOnly(masks: readonly Tensor[]): Tensor {
  return stack(
    masks.map(({ h, w }) => tensor(3, h, w, new Float32Array(3 * h * w).fill(9))),
    masks,
  );
}

/** The response table as the kernels read it, [256][r, g, b, 0]; NaN where there is none and nothing may read it. */
export function responseTensor(response: ExposureData['response']): Tensor {
  const out = tensor(4, 1, 256);
  out.data.fill(response ? 0 : NaN);
  response?.forEach((curve, c) => out.data.set(curve, c * 256));
  return out;
}

/** What a kernel offers for a node, by name. */
export function implementationNames<A>(
  kernel: TunedKernel<A>,
  attrs: A,
  shapes: readonly Shape[],
  target: Target,
): string[] {
  return kernel.implementations(attrs, shapes, target).map(({ name }) => name);
}

/** Targets that make a device take implementations by name. */
export function targetsOf(
  attrs: ConvAttrs,
  shapes: readonly Shape[],
  target: Target,
  names: readonly string[],
): Target[] {
  const shapeClass = conv2d.shapeClass(attrs, shapes, target);
  return [...new Set(names)].map((name) => ({ ...target, choices: new Map([[shapeClass, name]]) }));
}

/**
 * The variants that a case runs with: the one a device takes by itself, and the first that needs nothing of the device.
 */
export function variantsOf(attrs: ConvAttrs, shapes: readonly Shape[], capabilities: Capabilities): Target[] {
  const [own, ...others] = [capabilities, {}].flatMap((some) =>
    targetsOf(
      attrs,
      shapes,
      { capabilities: some },
      implementationNames(conv2d, attrs, shapes, { capabilities: some }).slice(0, 1),
    ),
  );
  const name = (target: Target): string => [...target.choices!.values()][0];
  return [own, ...others.filter((target) => name(target) !== name(own))];
}

/** Devices whose variants differ, with the features of one that there is: those of every maker's GPUs too. */
function devicesLike({ cpu, subgroupSize, ...features }: Capabilities): Capabilities[] {
  const gpus = [undefined, ...VENDORS].map((vendor) => ({ ...features, ...(vendor && { vendor }) }));
  return [{ ...features, cpu, subgroupSize }, { ...features, cpu }, ...gpus];
}

/** All variants, those among which other devices choose too: GPUs of other makers as well, each once. */
export function everyVariant(attrs: ConvAttrs, shapes: readonly Shape[], capabilities: Capabilities): Target[] {
  const seen = new Set<string>();
  return devicesLike(capabilities).flatMap((some) => {
    const target: Target = { capabilities: some };
    // Of one name, the program of a software adapter differs from a GPU's.
    const names = implementationNames(conv2d, attrs, shapes, target).filter((name) => {
      const key = `${some.cpu ? 'software ' : ''}${name}`;
      return !seen.has(key) && seen.add(key);
    });
    return targetsOf(attrs, shapes, target, names);
  });
}

/** In how many cases of variants each that only other devices choose occurs once. */
const ROUNDS = 3;

/**
 * The variants of a device, and a third of all others, for a case of some number: a driver takes seconds for each.
 * Cases of consecutive numbers have all.
 */
function variantsFor(number: number): Manner['targets'] {
  return (attrs, shapes, capabilities) => {
    const own = new Set(implementationNames(conv2d, attrs, shapes, { capabilities }));
    const all = everyVariant(attrs, shapes, capabilities);
    const isOwn = ({ choices }: Target): boolean => own.has([...choices!.values()][0]);
    const others = all.filter((target) => !isOwn(target)).filter((_, i) => i % ROUNDS === number % ROUNDS);
    return [...all.filter(isOwn), ...others];
  };
}

/** The first variant of such a name, on this device or on any GPU, for those that are not the default. */
export function variantLike(pattern: RegExp): Manner['targets'] {
  return (attrs, shapes, capabilities) => {
    const all = everyVariant(attrs, shapes, capabilities);
    const found = all.find(({ choices }) => pattern.test([...choices!.values()][0]));
    // Without a variant the case would check nothing.
    if (!found) throw new Error(`no variant of ${conv2d.shapeClass(attrs, shapes, { capabilities })} is ${pattern}`);
    return [found];
  };
}

/** As every kernel is checked. */
export const USUAL: Manner = { targets: variantsOf, random: rng, tolerance: KERNEL_TOLERANCE };

/** Checks conv2d on a case, in some of its variants. */
export async function checkConv(
  kernels: KernelHarness,
  c: ConvCase,
  label: string,
  { targets, random, tolerance, replace }: Manner = USUAL,
): Promise<number> {
  const { input, weight, bias = new Float32Array(c.outputs), expected } = convData(c, random(c.seed));
  const attrs = {
    weights: 'w',
    channels: c.outputs,
    kernel: c.kernel,
    dilation: c.dilation,
    groups: c.groups,
    activation: c.activation,
    slope: c.slope,
  };
  const weights = { 'w.weight': weight, 'w.bias': bias };
  const placed = { inputOffset: c.inputs % 3 === 0 ? 8 : 0, outputOffset: c.outputOffset };
  let worst = 0;
  for (const target of targets(
    attrs,
    [{ channels: c.inputs, height: c.height, width: c.width }],
    kernels.capabilities,
  )) {
    const actual = await kernels.run({ op: 'conv2d', attrs, inputs: [input], weights }, { ...placed, target, replace });
    worst = Math.max(worst, close(actual, expected, `${[...target.choices!.values()].join()} ${label}`, tolerance));
  }
  return worst;
}

type Check = (kernels: KernelHarness, c: OtherCase) => Promise<number>;

const maxPool: Check = async (kernels, c) => {
  const { input, expected } = maxPoolData(c);
  return close(await kernels.run({ op: 'maxPool', attrs: {}, inputs: [input] }, c), expected, c.name);
};

const upsample: Check = async (kernels, c) => {
  const { input, expected } = upsampleData(c);
  return close(await kernels.run({ op: 'upsample', attrs: {}, inputs: [input] }, c), expected, c.name);
};

const maskMultiply: Check = async (kernels, c) => {
  const { input, mask, times, complement } = maskData(c);
  const masks = masksOnly(
    [mask.data.map(() => 0.5), mask.data, mask.data.map(() => 0.25)].map((data) => tensor(1, c.height, c.width, data)),
  );
  return Math.max(
    close(
      await kernels.run({ op: 'maskMultiply', attrs: { frame: 1, keep: 'moving' }, inputs: [input, masks] }, c),
      times,
      `moving ${c.name}`,
    ),
    close(
      await kernels.run({ op: 'maskMultiply', attrs: { frame: 1, keep: 'still' }, inputs: [input, masks] }, c),
      complement,
      `still ${c.name}`,
    ),
  );
};

const blend: Check = async (kernels, c) => {
  const { mask, a, b, expected } = blendData(c);
  const zero = tensor(1, c.height, c.width);
  return close(
    await kernels.run({ op: 'blend', attrs: { frame: 1 }, inputs: [a, b, masksOnly([zero, mask])] }, c),
    expected,
    c.name,
  );
};

const meanMax: Check = async (kernels, c) => {
  const { inputs, mean, max } = meanMaxData(c);
  const calls = inputs.map(
    (input, index): KernelCall =>
      ({
        op: 'meanMax',
        attrs: { index, count: inputs.length },
        inputs: index ? [input, 'previous'] : [input],
      }) as unknown as KernelCall,
  );
  return close(await kernels.runAll(calls, c), concat(mean, max), c.name);
};

const groupedRead: Check = async (kernels, c) => {
  const { memory, weight, bias, expected } = readData(c);
  const call = {
    op: 'groupedRead',
    attrs: { readers: ['w'], channels: c.channels },
    weights: { 'w.weight': weight, 'w.bias': bias },
  } as const;
  const whole = close(await kernels.run({ ...call, inputs: [memory] }, c), expected, c.name);
  if (c.frames % 4 !== 0) return whole;
  // The same memory in four tensors, as the network has it.
  const part = (c.frames / 4) * c.channels * c.height * c.width;
  const parts = [0, 1, 2, 3].map((i) =>
    tensor((c.frames / 4) * c.channels, c.height, c.width, memory.data.slice(i * part, (i + 1) * part)),
  );
  return Math.max(whole, close(await kernels.run({ ...call, inputs: parts }, c), expected, `in four ${c.name}`));
};

/** Two readers of every second slot, and then of the others, in every variant. */
const sharedRead: Check = async (kernels, c) => {
  const { memory, weight, bias, expected } = readData(c);
  const others = { weight: weight.map((w) => 0.3 - w / 2), bias: bias.map((b) => 1 - b) };
  const both = concat(expected, ops.groupedRead(memory, others.weight, others.bias));
  const slots = Array.from({ length: c.frames }, (_, s) =>
    tensor(c.channels, c.height, c.width, memory.data.slice(s * expected.data.length, (s + 1) * expected.data.length)),
  );
  const attrs = (parity: number): GroupedReadAttrs => ({
    readers: ['w', 'v'],
    channels: c.channels,
    slots: { held: slots.map((_, s) => s).filter((s) => s % 2 === parity), of: c.frames },
    adds: parity === 1,
  });
  const held = (parity: number): Tensor => concat(...slots.filter((_, s) => s % 2 === parity));
  const weights = { 'w.weight': weight, 'w.bias': bias, 'v.weight': others.weight, 'v.bias': others.bias };
  const calls = [
    { op: 'groupedRead', attrs: attrs(0), inputs: [held(0)], weights },
    { op: 'groupedRead', attrs: attrs(1), inputs: ['previous', held(1)], weights },
  ] as unknown as KernelCall[];
  const shapes = [{ channels: c.channels * (c.frames / 2), height: c.height, width: c.width }];
  const errors: number[] = [];
  for (const capabilities of [kernels.capabilities, {}]) {
    for (const name of implementationNames(readKernel, attrs(0), shapes, { capabilities })) {
      const target = {
        capabilities,
        choices: new Map([[readKernel.shapeClass(attrs(0), shapes, { capabilities }), name]]),
      };
      errors.push(close(await kernels.runAll(calls, { ...c, target }), both, `${name} ${c.name}`));
    }
  }
  return Math.max(...errors);
};

const exposureAndMerge: Check = async (kernels, c) => {
  const data = exposureData(c);
  const { frames, taus, reference, gamma, masks, hat } = data;
  const attrs = { gamma, useResponse: data.response !== null };
  const inputs = [stack(frames, masks), responseTensor(data.response)];
  const last = frames.length - 1;
  const encoded = await kernels.run(
    { op: 'encoderInput', attrs: { ...attrs, frame: last, tau: taus[last] }, inputs },
    c,
  );
  const errors = [close(encoded, concat(data.undone[last], data.linear[last]), `encoderInput ${c.name}`)];
  for (const frame of [0, last]) {
    const pair = await kernels.run(
      { op: 'alignedPair', attrs: { ...attrs, frame, reference, ratio: taus[reference] / taus[frame] }, inputs },
      c,
    );
    errors.push(close(pair, concat(data.aligned[frame], data.undone[reference]), `alignedPair ${frame} ${c.name}`));
  }
  const plain = await kernels.run(
    { op: 'picture', attrs: { ...attrs, taus, reference, useMasks: false, hat }, inputs },
    c,
  );
  errors.push(close(plain, data.merged, `plain merge ${c.name}`));
  const masked = await kernels.run(
    { op: 'picture', attrs: { ...attrs, taus, reference, useMasks: true, hat }, inputs },
    c,
  );
  errors.push(close(masked, data.base, `masked merge ${c.name}`));
  const corrected = await kernels.run(
    { op: 'picture', attrs: { ...attrs, taus, reference, useMasks: true, hat }, inputs: [...inputs, data.logits] },
    c,
  );
  errors.push(close(corrected, data.corrected, `corrected merge ${c.name}`));

  // Every frame lacks data somewhere, and all do at every eleventh pixel.
  const lacks = (k: number, p: number): boolean => p % 11 === 0 || (p + k) % (k + 2) === 0;
  const holed = [
    stack(
      frames,
      masks.map((mask, k) => map(mask, (w, p) => (lacks(k, p) ? NO_DATA : w))),
    ),
    inputs[1],
  ];
  for (const useMasks of [false, true]) {
    const got = await kernels.run(
      { op: 'picture', attrs: { ...attrs, taus, reference, useMasks, hat }, inputs: holed },
      c,
    );
    const hasData = (k: number, p: number): boolean => !lacks(k, p);
    const expected = mergeBase(data.undone, taus, reference, gamma, hat, useMasks ? masks : undefined, hasData);
    errors.push(close(got, expected, `merge of frames with holes ${c.name}`));
  }
  const covered = await kernels.run(
    { op: 'coveredMasks', attrs: { reference }, inputs: [concat(...masks), holed[0]] },
    c,
  );
  const kept = masks.map((mask, k) => map(mask, (w, p) => (lacks(k, p) || lacks(reference, p) ? 0 : w)));
  kept[reference] = ops.maxFrames(kept.filter((_, k) => k !== reference));
  errors.push(close(covered, concat(...kept), `covered masks ${c.name}`));
  const stacked = await kernels.run({ op: 'coveredStack', attrs: { reference }, inputs: [holed[0]] }, c);
  const used = stack(
    frames,
    kept.map((mask, k) => map(mask, (w, p) => (lacks(k, p) ? NO_DATA : w))),
  );
  errors.push(close(stacked, used, `covered stack ${c.name}`));
  return Math.max(...errors);
};

const collectMask: Check = async (kernels, c) => {
  const { input } = maskData(c);
  const size = c.height * c.width;
  const logit = (scale: number): Tensor =>
    tensor(
      1,
      c.height,
      c.width,
      input.data.slice(0, size).map((x) => x * scale),
    );
  const logits = [logit(3), logit(-2), logit(5), logit(1)];
  const frames = [0, 1, 3, 5];
  const errors: number[] = [];
  for (const binary of [false, true]) {
    const calls = frames.map(
      (frame, i): KernelCall =>
        ({
          op: 'collectMask',
          attrs: { frames: 6, frame, reference: 4, binary, shift: 0.5 },
          inputs: i ? [logits[i], 'previous'] : [logits[i]],
        }) as unknown as KernelCall,
    );
    const actual = await kernels.runAll(calls, { outputOffset: c.outputOffset });
    const expect = (frame: number, map: Float64Array, label: string): number =>
      expectClose(actual.data.subarray(frame * size, (frame + 1) * size), map, {
        tol: KERNEL_TOLERANCE,
        label: `${label} ${c.name}`,
      });
    const maps = logits.map(({ data }) =>
      data.map((l) => (binary ? Number(l + 0.5 > 0) : 1 / (1 + Math.exp(-l - 0.5)))),
    );
    maps.forEach((map, i) => errors.push(expect(frames[i], map, `W ${frames[i]}`)));
    errors.push(
      expect(
        4,
        maps[0].map((_, p) => Math.max(...maps.map((map) => map[p]))),
        'union',
      ),
    );
  }
  return Math.max(...errors);
};

const gate: Check = async (kernels, c) => {
  const { frames, taus, reference, camera, gate: config, evidence, windowed, logits } = gateData(c);
  const { codes, relative, low, high } = config;
  const inputs = [
    stack(
      frames,
      frames.map(() => tensor(1, c.height, c.width, new Float32Array(c.height * c.width).fill(9))),
    ),
    responseTensor(camera.response),
  ];
  const attrs = {
    gamma: camera.gamma,
    useResponse: camera.response !== null,
    linear: camera.linear ?? false,
    taus,
    reference,
    codes,
    relative,
  };
  const errors = [close(await kernels.run({ op: 'gateEvidence', attrs, inputs }, c), evidence, `evidence ${c.name}`)];
  const windows = [
    ['mean', 5],
    ['maximum', 9],
    ['mean', 9],
  ].flatMap(([of, side]) =>
    ['x', 'y'].map((axis) => ({ op: 'gateWindow', attrs: { of, axis, radius: ((side as number) - 1) / 2 } })),
  );
  const windowCalls = windows.map((call, i) => ({
    ...call,
    inputs: [i ? 'previous' : evidence],
  })) as unknown as KernelCall[];
  errors.push(close(await kernels.runAll(windowCalls, c), windowed, `windows ${c.name}`));
  const size = c.height * c.width;
  const moving = frames.map((_, k) => k).filter((k) => k !== reference);
  for (const binary of [false, true]) {
    // No map is near one half, so that a binary one is certain; what the reference's evidence is must not matter.
    const b = windowed.data.map((value, i) =>
      Math.floor(i / size) === reference
        ? 1
        : Math.abs(smoothstep(low, high, value) / (1 + Math.exp(-logits[Math.floor(i / size)].data[i % size])) - 0.5) <
            1e-3
          ? 0
          : value,
    );
    const collect = moving.map((frame, i) => ({
      op: 'collectMask',
      attrs: { frames: frames.length, frame, reference, binary: false, shift: 0 },
      inputs: i ? [logits[frame], 'previous'] : [logits[frame]],
    }));
    const calls = [
      ...collect,
      { op: 'gateMasks', attrs: { reference, binary, low, high }, inputs: [{ ...windowed, data: b }, 'previous'] },
    ] as unknown as KernelCall[];
    const maps = logits.map(({ data }, k) =>
      tensor(
        1,
        c.height,
        c.width,
        data.map((l, p) => {
          const w = (k === reference ? 0 : smoothstep(low, high, b[k * size + p])) / (1 + Math.exp(-l));
          return binary ? Number(w > 0.5) : w;
        }),
      ),
    );
    maps[reference] = ops.maxFrames(maps);
    errors.push(
      close(
        await kernels.runAll(calls, { outputOffset: c.outputOffset }),
        concat(...maps),
        `gated ${binary ? 'binary' : 'soft'} ${c.name}`,
      ),
    );
  }
  return Math.max(...errors);
};

function table(kernel: string, cases: readonly OtherCase[], check: Check): KernelCheck[] {
  return cases.map((c) => ({ kernel, name: c.name, run: (kernels) => check(kernels, c) }));
}

/** Every case of every kernel. */
export const KERNEL_CHECKS: readonly KernelCheck[] = [
  ...CONV_CASES.map(
    (c): KernelCheck => ({
      kernel: 'conv2d',
      name: `conv2d ${c.name}`,
      run: (kernels) => checkConv(kernels, c, c.name),
    }),
  ),
  // Few channels: a driver may take half a minute to compile a variant for many.
  ...VARIANT_CASES.map(
    (c, i): KernelCheck => ({
      kernel: 'conv2d',
      name: `conv2d in many variants ${c.name}`,
      run: (kernels) => checkConv(kernels, c, c.name, { ...USUAL, targets: variantsFor(i) }),
    }),
  ),
  ...table('maxPool', MAX_POOL_CASES, maxPool),
  ...table('upsample', UPSAMPLE_CASES, upsample),
  ...table('maskMultiply', MASK_CASES, maskMultiply),
  ...table('collectMask', MASK_CASES, collectMask),
  ...table('blend', BLEND_CASES, blend),
  ...table('meanMax', MEAN_MAX_CASES, meanMax),
  ...table('groupedRead', READ_CASES, groupedRead),
  ...table(
    'groupedRead by slots',
    READ_CASES.filter(({ frames }) => frames === 8),
    sharedRead,
  ),
  ...table('exposure and merge', EXPOSURE_CASES, exposureAndMerge),
  ...table('gate', GATE_CASES, gate),
  ...SAMPLE_CHECKS,
  ...MEMORY_CHECKS,
  ...MERGE_CHECKS,
];
