/** Classes of the whole network, and times predicted from figures of them. No GPU. */
import { describe, expect, it } from 'vitest';
import { inputsOf } from '../../src/graph/edges.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Target } from '../../src/kernels/target.ts';
import { DEFAULT_MAX_BINDING, DEFAULT_MEMORY_BUDGET, schedule } from '../../src/model/schedule.ts';
import type { Schedule } from '../../src/model/schedule.ts';
import { classOf, stepClasses } from '../../src/tune/classes.ts';
import { predict } from '../../src/tune/predict.ts';
import { choicesOf } from '../../src/tune/result.ts';
import type { NetworkConfig } from '../../src/weights/config.ts';
import { ANY, FIXED } from '../cases/networks.ts';
import { tuneResult, tunedClass } from './samples.ts';

const TILE = { width: 64, height: 64 };
const TARGETS: [string, Target][] = [
  ['a GPU', {}],
  ['a GPU in f16', { capabilities: { f16: true }, precision: 'f16' }],
  ['a software adapter', { capabilities: { cpu: true, subgroupSize: 8, f16: true } }],
  ['a software adapter in f16', { capabilities: { cpu: true, subgroupSize: 8, f16: true }, precision: 'f16' }],
];
const CASES = TARGETS.flatMap(([what, target]) => [
  [`fixed on ${what}`, FIXED, 3, target] as const,
  [`any of 5 on ${what}`, ANY, 5, target] as const,
]);

function scheduled(config: NetworkConfig, frames: number, target: Target, width = 1000, height = 700): Schedule {
  const limits = { memoryBudget: DEFAULT_MEMORY_BUDGET, maxBinding: DEFAULT_MAX_BINDING, ...target };
  return schedule({
    config,
    width,
    height,
    taus: Array.from({ length: frames }, (_, k) => 4 ** k),
    reference: 1,
    gamma: 2.2,
    useResponse: true,
    motionGiven: false,
    limits,
  });
}

describe('stepClasses', () => {
  it.each(CASES)('has every class that a merge runs: %s', (_, config, frames, target) => {
    const classes = stepClasses(config, frames, TILE, target);
    const known = new Map(classes.map((kind) => [kind.name, kind]));
    expect(known.size).toBe(classes.length);
    for (const [width, height] of [
      [1000, 700],
      [6000, 4000],
    ]) {
      for (const step of scheduled(config, frames, target, width, height).stages.flatMap((stage) => stage.plan.steps)) {
        const kind = known.get(classOf(step));
        expect(kind, classOf(step)).toBeDefined();
        expect(kind!.implementations, kind!.name).toContain(step.implementation);
        expect(kind!.implementations[0] !== '', kind!.name).toBe(step.shapeClass !== '');
      }
    }
    const shares = classes.map(({ share }) => share);
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
  });

  it.each(CASES)('cuts each out so that it computes the same alone: %s', (_, config, frames, target) => {
    for (const { name, step, graph, implementations, multiplyAdds } of stepClasses(config, frames, TILE, target)) {
      for (const implementation of [implementations[0], implementations.at(-1)!]) {
        const alone = plan(graph, { ...target, choices: new Map([[name, implementation]]) });
        const own = alone.steps.filter((other) => other.name === step);
        expect(own, name).toHaveLength(1);
        expect(own[0], name).toMatchObject({ implementation, multiplyAdds });
        expect(classOf(own[0])).toBe(name);
        // Halves come and go as floats, by copies alone.
        expect(
          alone.steps.every((other) => other === own[0] || other.op === 'copy'),
          name,
        ).toBe(true);
        expect(inputsOf(alone).length, name).toBe(new Set(graph.nodes.find((node) => node.name === step)!.inputs).size);
        for (const id of graph.outputs) expect(graph.nodes[id].dtype, name).toBe('f32');
      }
    }
  });
});

describe('predict', () => {
  const target = TARGETS[2][1];

  it('is the sum of the steps of all tiles: multiply-adds where there are implementations, bytes elsewhere', () => {
    // Each class has its own rate, so that nothing can be mixed up.
    const classes = stepClasses(FIXED, 3, TILE, target).map(({ name, implementations, multiplyAdds, bytes }, i) =>
      tunedClass(
        name,
        Object.fromEntries(implementations.map((implementation, v) => [implementation, (i + 1) * (v + 2)])),
        implementations.at(-1),
        { multiplyAdds, bytes },
      ),
    );
    const tuning = tuneResult(classes);
    const merge = scheduled(FIXED, 3, { ...target, choices: choicesOf(tuning) });
    expect(merge.stages.some(({ tiling }) => tiling.tiles.length > 1)).toBe(true);
    const expected = merge.stages.map(({ plan: { steps }, tiling }) => {
      let ms = 0;
      for (const step of steps) {
        const i = classes.findIndex(({ name }) => name === classOf(step));
        const { multiplyAdds, bytes, candidates } = classes[i];
        const own = (i + 1) * (candidates.length + 1);
        ms += candidates.length > 1 ? (own / multiplyAdds) * step.multiplyAdds : (own / bytes) * step.bytes;
      }
      return ms * tiling.tiles.length;
    });
    const predicted = predict(merge, tuning)!;
    expect(predicted.unmeasured).toEqual([]);
    expect(predicted.stages.map(({ name }) => name)).toEqual(['segmentation', 'fusion']);
    predicted.stages.forEach(({ ms }, s) => expect(ms / expected[s]).toBeCloseTo(1, 9));
    expect(predicted.ms).toBeCloseTo(
      expected.reduce((a, b) => a + b, 0),
      3,
    );
  });

  it('takes the mean of the others for what was not measured, and names it', () => {
    const classes = stepClasses(FIXED, 3, TILE, target).map(({ name, implementations, multiplyAdds, bytes }) =>
      tunedClass(
        name,
        { [implementations[0]]: implementations.length > 1 ? multiplyAdds / 1e6 : bytes / 1e6 },
        implementations[0],
        { multiplyAdds, bytes },
      ),
    );
    const merge = scheduled(FIXED, 3, target);
    const whole = predict(merge, tuneResult(classes))!;
    const some = predict(merge, tuneResult(classes.filter((_, i) => i % 2 === 0)))!;
    // All have one rate, so that the mean is right.
    expect(some.ms / whole.ms).toBeCloseTo(1, 9);
    expect(some.classes).toBe(whole.classes);
    expect(some.unmeasured.length).toBeGreaterThan(3);
    expect(some.unmeasured.every((name) => classes.findIndex((other) => other.name === name) % 2 === 1)).toBe(true);
  });

  it('knows nothing where no implementation that runs was timed', () => {
    const merge = scheduled(FIXED, 3, target);
    expect(predict(merge, tuneResult([]))).toBeUndefined();
    expect(predict(merge, tuneResult([tunedClass('one', { a: null })]))).toBeUndefined();
  });
});
