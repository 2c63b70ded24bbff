/**
 * A graph is plain data: nodes in the order they run, each naming its op, inputs, attributes and shape.
 *
 * Ops are the kernels' names (kernels/index.ts) and four that compute nothing: `input`, a tensor written before a run;
 * `concat`, channels one after another; `slice`, some of a node's channels; `result`, what its input's kernel stores
 * besides its output. Placement turns concats and slices into addresses (place.ts). Passes read a graph and return a
 * new one; none changes its input.
 */
import { KERNELS } from '../kernels/index.ts';
import type { AttrsOf, KernelName } from '../kernels/index.ts';
import { expectSameSize, shapeError } from '../kernels/kernel.ts';
import type { Kernel, WeightTensor } from '../kernels/kernel.ts';
import type { DType, Shape } from '../kernels/tensor.ts';

export type Op = KernelName | 'input' | 'concat' | 'slice' | 'result';

/** Attributes of `slice`: the first of its channels, a multiple of 4. */
export interface SliceAttrs {
  from: number;
}

export interface GraphNode {
  id: number;
  /** Unique. Errors, plans and profiles use it. */
  name: string;
  op: Op;
  inputs: readonly number[];
  attrs: object;
  shape: Shape;
  dtype: DType;
}

export interface Graph {
  /** `nodes[i].id === i`; inputs precede their readers. */
  nodes: readonly GraphNode[];
  /** Nodes whose tensors a run returns. */
  outputs: readonly number[];
}

/**
 * The kernel of a node, without the type of its attributes: a node's attrs were checked against its op when it was
 * added.
 */
export function kernelOf(node: GraphNode): Kernel<object> {
  return KERNELS[node.op as KernelName] as Kernel<object>;
}

export function inputShapes(graph: Graph, node: GraphNode): Shape[] {
  return node.inputs.map((id) => graph.nodes[id].shape);
}

/** Whether a node runs a kernel. */
export function computes(node: GraphNode): boolean {
  return !['input', 'concat', 'slice', 'result'].includes(node.op);
}

/** The nodes that stand for what a node's kernel stores besides its output, in order. */
export function resultsOf(graph: Graph, node: GraphNode): GraphNode[] {
  return graph.nodes.filter((other) => other.op === 'result' && other.inputs[0] === node.id);
}

/** Builds a graph node by node, checking shapes as it goes. */
export class GraphBuilder {
  readonly #nodes: GraphNode[] = [];
  readonly #names = new Set<string>();

  /** A tensor written before the run. */
  input(name: string, shape: Shape): GraphNode {
    return this.#push(name, 'input', [], {}, shape);
  }

  /** Adds a kernel's node. @throws naming the node if its inputs do not fit. */
  add<K extends KernelName>(name: string, op: K, inputs: readonly GraphNode[], attrs: AttrsOf<K>): GraphNode {
    const kernel = KERNELS[op] as unknown as Kernel<AttrsOf<K>>;
    try {
      const shape = kernel.shape(
        attrs,
        inputs.map((node) => node.shape),
      );
      return this.#push(name, op, inputs, attrs as object, shape);
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * Channels of the inputs one after another; every input but the last has a multiple of four. A single input is
   * returned as it is.
   */
  concat(name: string, inputs: readonly GraphNode[]): GraphNode {
    if (inputs.length === 1) return inputs[0];
    const shapes = inputs.map((node) => node.shape);
    expectSameSize(name, shapes);
    for (const shape of shapes.slice(0, -1)) {
      if (shape.channels % 4 !== 0)
        throw shapeError(name, `concat of ${shape.channels} channels, a multiple of 4 is needed`);
    }
    return this.#push(
      name,
      'concat',
      inputs,
      {},
      { ...shapes[0], channels: shapes.reduce((sum, shape) => sum + shape.channels, 0) },
    );
  }

  /** The graph with these outputs. */
  build(outputs: readonly GraphNode[]): Graph {
    return { nodes: [...this.#nodes], outputs: outputs.map((node) => node.id) };
  }

  #push(name: string, op: Op, inputs: readonly GraphNode[], attrs: object, shape: Shape): GraphNode {
    if (this.#names.has(name)) throw new Error(`graph: two nodes are named ${name}`);
    this.#names.add(name);
    const node: GraphNode = {
      id: this.#nodes.length,
      name,
      op,
      inputs: inputs.map((input) => input.id),
      attrs,
      shape,
      dtype: 'f32',
    };
    this.#nodes.push(node);
    return node;
  }
}

/**
 * Every tensor of the weights file that a graph reads, with its shape. @throws if two nodes read one tensor in
 * different shapes.
 */
export function graphTensors(graph: Graph): Map<string, readonly number[]> {
  const tensors = new Map<string, readonly number[]>();
  const add = ({ name, shape }: WeightTensor): void => {
    const known = tensors.get(name);
    if (known && known.join() !== shape.join())
      throw new Error(`graph: ${name} is read as [${known}] and as [${shape}]`);
    tensors.set(name, shape);
  };
  for (const node of graph.nodes) {
    if (computes(node)) kernelOf(node).weights?.(node.attrs, inputShapes(graph, node)).forEach(add);
  }
  return tensors;
}
