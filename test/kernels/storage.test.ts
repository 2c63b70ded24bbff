/**
 * A new kernel in plans with half-precision storage: it gets a type that it can read, and a wrong declaration is an
 * error.
 */
import '../../src/model/ablations/index.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { Gpu } from '../../src/device.ts';
import { fuse } from '../../src/graph/fuse/index.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import { elementwise } from '../../src/kernels/elementwise.ts';
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, flatGrid } from '../../src/kernels/flat.ts';
import { KERNELS } from '../../src/kernels/index.ts';
import type { KernelName } from '../../src/kernels/index.ts';
import type { SingleKernel } from '../../src/kernels/kernel.ts';
import { Program, READ, buffer } from '../../src/kernels/program.ts';
import type { Target } from '../../src/kernels/target.ts';
import { start } from '../../src/kernels/tensor.ts';
import { testDevice } from '../gpu.ts';
import { tensor } from '../reference/tensor.ts';
import { KernelHarness } from './harness.ts';

const table = KERNELS as unknown as Record<string, SingleKernel<object>>;
const NAME = 'half' as KernelName;
afterEach(() => void delete table[NAME]);

/** Half of its input, with everything declared by hand and bound as floats: it says nothing of storage. */
const BY_HAND: SingleKernel<object> = {
  samples: [],
  shape: (_, [input]) => input,
  lower({ inputs: [input], output }) {
    const count = (output.shape.width * output.shape.height * output.shape.channels) / 4;
    return {
      program: new Program({
        label: 'half',
        workgroup: [FLAT_WORKGROUP, 1, 1],
        params: { count: 'u32', input_start: 'u32', output_start: 'u32' },
        bindings: { input: READ, output: { access: 'read_write', type: 'array<vec4f>' } },
        body: `
${FLAT_INDEX}
@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index < params.count) { output[params.output_start + index] = input[params.input_start + index] / 2.0; }
}`,
      }),
      resources: { input: buffer(input), output: buffer(output) },
      params: { count, input_start: start(input), output_start: start(output) },
      workgroups: flatGrid(count),
    };
  },
};

const halved = elementwise({ label: 'half', inputs: ['input'], body: '  let value = load_input(index) / 2.0;' });
/** The same as CONTRIBUTING shows. */
const ELEMENTWISE: SingleKernel<object> = {
  storage: () => ({ output: 'any', inputs: 'any' }),
  samples: [],
  shape: (_, [input]) => input,
  lower: ({ inputs, output }) => halved(output, inputs),
};

/** 0.5 everywhere, through two layers that leave it as it is, halved, and through another layer. */
function network(kernel: SingleKernel<object>): { graph: Graph; weights: Record<string, Float32Array> } {
  table[NAME] = kernel;
  const g = new GraphBuilder();
  const layer = { weights: 'w', channels: 4, kernel: 1 } as const;
  const x = g.input('x', { channels: 4, height: 3, width: 5 });
  const first = g.add('first', 'conv2d', [x], layer);
  const second = g.add('second', 'conv2d', [first], layer);
  const middle = g.add('middle', NAME, [second], {} as never);
  const graph = g.build([g.add('last', 'conv2d', [middle], layer)]);
  return {
    graph,
    weights: {
      'w.weight': Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)),
      'w.bias': new Float32Array(4),
    },
  };
}

const HALVES: Target = { precision: 'f16', capabilities: { f16: true } };

describe.each([
  ['by hand', BY_HAND, 'f32'],
  ['elementwise', ELEMENTWISE, 'f16'],
] as const)('a kernel written %s', (_, kernel, dtype) => {
  it(`gets and stores ${dtype} in a plan in halves`, () => {
    const { graph } = network(kernel);
    const dtypes = Object.fromEntries(fuse(graph, HALVES).nodes.map((node) => [node.name, node.dtype]));
    expect(dtypes).toEqual({ x: 'f32', first: 'f16', second: dtype, middle: dtype, last: 'f32' });
  });

  it('is right in both precisions', async () => {
    const device = await testDevice();
    const { capabilities } = new Gpu(device);
    const harness = new KernelHarness(device);
    const { graph, weights } = network(kernel);
    try {
      for (const precision of capabilities.f16 ? (['f32', 'f16'] as const) : (['f32'] as const)) {
        const target: Target = { capabilities, precision };
        const [output] = await harness.runGraph(
          fuse(graph, target),
          { x: tensor(4, 3, 5, new Float32Array(60).fill(0.5)) },
          weights,
          { target },
        );
        expect([...output.data], precision).toEqual(new Array(60).fill(0.25));
      }
    } finally {
      harness.dispose();
    }
  });
});

describe('a kernel that declares a binding wrongly', () => {
  const wrong: SingleKernel<object> = { ...BY_HAND, storage: () => ({ output: 'any', inputs: 'any' }) };

  it('is an error of the plan, which names the node, the binding and both types', () => {
    const { graph } = network(wrong);
    expect(() => plan(fuse(graph, HALVES), HALVES)).toThrow(
      'plan: middle binds input as array<vec4f>, but it is stored as f16',
    );
    expect(() => plan(fuse(graph), {})).not.toThrow();
  });

  it('is one where it is the output that is declared wrongly', () => {
    const { graph } = network({ ...wrong, storage: () => ({ output: 'any', inputs: 'f32' }) });
    expect(() => plan(fuse(graph, HALVES), HALVES)).toThrow(
      'plan: middle binds output as array<vec4f>, but it is stored as f16',
    );
  });
});
