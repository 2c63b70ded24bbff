/**
 * The bytes that a schedule's dispatches move, by stage and by kind of program, as its tensors say: what a dispatch
 * reads and writes, each tensor once, in every tile with its halo. Weights are not counted: all workgroups read the
 * same, and caches hold them. Neither is what one dispatch reads again from a cache.
 */
import { inputsOf, resultBytes } from '../graph/edges.ts';
import type { Plan, Step } from '../graph/plan.ts';
import { dilationsOf, layersOf } from '../kernels/conv2d/attrs.ts';
import type { ConvAttrs } from '../kernels/conv2d/attrs.ts';
import type { KernelName } from '../kernels/index.ts';
import { tensorBytes } from '../kernels/tensor.ts';
import { WRITERS } from './memory.ts';
import type { Schedule, StageName } from './schedule.ts';

/** Kinds of programs, by what moves their bytes. */
export type TrafficKind =
  | '3x3'
  | '3x3 dilated'
  | '1x1'
  | 'memory writes'
  | 'memory reads'
  | 'pool and upsample'
  | 'masks'
  | 'residual sums'
  | 'frames and picture'
  | 'copies';

/** Bytes that some dispatches and copies move. */
export interface Traffic {
  dispatches: number;
  bytesRead: number;
  bytesWritten: number;
}

export interface StageTraffic extends Traffic {
  name: StageName;
  /** Kinds that occur. */
  kinds: (Traffic & { kind: TrafficKind })[];
}

/** What all stages move. */
export interface ScheduleTraffic {
  bytes: number;
  stages: StageTraffic[];
}

function convKind(attrs: ConvAttrs): TrafficKind {
  if (layersOf(attrs).every((name) => name.startsWith(WRITERS))) return 'memory writes';
  if (attrs.kernel === 1) return '1x1';
  return dilationsOf(attrs).some((dilation) => dilation > 1) ? '3x3 dilated' : '3x3';
}

/** The kind of each kernel but the convolution. */
const KINDS: Record<Exclude<KernelName, 'conv2d'>, TrafficKind> = {
  maxPool: 'pool and upsample',
  upsample: 'pool and upsample',
  encoderInput: 'frames and picture',
  alignedPair: 'frames and picture',
  picture: 'frames and picture',
  differenceMasks: 'masks',
  residual: 'residual sums',
  collectMask: 'masks',
  gateEvidence: 'masks',
  gateWindow: 'masks',
  gateMasks: 'masks',
  coveredMasks: 'masks',
  coveredStack: 'masks',
  maskMultiply: 'masks',
  blend: 'masks',
  meanMax: 'memory writes',
  groupedRead: 'memory reads',
  memoryRead: 'memory reads',
  dilatedMerge: '3x3 dilated',
  copy: 'copies',
};

/** The kind of a plan's step. */
export function kindOf({ graph }: Plan, { op, node }: Pick<Step, 'op' | 'node'>): TrafficKind {
  return op === 'conv2d' ? convKind(graph.nodes[node].attrs as ConvAttrs) : KINDS[op as keyof typeof KINDS];
}

/** Cutting a tile from frames of 8 bits and motion maps, and taking its result. */
function edgeTraffic(plan: Plan): Traffic {
  const inputs = inputsOf(plan).reduce((sum, input) => sum + input.bytes, 0);
  const result = resultBytes(plan);
  const outputs = plan.graph.outputs.reduce((sum, id) => sum + tensorBytes(plan.graph.nodes[id].shape), 0);
  // Of a pixel's 16 bytes in the stack, 3 are read as samples and 4 as a map.
  return { dispatches: 0, bytesRead: (7 / 16) * inputs + outputs + result, bytesWritten: inputs + 2 * result };
}

/** The sum of some traffic. */
export function trafficSum(parts: readonly Traffic[]): Traffic {
  const sum = { dispatches: 0, bytesRead: 0, bytesWritten: 0 };
  for (const { dispatches, bytesRead, bytesWritten } of parts) {
    sum.dispatches += dispatches;
    sum.bytesRead += bytesRead;
    sum.bytesWritten += bytesWritten;
  }
  return sum;
}

/** The traffic of a whole schedule. */
export function trafficOf({ stages }: Schedule): ScheduleTraffic {
  const found = stages.map(({ name, plan, tiling }): StageTraffic => {
    const kinds = new Map<TrafficKind, Traffic[]>();
    const add = (kind: TrafficKind, traffic: Traffic): void =>
      void kinds.set(kind, [...(kinds.get(kind) ?? []), traffic]);
    for (const step of plan.steps) add(kindOf(plan, step), { ...step, dispatches: 1 });
    add('copies', edgeTraffic(plan));
    const count = tiling.tiles.length;
    const rows = [...kinds].map(([kind, parts]) => {
      const { dispatches, bytesRead, bytesWritten } = trafficSum(parts);
      return {
        kind,
        dispatches: dispatches * count,
        bytesRead: bytesRead * count,
        bytesWritten: bytesWritten * count,
      };
    });
    return { name, ...trafficSum(rows), kinds: rows };
  });
  return {
    bytes: found.reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, 0),
    stages: found,
  };
}
