/**
 * A plan's edge to the CPU: which memory its inputs are written to and its outputs read from.
 *
 * There is one staging buffer for all inputs: the inputs of the next tile may be written as soon as those of this tile
 * have been copied to the plan's buffers. There are two readback buffers: the result of one tile is read while the next
 * tile computes.
 */
import { tensorBytes } from '../kernels/tensor.ts';
import type { View } from '../kernels/tensor.ts';
import type { Plan } from './plan.ts';

/** Number of results that can wait to be read. */
export const READBACKS = 2;

/** A plan's inputs: where the plan reads each, and where each is in the staging buffer. */
export function inputsOf({ graph, views }: Plan): { name: string; view: View; offset: number; bytes: number }[] {
  let end = 0;
  return graph.nodes
    .filter((node) => node.op === 'input')
    .map(({ id, name, shape }) => {
      const bytes = tensorBytes(shape);
      const offset = end;
      end += bytes;
      return { name, view: views[id], offset, bytes };
    });
}

/** Bytes of the staging buffer. */
export function stagingBytes(plan: Plan): number {
  return inputsOf(plan).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Bytes of a readback buffer, which holds the largest output. */
export function readbackBytes({ graph }: Plan): number {
  return Math.max(...graph.outputs.map((id) => tensorBytes(graph.nodes[id].shape)));
}

/** Bytes of all buffers at a plan's edge. */
export function edgeBytes(plan: Plan): number {
  return stagingBytes(plan) + READBACKS * readbackBytes(plan);
}
