/**
 * Runs one kernel on the GPU with its output placed inside a larger buffer, as concatenation places it, and its inputs
 * likewise. It imports nothing of Node's, so that the same cases run in browsers and in Deno (test/runtimes).
 */
import { Gpu } from '../../src/device.ts';
import { Runner } from '../../src/graph/runner.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph, GraphNode } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import type { AttrsOf, KernelName } from '../../src/kernels/index.ts';
import type { Program } from '../../src/kernels/program.ts';
import type { Target, Capabilities } from '../../src/kernels/target.ts';
import { packNC4HW4, unpackNC4HW4 } from '../reference/layout.ts';
import { tensor } from '../reference/tensor.ts';
import type { Tensor } from '../reference/tensor.ts';

/** One node: a kernel, the inputs it reads by name or the node before it, its attributes. */
export interface KernelCall<K extends KernelName = KernelName> {
  op: K;
  attrs: AttrsOf<K>;
  /** Inputs: tensors, or `previous` for the call before. */
  inputs: (Tensor | 'previous')[];
  /** Tensors of the weights file by name. */
  weights?: Record<string, Float32Array>;
}

export interface Placed {
  /** What the plan is made for: all that the device has by default. */
  target?: Target;
  /** Channels before each input and before the output in their buffers: multiples of 4. */
  inputOffset?: number;
  outputOffset?: number;
  /** Another program in the place of each. */
  replace?: (program: Program) => Program;
}

/** A graph's plan. @throws if it does not run the implementations that its target chose. */
function planned(graph: Graph, target: Target): Plan {
  const made = plan(graph, target);
  const runs = made.steps.map(({ implementation }) => implementation);
  for (const chosen of target.choices?.values() ?? [])
    if (!runs.includes(chosen)) throw new Error(`the plan runs ${runs.join(', ')} and not ${chosen}, which was chosen`);
  return made;
}

/** A plan with its programs replaced. */
function withPrograms(original: Plan, replace: Placed['replace']): Plan {
  if (!replace) return original;
  return {
    ...original,
    steps: original.steps.map((step) => ({
      ...step,
      dispatch: { ...step.dispatch, program: replace(step.dispatch.program) },
    })),
  };
}

/** A tensor with other channels before it: noise that a kernel reading the wrong ones would show. */
function behind(value: Tensor, offset: number): Tensor {
  const out = tensor(offset + value.c, value.h, value.w);
  out.data.fill(1e3, 0, offset * value.h * value.w);
  out.data.set(value.data, offset * value.h * value.w);
  return out;
}

/** Attributes that name weights. */
const NAMES = ['weights', 'readers', 'writers', 'merge'];

/** Attributes whose weights' names begin with `use`. */
function named(attrs: object, use: string): object {
  const rename = (names: unknown): unknown => (Array.isArray(names) ? names.map(rename) : `${use}${names as string}`);
  return Object.fromEntries(
    Object.entries(attrs).map(([key, value]) => [key, NAMES.includes(key) ? rename(value) : value]),
  );
}

/** Runs kernels on a device, all in one executor, so that a program compiles once. */
export class KernelHarness {
  readonly #executor: Runner;
  /** Weights of the call that runs. Each use has a name of its own. */
  #weights: Record<string, Float32Array> = {};
  #uses = 0;

  constructor(device: GPUDevice) {
    this.#executor = new Runner(new Gpu(device), (name) => this.#weights[name.replace(/^use\d+\./, '')]);
  }

  /** What the device offers. */
  get capabilities(): Capabilities {
    return this.#executor.gpu.capabilities;
  }

  /** Runs one kernel. */
  run<K extends KernelName>(call: KernelCall<K>, placed?: Placed): Promise<Tensor> {
    return this.runAll([call as unknown as KernelCall], placed);
  }

  /**
   * Runs calls one after another and returns the last one's output; also checks that what lies before it is untouched.
   */
  async runAll(
    calls: readonly KernelCall[],
    { target = { capabilities: this.capabilities }, inputOffset = 0, outputOffset = 0, replace }: Placed = {},
  ): Promise<Tensor> {
    const use = `use${this.#uses++}.`;
    this.#weights = Object.assign({}, ...calls.map((call) => call.weights ?? {}));
    const graph = new GraphBuilder();
    const data: Record<string, Float32Array<ArrayBuffer>> = {};
    const nodes = new Map<Tensor, GraphNode>();
    const input = (value: Tensor): GraphNode => {
      const known = nodes.get(value);
      if (known) return known;
      const name = `input ${nodes.size}`;
      const node = graph.input(name, { channels: value.c, height: value.h, width: value.w });
      data[name] = new Float32Array(packNC4HW4(value));
      if (inputOffset) {
        // The kernel reads the middle of a concat: an input inside a larger buffer, before NaN, which would make any
        // sum that reads it NaN.
        const before = graph.input(`${name} before`, { channels: inputOffset, height: value.h, width: value.w });
        data[`${name} before`] = new Float32Array(packNC4HW4(behind(tensor(0, value.h, value.w), inputOffset)));
        const parts = [before, node];
        if (value.c % 4 === 0) {
          parts.push(graph.input(`${name} after`, { channels: 4, height: value.h, width: value.w }));
          data[`${name} after`] = new Float32Array(4 * value.h * value.w).fill(NaN);
        }
        graph.concat(`${name} placed`, parts);
      }
      nodes.set(value, node);
      return node;
    };
    let last: GraphNode | undefined;
    calls.forEach((call, i) => {
      const attrs = named(call.attrs, use);
      last = graph.add(
        `call ${i}`,
        call.op,
        call.inputs.map((value) => (value === 'previous' ? last! : input(value))),
        attrs as AttrsOf<KernelName>,
      );
    });
    let result = last!;
    if (outputOffset) {
      const before = graph.input('before', { ...result.shape, channels: outputOffset });
      data.before = new Float32Array(outputOffset * result.shape.height * result.shape.width).fill(7);
      result = graph.concat('placed', [before, result]);
    }
    const prepared = await this.#executor.prepare(withPrograms(planned(graph.build([result]), target), replace));
    try {
      await this.#executor.upload(prepared, data);
      await this.#executor.run(prepared);
      const packed = await this.#executor.read(prepared, prepared.plan.graph.outputs[0]);
      const { channels, height, width } = last!.shape;
      if (packed.subarray(0, outputOffset * height * width).some((value) => value !== 7))
        throw new Error(`${calls.at(-1)!.op} wrote before its output`);
      return unpackNC4HW4(packed, channels, height, width, outputOffset);
    } finally {
      this.#executor.release(prepared);
    }
  }

  /** Runs a graph on inputs by name and returns its outputs. */
  async runGraph(
    graph: Graph,
    inputs: Record<string, Tensor>,
    weights: Record<string, Float32Array>,
    { target = { capabilities: this.capabilities }, replace }: Pick<Placed, 'target' | 'replace'> = {},
  ): Promise<Tensor[]> {
    const use = `use${this.#uses++}.`;
    this.#weights = weights;
    const nodes = graph.nodes.map((node) => ({ ...node, attrs: named(node.attrs, use) }));
    const prepared = await this.#executor.prepare(withPrograms(planned({ ...graph, nodes }, target), replace));
    try {
      await this.#executor.upload(
        prepared,
        Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, new Float32Array(packNC4HW4(value))])),
      );
      await this.#executor.run(prepared);
      const outputs: Tensor[] = [];
      for (const id of prepared.plan.graph.outputs) {
        const { channels, height, width } = prepared.plan.graph.nodes[id].shape;
        outputs.push(unpackNC4HW4(await this.#executor.read(prepared, id), channels, height, width));
      }
      return outputs;
    } finally {
      this.#executor.release(prepared);
    }
  }

  /** Frees the weights it uploaded; the device stays open. */
  dispose(): void {
    this.#executor.dispose();
  }
}
