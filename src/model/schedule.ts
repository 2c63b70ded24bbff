/**
 * The schedule of a merge: which graphs run, and in which tiles, so that GPU buffers stay within a budget and the
 * device's limits. A pure function: `deghost plan` prints it without a device.
 */
import { bytesText, enoughBytesText } from '../bytesText.ts';
import { InputError } from '../errors.ts';
import { edgeBytes } from '../graph/edges.ts';
import { TILE_COPIES } from '../graph/frameStore.ts';
import { fuse } from '../graph/fuse/index.ts';
import type { FuseOptions } from '../graph/fuse/index.ts';
import type { Graph } from '../graph/graph.ts';
import { plan, planText } from '../graph/plan.ts';
import type { Plan } from '../graph/plan.ts';
import { chooseTiling } from '../image/tile.ts';
import type { TileRules, Tiling } from '../image/tile.ts';
import { shapeText } from '../kernels/tensor.ts';
import type { Capabilities, Target } from '../kernels/target.ts';
import type { NetworkConfig } from '../weights/config.ts';
import { PADDING, fusionGraph, plainMergeGraph, segmentationGraph } from './network.ts';
import type { Scene } from './part.ts';
import { partsOf } from './partsOf.ts';

/** What the device and the user allow, and the target of plans. */
export interface Limits extends Target {
  /** Most bytes of all GPU buffers together. */
  memoryBudget: number;
  /** Most bytes of one buffer that is bound whole. */
  maxBinding: number;
}

/** Default WebGPU limits (https://www.w3.org/TR/webgpu/#limits), which every device has. */
export const DEFAULT_MAX_BINDING = 128 * 1024 ** 2;
/** Limit for the bytes of a merge's GPU buffers where nothing is known of the device, or it is software. */
export const DEFAULT_MEMORY_BUDGET = 512 * 1024 ** 2;
/** The same on a GPU with such large buffers: a seventh less arithmetic at 24 megapixels, a quarter fewer bytes. */
const GPU_MEMORY_BUDGET = 2048 * 1024 ** 2;

/**
 * The default limit for the bytes of a merge's GPU buffers on a device. WebGPU does not tell how much memory a GPU has;
 * its largest buffer is a hint.
 */
export function defaultMemoryBudget({ cpu }: Capabilities, maxBufferSize: number): number {
  return cpu ? DEFAULT_MEMORY_BUDGET : Math.min(GPU_MEMORY_BUDGET, Math.max(DEFAULT_MEMORY_BUDGET, maxBufferSize));
}

export type StageName = 'segmentation' | 'fusion' | 'merge';

export interface Stage {
  name: StageName;
  tiling: Tiling;
  /** The plan of one tile; all tiles use the same plan. */
  plan: Plan;
  /** Bytes of GPU buffers while the stage runs, weights and frames included. */
  bytes: number;
  /** Whether whole frames and motion maps are on the device, not just a tile of each. */
  holdsAll: boolean;
}

/** A stage whose smallest tile exceeds the limits: the plan of that tile, and the bytes that it takes, as a stage's. */
type TooSmall = Pick<Stage, 'name' | 'plan' | 'bytes'>;

/** The error that names the smallest budget with which every stage runs. */
function tooSmall(stages: readonly TooSmall[], { memoryBudget, maxBinding }: Limits): InputError {
  const { name, plan, bytes } = stages.reduce((most, stage) => (stage.bytes > most.bytes ? stage : most));
  return new InputError(
    `memory budget ${bytesText(memoryBudget)} is too small: the smallest tile of the ${name} needs ` +
      `${enoughBytesText(bytes)} (largest buffer ${bytesText(plan.bytes.largest)} of ` +
      `${bytesText(maxBinding)})`,
    { problem: 'memory-budget', remedy: 'raise it' },
  );
}

/** What a merge runs: its stages in order, each with its tiles and the plan of one tile. */
export interface Schedule {
  width: number;
  height: number;
  /** The picture padded to the network's grid. */
  padded: { width: number; height: number };
  frames: number;
  reference: number;
  stages: readonly Stage[];
  limits: Limits;
}

/** The properties of a merge that its schedule depends on. */
export interface ScheduleRequest {
  /** Absent for the plain merge. */
  config?: NetworkConfig;
  width: number;
  height: number;
  /** tau_k, shortest first. */
  taus: readonly number[];
  reference: number;
  gamma: number;
  useResponse: boolean;
  /** Whether samples are linear light. */
  linear?: boolean;
  /** Whether a frame may lack data somewhere. */
  covered?: boolean;
  /** Added to the network's logits of motion. */
  logitShift?: number;
  /** Whether motion maps are given: then none need to be computed, and a merge without a network uses them. */
  motionGiven: boolean;
  /**
   * Bytes of a pixel of each array that goes to the device: frames' samples and coverage. By default those of frames of
   * 8 bits.
   */
  pixelBytes?: readonly number[];
  /** Bytes of GPU buffers besides those of the stages and the frames. */
  otherBytes?: number;
  /** The one stage to schedule, on tiles that bring their own pixels, because the size is a part's of a picture. */
  only?: StageName;
  limits: Limits;
}

interface StageRequest {
  name: StageName;
  rules: TileRules;
  /** Bytes of a pixel of all frames and motion maps that the stage reads. */
  pixelBytes: number;
  /** Whether they are on the device whole. */
  holdsAll: boolean;
  build: (width: number, height: number) => Graph;
}

/** Most of the memory budget that whole frames and maps may take. If they take more, tiles bring their own rows. */
const FRAMES_SHARE = 1 / 4;

/**
 * Most pixels of a tile where a software adapter merges without a network. Tiles without halos may be small, and the
 * first use of memory takes such an adapter longer than the arithmetic.
 */
const SOFTWARE_TILE = 1024 ** 2;

/** Bytes of GPU buffers that a plan needs: tensors, results, params, weights. */
function planBytes(plan: Plan, weightBytes: number): number {
  const params = plan.steps.length * 256;
  return plan.bytes.shared + edgeBytes(plan) + params + weightBytes;
}

/**
 * Upper bound for the bytes of a graph's packed weights: f32, channels padded to whole blocks, 3x3 kernels transformed
 * to 4x4 (Winograd).
 */
export function weightBytes(plan: Plan): number {
  let bytes = 0;
  for (const shape of plan.tensors.values())
    bytes += 4 * shape.reduce((product, n, i) => product * (i < 2 ? Math.ceil(n / 4) * 4 : n === 3 ? 4 : n), 1);
  return bytes;
}

/**
 * Cost of a byte that is read or written, in multiply-adds: three on a software adapter (8 G multiply-adds and 3 GB per
 * second), ten on a GPU, by an H100's data sheet (33 T, 3.35 TB). It only serves to compare plans of one graph.
 */
const BYTE_COST = { software: 3, gpu: 10 } as const;

/** Cost of a stage, in multiply-adds. */
function costOf(plan: Plan, tiling: Tiling, { capabilities }: Limits): number {
  const byte = BYTE_COST[capabilities?.cpu ? 'software' : 'gpu'];
  return tiling.tiles.length * plan.steps.reduce((total, step) => total + step.multiplyAdds + byte * step.bytes, 0);
}

/** Ways to fuse a stage; the cheaper one is taken. */
const FUSIONS: readonly Pick<FuseOptions, 'readsByFrame'>[] = [{ readsByFrame: false }, { readsByFrame: true }];

function scheduleStage(
  request: StageRequest,
  padded: { width: number; height: number },
  limits: Limits,
  otherWeights: number,
): Stage | TooSmall {
  const ways = request.name === 'fusion' ? FUSIONS : FUSIONS.slice(0, 1);
  const found = ways.map((way) => stageFused(request, way, padded, limits, otherWeights));
  const stages = found.filter((stage): stage is Stage => 'tiling' in stage);
  if (stages.length === 0)
    return found
      .filter((stage): stage is TooSmall => !('tiling' in stage))
      .reduce((least, stage) => (stage.bytes < least.bytes ? stage : least));
  return stages.reduce((best, stage) =>
    costOf(stage.plan, stage.tiling, limits) < costOf(best.plan, best.tiling, limits) ? stage : best,
  );
}

/** A stage fused in one way. */
function stageFused(
  { name, rules, build, pixelBytes, holdsAll }: StageRequest,
  way: FuseOptions,
  padded: { width: number; height: number },
  limits: Limits,
  otherWeights: number,
): Stage | TooSmall {
  const plans = new Map<string, Plan>();
  const planOf = (width: number, height: number): Plan => {
    const key = `${width}x${height}`;
    let known = plans.get(key);
    if (!known) plans.set(key, (known = plan(fuse(build(width, height), { ...limits, ...way }), limits)));
    return known;
  };
  // Buffers grow with a tile's pixels, so a small plan shows which sizes are worth planning.
  const probe = planOf(Math.min(padded.width, 16 * PADDING), Math.min(padded.height, 16 * PADDING));
  const pixels = Math.min(padded.width, 16 * PADDING) * Math.min(padded.height, 16 * PADDING);
  const weights = weightBytes(probe) + otherWeights;
  const roughly = (bytes: number): number => bytes / pixels;
  const frames = (size: number): number => pixelBytes * (holdsAll ? padded.width * padded.height : TILE_COPIES * size);
  const fits = (width: number, height: number): boolean => {
    const size = width * height;
    if (name === 'merge' && limits.capabilities?.cpu && size > SOFTWARE_TILE) return false;
    if (size * roughly(probe.bytes.largest) > limits.maxBinding * 1.001) return false;
    if (size * roughly(probe.bytes.shared) + weights + frames(size) > limits.memoryBudget * 1.001) return false;
    const found = planOf(width, height);
    return found.bytes.largest <= limits.maxBinding && planBytes(found, weights) + frames(size) <= limits.memoryBudget;
  };
  const tiling = chooseTiling(padded.width, padded.height, rules, fits);
  if (!tiling) {
    const side = 2 * rules.halo + rules.grid;
    const smallest = planOf(Math.min(padded.width, side), Math.min(padded.height, side));
    return { name, plan: smallest, bytes: planBytes(smallest, weights) + frames(side * side) };
  }
  const chosen = planOf(tiling.width, tiling.height);
  return {
    name,
    tiling,
    plan: chosen,
    bytes: planBytes(chosen, weights) + frames(tiling.width * tiling.height),
    holdsAll,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Schedules a merge.
 * @throws InputError if even the smallest tile exceeds the budget or the limits, naming both values.
 */
export function schedule(request: ScheduleRequest): Schedule {
  const { config, width, height, taus, reference, gamma, useResponse, linear, covered, logitShift, limits } = request;
  const up = (length: number): number => Math.ceil(length / PADDING) * PADDING;
  const padded = { width: up(width), height: up(height) };
  const scene = (w: number, h: number): Scene => ({
    taus,
    reference,
    gamma,
    useResponse,
    linear,
    covered,
    logitShift,
    motionGiven: request.motionGiven,
    width: w,
    height: h,
  });
  const { pixelBytes = taus.map(() => 3) } = request;
  const samples = sum(pixelBytes);
  const all = samples + (config || request.motionGiven ? 4 * taus.length : 0);
  const pixels = padded.width * padded.height;
  const holdsAll =
    !request.only &&
    pixels * all <= limits.memoryBudget * FRAMES_SHARE &&
    pixels * Math.max(4, ...pixelBytes) <= limits.maxBinding;
  const requests: StageRequest[] = [];
  if (!config) {
    requests.push({
      name: 'merge',
      pixelBytes: all,
      holdsAll,
      rules: { halo: 0, grid: 4 },
      build: (w, h) => plainMergeGraph(scene(w, h), request.motionGiven),
    });
  } else {
    const { segmentation, fusionTiles } = partsOf(config);
    if (segmentation && !request.motionGiven)
      requests.push({
        name: 'segmentation',
        // Maps that stay on the device are there from the first tile on.
        pixelBytes: holdsAll ? all : samples,
        holdsAll,
        rules: segmentation.tiles,
        build: (w, h) => segmentationGraph(config, scene(w, h)),
      });
    requests.push({
      name: 'fusion',
      pixelBytes: all,
      holdsAll,
      rules: fusionTiles,
      build: (w, h) => fusionGraph(config, scene(w, h)),
    });
  }
  const found: (Stage | TooSmall)[] = [];
  // Weights stay on the device, so a later stage also holds those of the earlier stages.
  let weights = request.otherBytes ?? 0;
  for (const stageRequest of requests) {
    if (request.only && request.only !== stageRequest.name) continue;
    const stage = scheduleStage(stageRequest, padded, limits, weights);
    weights += weightBytes(stage.plan);
    found.push(stage);
  }
  const stages = found.filter((stage): stage is Stage => 'tiling' in stage);
  if (stages.length < found.length)
    throw tooSmall(
      found.filter((stage) => !('tiling' in stage)),
      limits,
    );
  return { width, height, padded, frames: taus.length, reference, stages, limits };
}

/** Multiply-adds of a whole stage. */
export function stageWork(stage: Stage): number {
  return stage.plan.multiplyAdds * stage.tiling.tiles.length;
}

/** A schedule as readable text. */
export function scheduleText(schedule: Schedule, steps = true): string {
  const lines = [
    `${schedule.frames} frames of ${schedule.width}x${schedule.height}, reference ${schedule.reference + 1}, padded ` +
      `to ${schedule.padded.width}x${schedule.padded.height}`,
  ];
  for (const stage of schedule.stages) {
    const { tiling } = stage;
    const perPixel = stageWork(stage) / (schedule.padded.width * schedule.padded.height);
    lines.push(
      '',
      `${stage.name}: ${tiling.tiles.length} ${tiling.tiles.length === 1 ? 'tile' : 'tiles'} of ` +
        `${tiling.width}x${tiling.height}, ${((tiling.waste - 1) * 100).toFixed(1)} % computed twice for the halos`,
      `${stage.plan.steps.length} dispatches per tile, ${(stageWork(stage) / 1e9).toFixed(2)} G multiply-adds in all ` +
        `(${Math.round(perPixel).toLocaleString('en')} a pixel)`,
      `${bytesText(stage.bytes)} of GPU buffers, weights and frames included (budget ` +
        `${bytesText(schedule.limits.memoryBudget)}); the largest is ${bytesText(stage.plan.bytes.largest)} (limit ` +
        `${bytesText(schedule.limits.maxBinding)})`,
    );
    if (steps) lines.push(planText(stage.plan));
  }
  return lines.join('\n');
}

/** A step of a plan: one dispatch. */
export interface PlannedStep {
  /** Name of the network's layer, or of the layers fused into the step. */
  name: string;
  /** Which kernel and variant. */
  program: string;
  /** Its result's shape, `channels x height x width`. */
  output: string;
  /** The stage's buffer that holds the result, and the result's first block of four channels there. */
  buffer: number;
  block: number;
  multiplyAdds: number;
}

/** A stage of a merge: one graph over all its tiles. */
export interface PlannedStage {
  name: StageName;
  tiles: number;
  tileWidth: number;
  tileHeight: number;
  /** Computed pixels divided by the padded picture's pixels: above 1, because tiles overlap. */
  waste: number;
  dispatchesPerTile: number;
  /** Number of different programs among the steps. */
  programs: number;
  multiplyAdds: number;
  /** Bytes of GPU buffers while the stage runs, weights included. */
  bytes: number;
  largestBuffer: number;
  /** Bytes if every tensor had its own buffer. */
  unsharedBytes: number;
  /** Bytes of each buffer. */
  buffers: readonly number[];
  steps: PlannedStep[];
}

/** What a merge would run: plain data. */
export interface PlanReport {
  width: number;
  height: number;
  frames: number;
  reference: number;
  memoryBudget: number;
  /** Most bytes of one buffer that the device binds. */
  maxBinding: number;
  stages: PlannedStage[];
}

/** A schedule as plain data. */
export function scheduleReport(schedule: Schedule): PlanReport {
  return {
    width: schedule.width,
    height: schedule.height,
    frames: schedule.frames,
    reference: schedule.reference,
    memoryBudget: schedule.limits.memoryBudget,
    maxBinding: schedule.limits.maxBinding,
    stages: schedule.stages.map((stage) => ({
      name: stage.name,
      tiles: stage.tiling.tiles.length,
      tileWidth: stage.tiling.width,
      tileHeight: stage.tiling.height,
      waste: stage.tiling.waste,
      dispatchesPerTile: stage.plan.steps.length,
      programs: stage.plan.programs,
      multiplyAdds: stageWork(stage),
      bytes: stage.bytes,
      largestBuffer: stage.plan.bytes.largest,
      unsharedBytes: stage.plan.bytes.unshared,
      buffers: stage.plan.buffers,
      steps: stage.plan.steps.map((step) => ({
        name: step.name,
        program: step.dispatch.program.label,
        output: shapeText(step.output.shape),
        buffer: step.output.buffer,
        block: step.output.block,
        multiplyAdds: step.multiplyAdds,
      })),
    })),
  };
}
