/**
 * The end of a block of shared dilated convolutions: the last level's convolution at several dilations and the 1x1
 * convolution that merges its results become one step, so that the results are never stored. They are three times the
 * block's output (spec: D).
 */
import type { ConvAttrs } from '../../kernels/conv2d/index.ts';
import { negativeSlope } from '../../kernels/conv2d/activate.ts';
import { canMerge } from '../../kernels/dilatedMerge.ts';
import type { DilatedMergeAttrs } from '../../kernels/dilatedMerge.ts';
import { isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

/** The attributes of both convolutions in one, if they can be. */
function joined(runs: ConvAttrs, merge: ConvAttrs): DilatedMergeAttrs | undefined {
  const { dilation = 1, weights, channels, activation, slope } = runs;
  if (typeof dilation === 'number' || !runs.split || runs.kernel !== 3) return undefined;
  if (typeof weights !== 'string' || typeof merge.weights !== 'string') return undefined;
  const isPlain = [runs, merge].every(
    ({ read, store, groups = 1, activation: act }) => !read && !store && groups === 1 && act !== 'sigmoid',
  );
  if (!isPlain || merge.kernel !== 1 || merge.channels !== channels || negativeSlope(merge) !== negativeSlope(runs))
    return undefined;
  const attrs = { weights, merge: merge.weights, channels, dilations: dilation, activation, slope };
  return canMerge(attrs) ? attrs : undefined;
}

export const fuseMerge: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    const runs = graph.nodes[node.inputs[0]];
    if (node.op !== 'conv2d' || node.inputs.length !== 1 || runs.op !== 'conv2d' || runs.inputs.length !== 1)
      return undefined;
    const attrs = joined(runs.attrs as ConvAttrs, node.attrs as ConvAttrs);
    if (!attrs || !isOnlyFor(graph, runs.id, node)) return undefined;
    return add({ name: node.name, op: 'dilatedMerge', inputs: runs.inputs.map(at), attrs });
  });
