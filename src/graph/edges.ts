/** A plan's edge: its inputs, and how its results come back to the CPU. */
import { tensorBytes } from '../kernels/tensor.ts';
import type { View } from '../kernels/tensor.ts';
import type { Plan } from './plan.ts';

/** Number of results that can wait to be read: one is read while the next is computed. */
export const READBACKS = 2;

/** A plan's inputs, and where the plan reads each. */
export function inputsOf({ graph, views }: Plan): { name: string; view: View; bytes: number }[] {
  return graph.nodes
    .filter((node) => node.op === 'input')
    .map(({ id, name, shape }) => ({ name, view: views[id], bytes: tensorBytes(shape) }));
}

/** Bytes of a tile's result as the CPU reads it: floats, without padded channels. */
export function resultBytes({ graph }: Plan): number {
  const { channels, height, width } = graph.nodes[graph.outputs[0]].shape;
  return 4 * channels * height * width;
}

/** Bytes of all buffers at a plan's edge: the result in its layout and its flag, and each that can wait to be read. */
export function edgeBytes(plan: Plan): number {
  return (1 + READBACKS) * (resultBytes(plan) + 4);
}
