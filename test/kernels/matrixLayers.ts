/** The shipped networks' convolutions, with their code in variants on matrix units. */
import { fuse } from '../../src/graph/fuse/index.ts';
import { inputShapes, kernelOf } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Step } from '../../src/graph/plan.ts';
import { implementationsOf } from '../../src/kernels/kernel.ts';
import type { Target } from '../../src/kernels/target.ts';
import type { View } from '../../src/kernels/tensor.ts';
import { fusionGraph, segmentationGraph } from '../../src/model/network.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { FIXED } from '../cases/networks.ts';
import { isMatrixName } from './matrixChecks.ts';

export interface Lowered {
  step: Step;
  inputs: View[];
  /** Its code in each variant on matrices. */
  codes: string[];
}

function convolutionsOf(config: NetworkConfig, frames: number, target: Target): Lowered[] {
  const taus = Array.from({ length: frames }, (_, k) => 4 ** k);
  const scene = { taus, reference: 1, gamma: 2.2, useResponse: true, width: 64, height: 64 };
  const ways = [
    { graph: segmentationGraph(config, scene), readsByFrame: false },
    ...[false, true].map((readsByFrame) => ({ graph: fusionGraph(config, scene), readsByFrame })),
  ];
  return ways.flatMap(({ graph, readsByFrame }) => {
    const planned = plan(fuse(graph, { ...target, readsByFrame }), target);
    const steps = planned.steps.filter((step) => step.op === 'conv2d');
    return steps.map((step): Lowered => {
      const node = planned.graph.nodes[step.node];
      const shapes = inputShapes(planned.graph, node);
      const inputs = node.inputs.map((id) => planned.views[id]);
      const names = implementationsOf(kernelOf(node), node.attrs, shapes, target)
        .map((implementation) => implementation.name)
        .filter(isMatrixName);
      const codes = names.map((variant) => {
        const chosen = plan(planned.graph, { ...target, choices: new Map([[step.shapeClass, variant]]) }).steps.find(
          (other) => other.node === step.node,
        )!;
        if (chosen.implementation !== variant)
          throw new Error(`${step.name} runs with ${chosen.implementation} in place of ${variant}`);
        return chosen.dispatch.program.source;
      });
      return { step, inputs, codes };
    });
  });
}

/** The convolutions of both networks, in every way that they are fused. */
export function convolutions(target: Target): Lowered[] {
  return [
    ...convolutionsOf(FIXED, 3, target),
    ...convolutionsOf({ ...FIXED, variant: 'any', base: 'none' }, 5, target),
  ];
}
