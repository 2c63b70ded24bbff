/** What deghost's plan of some work costs: operations and bytes, from the plan itself. */
import type { Capabilities } from '../src/kernels/target.ts';
import { tensorBytes } from '../src/kernels/tensor.ts';
import type { Plan } from '../src/graph/plan.ts';
import { schedule } from '../src/model/schedule.ts';
import { DEFAULT_MEMORY_BUDGET } from '../src/model/schedule.ts';
import type { NetworkConfig } from '../src/weights/config.ts';

export interface Cost {
  /** Floating-point operations, a multiply-add being two. */
  operations: number;
  /** Bytes of the tensors that each dispatch reads and writes. */
  bytes: number;
}

/** One run of a plan. */
export function planCost(plan: Plan): Cost {
  const { nodes } = plan.graph;
  const bytes = plan.steps.reduce(
    (sum, { node }) => sum + [node, ...nodes[node].inputs].reduce((all, id) => all + tensorBytes(nodes[id].shape), 0),
    0,
  );
  return { operations: 2 * plan.multiplyAdds, bytes };
}

/** A merge with a network, all tiles together. */
export function mergeCost(
  config: NetworkConfig,
  width: number,
  height: number,
  taus: readonly number[],
  reference: number,
  maxBinding: number,
  capabilities: Capabilities,
): Cost {
  const limits = { memoryBudget: DEFAULT_MEMORY_BUDGET, maxBinding, capabilities };
  const { stages } = schedule({
    config,
    width,
    height,
    taus,
    reference,
    gamma: config.gamma,
    useResponse: false,
    motionGiven: false,
    limits,
  });
  const costs = stages.map(({ plan, tiling }) => ({ ...planCost(plan), tiles: tiling.tiles.length }));
  return {
    operations: costs.reduce((sum, cost) => sum + cost.operations * cost.tiles, 0),
    bytes: costs.reduce((sum, cost) => sum + cost.bytes * cost.tiles, 0),
  };
}
