/**
 * Plans of the whole network: live tensors never overlap, concats are tiled exactly, no step binds a buffer both ways,
 * and everything fits default WebGPU limits. No GPU.
 */
import { describe, expect, it } from 'vitest';
import { fuse } from '../../src/graph/fuse/index.ts';
import { computes, resultsOf } from '../../src/graph/graph.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { updated } from '../../src/graph/place.ts';
import { plan, planText } from '../../src/graph/plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { blocks, texelBytes } from '../../src/kernels/tensor.ts';
import type { Target } from '../../src/kernels/target.ts';
import { fusionGraph, plainMergeGraph, segmentationGraph } from '../../src/model/network.ts';
import type { Scene } from '../../src/model/part.ts';
import {
  DEFAULT_MAX_BINDING,
  DEFAULT_MEMORY_BUDGET,
  schedule,
  scheduleReport,
  scheduleText,
  stageWork,
} from '../../src/model/schedule.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { ANY, FIXED as CONFIG } from '../cases/networks.ts';

const GATE = { codes: 2, relative: 0.06, low: 0.004, high: 0.02 };

function scene(frames: number, reference: number): Scene {
  return {
    taus: Array.from({ length: frames }, (_, k) => 4 ** k),
    reference,
    width: 48,
    height: 32,
    gamma: 2.2,
    useResponse: true,
  };
}

const GRAPHS: [string, Graph][] = [
  ['segmentation of fixed', segmentationGraph(CONFIG, scene(3, 1))],
  ['gated segmentation of fixed', segmentationGraph({ ...CONFIG, gate: GATE }, scene(3, 1))],
  ['gated segmentation of any 9', segmentationGraph({ ...ANY, gate: GATE }, scene(9, 4))],
  ['fusion of fixed', fusionGraph(CONFIG, scene(3, 0))],
  ['segmentation of any 2', segmentationGraph(ANY, scene(2, 0))],
  ['fusion of any 2', fusionGraph(ANY, scene(2, 1))],
  ['segmentation of any 16', segmentationGraph(ANY, scene(16, 7))],
  ['fusion of any 16', fusionGraph(ANY, scene(16, 7))],
  ['plain merge of 9', plainMergeGraph(scene(9, 4))],
];

/** Graphs as the network is written, and fused for every kind of target. */
const TARGETS: [string, Target & { readsByFrame?: boolean }][] = [
  ['a GPU', {}],
  ['a GPU, reads by frame', { readsByFrame: true }],
  ['a software adapter', { capabilities: { cpu: true, subgroupSize: 8 } }],
  ['a GPU in f16', { precision: 'f16', capabilities: { f16: true }, readsByFrame: true }],
];
const PLANS: [string, Graph, Target][] = GRAPHS.flatMap(([name, graph]): [string, Graph, Target][] => [
  [`${name}, unfused`, graph, {}],
  ...TARGETS.map(([what, target]): [string, Graph, Target] => [`${name}, for ${what}`, fuse(graph, target), target]),
]);

/** Bytes [from, to) of a node's tensor in its buffer. */
function range(planned: Plan, id: number): [number, number] {
  const { shape, block, dtype } = planned.views[id];
  const plane = shape.height * shape.width * texelBytes(dtype);
  return [block * plane, (block + blocks(shape.channels)) * plane];
}

/**
 * Simulates a plan: each byte range holds the tensor last written to it, and every kernel must find its inputs there.
 */
function simulate(planned: Plan): void {
  const { nodes, outputs } = planned.graph;
  const held: { buffer: number; from: number; to: number; node: number }[] = [];
  const write = (id: number): void => {
    const [from, to] = range(planned, id);
    const { buffer } = planned.views[id];
    expect(to, nodes[id].name).toBeLessThanOrEqual(planned.buffers[buffer]);
    for (let i = held.length - 1; i >= 0; i--)
      if (held[i].buffer === buffer && held[i].from < to && from < held[i].to) held.splice(i, 1);
    held.push({ buffer, from, to, node: id });
  };
  const check = (id: number, reader: string): void => {
    const node = nodes[id];
    if (node.op === 'concat') {
      let [at, end] = range(planned, id);
      for (const part of node.inputs) {
        expect(range(planned, part)[0], `${reader}: ${nodes[part].name} in ${node.name}`).toBe(at);
        expect(planned.views[part].buffer).toBe(planned.views[id].buffer);
        at = range(planned, part)[1];
        check(part, reader);
      }
      expect(at, `${node.name} is tiled exactly`).toBe(end);
      return;
    }
    const [from, to] = range(planned, id);
    if (node.op === 'slice') {
      const whole = range(planned, node.inputs[0]);
      expect(planned.views[id].buffer).toBe(planned.views[node.inputs[0]].buffer);
      expect(from, `${node.name} is a part`).toBeGreaterThanOrEqual(whole[0]);
      expect(to, `${node.name} is a part`).toBeLessThanOrEqual(whole[1]);
      return check(node.inputs[0], reader);
    }
    const found = held.find(
      (h) => h.node === id && h.buffer === planned.views[id].buffer && h.from === from && h.to === to,
    );
    expect(found, `${reader} finds ${node.name}`).toBeDefined();
  };
  for (const node of nodes) {
    if (node.op === 'input') write(node.id);
    if (!computes(node)) continue;
    node.inputs.forEach((input) => check(input, node.name));
    write(node.id);
    resultsOf(planned.graph, node).forEach((result) => write(result.id));
  }
  outputs.forEach((id) => check(id, 'the caller'));
}

describe.each(PLANS)('plan of %s', (_, graph, target) => {
  const planned = plan(graph, target);

  it('keeps every tensor whole until its last reader', () => simulate(planned));

  it('binds no buffer both ways in one step', () => {
    for (const step of planned.steps) {
      const { program, resources } = step.dispatch;
      const bound = Object.entries(program.bindings).map(([name, { access }]) => ({
        access,
        resource: resources[name],
      }));
      const written = bound
        .filter(({ access }) => access === 'read_write')
        .map(({ resource }) => (resource.kind === 'buffer' ? resource.buffer : -1));
      expect(new Set(written).size, `${step.name} writes a buffer once`).toBe(written.length);
      for (const { access, resource } of bound) {
        if (access === 'read' && resource.kind === 'buffer') expect(written, step.name).not.toContain(resource.buffer);
      }
      expect(bound.length, `${step.name}: storage buffers of a stage`).toBeLessThanOrEqual(8);
    }
  });

  it('copies nothing, and shares memory', () => {
    expect(planned.graph.nodes.filter((node) => node.op === 'copy')).toEqual([]);
    expect(planned.bytes.shared).toBeLessThanOrEqual(planned.bytes.unshared);
    expect(planned.bytes.shared).toBe(planned.buffers.reduce((a, b) => a + b, 0));
  });
});

describe('plan', () => {
  it('counts multiply-adds as the spec does', () => {
    const perPixel = (config: NetworkConfig, frames: number): number => {
      const s = scene(frames, Math.floor((frames - 1) / 2));
      return (
        (plan(segmentationGraph(config, s)).multiplyAdds + plan(fusionGraph(config, s)).multiplyAdds) /
        (s.width * s.height)
      );
    };
    expect(perPixel(CONFIG, 3)).toBe(708416);
    expect([2, 3, 5, 9].map((n) => perPixel(ANY, n))).toEqual([606480, 689216, 854688, 1185632]);
  });

  it.each(TARGETS)('needs few programs for %s', (_, target) => {
    const s = scene(3, 1);
    const steps = [segmentationGraph(CONFIG, s), fusionGraph(CONFIG, s)].flatMap(
      (graph) => plan(fuse(graph, target), target).steps,
    );
    expect(new Set(steps.map((step) => step.dispatch.program.source)).size).toBeLessThanOrEqual(20);
  });

  it('takes the variant that was chosen for a class, and the first where the chosen one is missing', () => {
    const graph = segmentationGraph(CONFIG, scene(3, 1));
    const [, step] = plan(graph).steps;
    const chosen = plan(graph, {
      choices: new Map([
        [step.shapeClass, 'direct 2x2x8'],
        ['conv2d 3x3 16>16', 'subgroup 2x2x32'],
      ]),
    }).steps;
    expect(chosen[1]).toMatchObject({ name: 's.1.enc1.1', implementation: 'direct 2x2x8' });
    expect(chosen[1].dispatch.program.label).toBe('conv2d 3x3 direct 2x2x8');
    expect(chosen[2]).toMatchObject({
      name: 's.1.enc1.2',
      shapeClass: 'conv2d 3x3 16>16',
      implementation: plan(graph).steps[2].implementation,
    });
  });

  it('reuses the state it updates', () => {
    const graph = fusionGraph(ANY, scene(5, 2));
    const planned = plan(graph);
    for (const node of graph.nodes) {
      const before = updated(graph, node);
      if (before)
        expect(planned.views[node.id]).toMatchObject({
          buffer: planned.views[before.id].buffer,
          block: planned.views[before.id].block,
        });
    }
  });

  it('gates all frames in eight steps of three programs, always in f32', () => {
    const targets: Target[] = [{}, { precision: 'f16', capabilities: { f16: true } }];
    for (const [config, frames, target] of [
      [CONFIG, 3],
      [ANY, 5],
      [ANY, 16],
    ].flatMap(([config, n]) => targets.map((to) => [config, n, to] as [NetworkConfig, number, Target]))) {
      const [gated, free] = [{ ...config, gate: GATE }, config].map((variant) =>
        plan(fuse(segmentationGraph(variant, scene(frames, 1)), target), target),
      );
      const steps = gated.steps.slice(free.steps.length);
      expect(gated.steps.slice(0, free.steps.length).map(({ name }) => name)).toEqual(
        free.steps.map(({ name }) => name),
      );
      expect(steps.map(({ name }) => name)).toEqual([
        'gate evidence',
        ...[
          ['mean', 5],
          ['maximum', 9],
          ['mean', 9],
        ].flatMap(([of, size]) => ['x', 'y'].map((axis) => `gate ${of} of ${size} in ${axis}`)),
        'masks gated',
      ]);
      expect(new Set(steps.map((step) => step.dispatch.program.source)).size).toBe(3);
      expect(steps.map(({ output }) => output.dtype)).toEqual(steps.map(() => 'f32'));
      // The frames are needed to the end.
      expect(gated.bytes.shared).toBeLessThanOrEqual(1.11 * free.bytes.shared);
    }
  });

  it('prints its steps and totals', () => {
    const text = planText(plan(segmentationGraph(CONFIG, scene(3, 1))));
    expect(text).toMatch(/s\.1\.enc1\.1 +conv2d 3x3/);
    expect(text).toMatch(/\d+ dispatches of \d+ programs/);
    expect(text).toMatch(/MiB|KiB/);
  });
});

describe('schedule', () => {
  const limits = { memoryBudget: DEFAULT_MEMORY_BUDGET, maxBinding: DEFAULT_MAX_BINDING };
  const request = (width: number, height: number, config: NetworkConfig | null = CONFIG, frames = 3) => ({
    config: config ?? undefined,
    width,
    height,
    taus: Array.from({ length: frames }, (_, k) => 2 ** k),
    reference: 1,
    gamma: 2.2,
    useResponse: true,
    motionGiven: false,
    limits,
  });

  it.each([
    [1, 1],
    [17, 1000],
    [536, 356],
    [6000, 4000],
    [9504, 6336],
    [60000, 1000],
  ])('fits %ix%i into default limits', (width, height) => {
    for (const [config, frames, capabilities] of [
      [CONFIG, 3, {}],
      [CONFIG, 3, { cpu: true, subgroupSize: 4 }],
      [ANY, 16, {}],
      [null, 16, {}],
    ] as const) {
      const scheduled = schedule({ ...request(width, height, config, frames), limits: { ...limits, capabilities } });
      for (const stage of scheduled.stages) {
        expect(stage.bytes).toBeLessThanOrEqual(limits.memoryBudget);
        expect(Math.max(...stage.plan.buffers)).toBeLessThanOrEqual(limits.maxBinding);
        for (const { dispatch } of stage.plan.steps)
          expect(Math.max(...dispatch.workgroups)).toBeLessThanOrEqual(65535);
        const covered = stage.tiling.tiles.reduce(
          (sum, { x, y }) => sum + (x.coreEnd - x.coreStart) * (y.coreEnd - y.coreStart),
          0,
        );
        expect(covered).toBe(scheduled.padded.width * scheduled.padded.height);
      }
    }
  });

  it('says so when no tile fits', () => {
    expect(() => schedule({ ...request(3000, 2000), limits: { ...limits, memoryBudget: 2 ** 20 } })).toThrow(
      /^memory budget 1.0 MiB is too small: the smallest tile of the fusion needs [\d.]+ MiB .*: raise it$/,
    );
  });

  it.each([
    [CONFIG, 0, {}],
    [CONFIG, 5e6, { cpu: true, subgroupSize: 4 }],
    [ANY, 0, {}],
    [null, 1e6, {}],
  ] as const)('names a budget that is just enough (%#)', (config, otherBytes, capabilities) => {
    const scheduled = (memoryBudget: number): unknown =>
      schedule({ ...request(3000, 2000, config), otherBytes, limits: { ...limits, capabilities, memoryBudget } });
    const tooSmall = /needs ([\d.]+) (KiB|MiB)/;
    let message = '';
    try {
      scheduled(1);
    } catch (error) {
      message = (error as Error).message;
    }
    const [, number, unit] = tooSmall.exec(message)!;
    const needed = Number(number) * (unit === 'KiB' ? 1024 : 1024 ** 2);
    expect(() => scheduled(needed)).not.toThrow();
    expect(() => scheduled(0.98 * needed)).toThrow(tooSmall);
  });

  it('skips segmentation where maps are given, and the network for the plain merge', () => {
    expect(schedule({ ...request(100, 100), motionGiven: true }).stages.map((s) => s.name)).toEqual(['fusion']);
    expect(schedule(request(100, 100, null)).stages.map((s) => s.name)).toEqual(['merge']);
  });

  it('prints itself for people and machines', () => {
    const scheduled = schedule(request(6000, 4000));
    expect(scheduleText(scheduled, false)).toMatch(/fusion: \d+ tiles of \d+x\d+, [\d.]+ % computed twice/);
    const json = scheduleReport(scheduled);
    expect(json.stages.map((s) => s.multiplyAdds)).toEqual(scheduled.stages.map(stageWork));
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
