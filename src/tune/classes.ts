/**
 * The classes of steps in a network's merge. One step represents each class: cut out of its graph, it runs alone on its
 * own inputs.
 */
import { fuse } from '../graph/fuse/index.ts';
import { resultsOf } from '../graph/graph.ts';
import type { Graph, GraphNode } from '../graph/graph.ts';
import { inputShapes, kernelOf } from '../graph/graph.ts';
import { implementationsOf } from '../kernels/kernel.ts';
import { plan } from '../graph/plan.ts';
import type { Plan, Step } from '../graph/plan.ts';
import type { Target } from '../kernels/target.ts';
import type { DType } from '../kernels/tensor.ts';
import { fusionGraph, segmentationGraph } from '../model/network.ts';
import { partsOf } from '../model/partsOf.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { addTunedMethods } from './methods.ts';

export interface StepClass {
  name: string;
  /** Names of the implementations, the default first; one empty name if the kernel has only one. */
  implementations: readonly string[];
  /** Share of a merge's multiply-adds. */
  share: number;
  /** Of the step that represents the class. */
  multiplyAdds: number;
  bytes: number;
  /** That step's name, and the graph that holds it alone. */
  step: string;
  graph: Graph;
}

/** A step's class. */
export function classOf({ shapeClass, dispatch }: Pick<Step, 'shapeClass' | 'dispatch'>): string {
  return shapeClass || dispatch.program.label;
}

/**
 * A graph of one node: the node's inputs become the graph's inputs, its results the outputs. A graph's inputs and
 * outputs are f32, so halves are converted.
 */
export function alone(graph: Graph, id: number): Graph {
  const nodes: GraphNode[] = [];
  const push = (node: Omit<GraphNode, 'id'>): GraphNode => {
    nodes.push({ ...node, id: nodes.length });
    return nodes[nodes.length - 1];
  };
  const converted = (node: GraphNode, dtype: DType): number =>
    node.dtype === dtype
      ? node.id
      : push({ name: `${node.name} as ${dtype}`, op: 'copy', inputs: [node.id], attrs: {}, shape: node.shape, dtype })
          .id;
  const node = graph.nodes[id];
  const inputs = new Map<number, number>();
  for (const input of node.inputs) {
    if (inputs.has(input)) continue;
    const { shape, dtype } = graph.nodes[input];
    inputs.set(
      input,
      converted(push({ name: `input ${inputs.size}`, op: 'input', inputs: [], attrs: {}, shape, dtype: 'f32' }), dtype),
    );
  }
  const single = push({ ...node, inputs: node.inputs.map((input) => inputs.get(input)!) });
  const results = resultsOf(graph, node).map((result) => push({ ...result, inputs: [single.id] }));
  return { outputs: [single, ...results].map((output) => converted(output, 'f32')), nodes };
}

/** Plans of one tile, for all ways in which the schedule may fuse it. */
function tilePlans(
  config: NetworkConfig,
  frames: number,
  tile: { width: number; height: number },
  target: Target,
): { segmentation: Plan[]; fusions: Plan[] } {
  const taus = Array.from({ length: frames }, (_, k) => 4 ** k);
  const scene = { taus, reference: (frames - 1) >> 1, gamma: config.gamma, useResponse: true, ...tile };
  const planned = (graph: Graph, readsByFrame: boolean): Plan => plan(fuse(graph, { ...target, readsByFrame }), target);
  return {
    segmentation: partsOf(config).segmentation ? [planned(segmentationGraph(config, scene), false)] : [],
    fusions: [false, true].map((readsByFrame) => planned(fusionGraph(config, scene), readsByFrame)),
  };
}

/**
 * The tile in which implementations are compared: large enough for the smallest layers to have several tiles of
 * registers. On a software adapter steps are timed in it, too; for GPUs see largerTiles.ts.
 */
export const CHECKED_TILE = { width: 128, height: 128 };

/** All classes of a network's merge, sorted by their share of the multiply-adds, then by bytes, largest first. */
export function stepClasses(
  config: NetworkConfig,
  frames: number,
  tile: { width: number; height: number },
  target: Target,
): StepClass[] {
  addTunedMethods();
  const { segmentation, fusions } = tilePlans(config, frames, tile, target);
  const found = new Map<string, { step: Step; graph: Graph; work: number[] }>();
  const plans = [...segmentation.map((one) => ({ ...one, p: 0 })), ...fusions.map((one, i) => ({ ...one, p: i + 1 }))];
  plans.forEach(({ steps, graph, p }) => {
    for (const step of steps) {
      const name = classOf(step);
      const known = found.get(name);
      const isLarger = known && (step.multiplyAdds - known.step.multiplyAdds || step.bytes - known.step.bytes) > 0;
      const work = known?.work ?? [0, 0, 0];
      work[p] += step.multiplyAdds;
      if (!known || isLarger) found.set(name, { step, graph, work });
    }
  });
  // A merge uses only one of the ways to fuse.
  const total = ([segmented, ...ways]: readonly number[]): number => segmented + Math.max(...ways);
  const all = [...found.values()].reduce((sum, { work }) => sum + total(work), 0);
  const classes = [...found].map(([name, { step, graph, work }]): StepClass => {
    const node = graph.nodes[step.node];
    const implementations = implementationsOf(kernelOf(node), node.attrs, inputShapes(graph, node), target).map(
      (implementation) => implementation.name,
    );
    return {
      name,
      implementations,
      share: all ? total(work) / all : 0,
      multiplyAdds: step.multiplyAdds,
      bytes: step.bytes,
      step: node.name,
      graph: alone(graph, node.id),
    };
  });
  return classes.sort((a, b) => b.share - a.share || b.bytes - a.bytes);
}
