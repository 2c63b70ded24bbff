/**
 * Exposure maths in the first layers' loads: `conv2d(encoderInput(stack))` and `conv2d(alignedPair(stack))` read the
 * stack themselves.
 */
import type { ConvAttrs, ConvRead } from '../../kernels/conv2d/index.ts';
import { isOnlyFor, rewrite } from './rewrite.ts';
import type { Pass } from './rewrite.ts';

const KINDS: Record<string, 'encoder' | 'pair'> = { encoderInput: 'encoder', alignedPair: 'pair' };

export const fuseFrames: Pass = (graph) =>
  rewrite(graph, (node, { add, at }) => {
    const input = graph.nodes[node.inputs[0]];
    const kind = input && KINDS[input.op];
    if (node.op !== 'conv2d' || !kind || !isOnlyFor(graph, input.id, node)) return undefined;
    const read = { kind, ...input.attrs } as ConvRead;
    return add({ ...node, inputs: input.inputs.map(at), attrs: { ...(node.attrs as ConvAttrs), read } });
  });
