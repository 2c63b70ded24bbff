/**
 * The tuner on the test adapter, on kinds of steps that a software adapter compiles fast; and that merges use what it
 * chose.
 */
import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/device.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { Runner } from '../../src/graph/runner.ts';
import { Deghoster, UsageError } from '../../src/index.ts';
import type { DeghosterOptions } from '../../src/index.ts';
import { loadWeights } from '../../src/model/loadWeights.ts';
import { readGolden } from '../reference/goldens.ts';
import { DeviceBench } from '../../src/tune/bench.ts';
import type { Bench } from '../../src/tune/bench.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import type { StepClass } from '../../src/tune/classes.ts';
import { tuneKey } from '../../src/tune/key.ts';
import { isTuneResult } from '../../src/tune/result.ts';
import { tune, tuneClasses } from '../../src/tune/tune.ts';
import { testDevice, testGpu } from '../gpu.ts';
import { tuneResult, tunedClass } from './samples.ts';

const golden = readGolden('fixed-merge-r0');
const { config } = await loadWeights(golden.weightsBytes);
const TILE = { width: 32, height: 32 };
/** Two kinds with implementations, of which the second adds to its state in place, and one with one way. */
const LOGITS = 'conv2d 1x1 24>3 picture';
const READ = 'groupedRead 4 slots, 3 readers';
const ONE_WAY = 'blend';

describe('tune', () => {
  it('times all implementations of a class, which agree, and steps of one way', async () => {
    const device = await testDevice();
    const { capabilities } = new Gpu(device);
    const tuned = await tune({
      device,
      config,
      frames: 3,
      tile: TILE,
      filter: (name) => [LOGITS, READ, ONE_WAY].includes(name),
    });
    expect(isTuneResult(tuned)).toBe(true);
    expect(tuned.key).toBe(tuneKey(device.adapterInfo, { capabilities, precision: 'f32' }));
    expect(tuned).toMatchObject({
      precision: 'f32',
      tile: TILE,
      timestamps: device.features.has('timestamp-query'),
      unreached: [],
    });
    expect(new Map(tuned.classes.map(({ name, isTuned }) => [name, isTuned]))).toEqual(
      new Map([
        [LOGITS, true],
        [READ, true],
        [ONE_WAY, false],
      ]),
    );
    for (const { name, candidates, chosen, bytes } of tuned.classes) {
      for (const { ms, implementation, error } of candidates)
        expect(ms, `${name} ${implementation}: ${error}`).toBeGreaterThan(0);
      expect(candidates.map(({ implementation }) => implementation)).toContain(chosen);
      expect(bytes).toBeGreaterThan(0);
    }
  });

  it('rejects an implementation that computes something else', async () => {
    const device = await testDevice();
    const { capabilities } = new Gpu(device);
    const [logits] = stepClasses(config, 3, TILE, { capabilities }).filter(({ name }) => name === LOGITS);
    const bench = new DeviceBench(device, { capabilities }, false);
    const [first, second] = logits.implementations;
    // The second implementation's last value is wrong by a thousandth.
    const doctored: Bench = {
      open: async (kind) => {
        const { run, ...others } = await bench.open(kind);
        return {
          ...others,
          run: async (implementation) => {
            const { outputs, time } = await run(implementation);
            if (implementation === second) outputs[0][5] += 1e-3 * Math.max(...outputs[0]);
            return { outputs, time };
          },
        };
      },
    };
    try {
      const {
        classes: [tuned],
      } = await tuneClasses([{ ...logits, implementations: [first, second] }], doctored, 'f32', {});
      expect(tuned.candidates).toEqual([
        { implementation: first, ms: expect.any(Number) },
        { implementation: second, ms: null, error: expect.stringMatching(/^differs from .* by 1\.0e-3 of the scale/) },
      ]);
      expect(tuned.chosen).toBe(first);
    } finally {
      bench.dispose();
    }
  });

  it('times steps in a larger tile, on the values of the smaller one', async () => {
    const device = await testDevice();
    const { capabilities } = new Gpu(device);
    const bench = new DeviceBench(device, { capabilities }, false);
    const classOf = (side: number): StepClass =>
      stepClasses(config, 3, { width: side, height: side }, { capabilities }).find(({ name }) => name === LOGITS)!;
    const small = classOf(32);
    const opened = await bench.open(small);
    try {
      for (const implementation of small.implementations) await opened.run(implementation);
      const large = await opened.enlarge(classOf(64), small.implementations);
      expect([...large.keys()]).toEqual(small.implementations);
      for (const subject of large.values()) expect(await subject.time(2)).toBeGreaterThan(0);
    } finally {
      opened.close();
      bench.dispose();
    }
  });

  it('fills a larger plan with the values of a smaller one, again and again', async () => {
    const runner = new Runner(new Gpu(await testDevice()));
    const copied = (side: number): Plan => {
      const g = new GraphBuilder();
      const x = g.input('x', { channels: 4, height: side, width: side });
      return plan(g.build([g.add('y', 'copy', [x], {})]));
    };
    try {
      const [small, large] = [await runner.prepare(copied(4)), await runner.prepare(copied(10))];
      const x = Float32Array.from({ length: 64 }, (_, i) => i + 1);
      await runner.upload(small, { x });
      await runner.run(small);
      await runner.repeat(small, large);
      const expected = Array.from({ length: 400 }, (_, i) => x[i % 64]);
      for (const node of [0, 1]) expect([...(await runner.read(large, node))]).toEqual(expected);
    } finally {
      runner.dispose();
    }
  });

  it('runs kinds of steps that store halves, where the device can', async () => {
    const device = await testDevice();
    const options = {
      device,
      config,
      frames: 3,
      tile: TILE,
      precision: 'f16',
      filter: (name: string) => name === 'blend' || name === `${LOGITS} f16`,
    } as const;
    if (!new Gpu(device).capabilities.f16) {
      await expect(tune(options)).rejects.toThrow(UsageError);
      return;
    }
    const tuned = await tune(options);
    expect(tuned.key).toContain(' | f16 | ');
    const [logits, blend] = tuned.classes;
    expect(blend).toMatchObject({ name: 'blend', candidates: [{ implementation: '', ms: expect.any(Number) }] });
    expect(blend.candidates[0].ms).toBeGreaterThan(0);
    expect(logits.candidates.length).toBeGreaterThan(1);
    for (const { ms, implementation, error } of logits.candidates)
      expect(ms, `${implementation}: ${error}`).toBeGreaterThan(0);
  });

  it('knows a software adapter', async () => {
    const { device, info } = await testGpu();
    expect(new Gpu(device).capabilities.cpu ?? false).toBe(info.software);
  });
});

describe('Deghoster.create', () => {
  it('takes a tuning, or choices', async () => {
    const device = await testDevice();
    const { capabilities } = new Gpu(device);
    const { implementations } = stepClasses(config, 3, TILE, { capabilities }).find(({ name }) => name === LOGITS)!;
    const implementationOf = async (tuning?: DeghosterOptions['tuning']): Promise<string> => {
      const deghoster = await Deghoster.create({ device, weights: golden.weightsBytes, tuning });
      const { stages } = deghoster.schedule({ width: 96, height: 64, frames: 3 });
      deghoster.dispose();
      return stages.flatMap(({ plan }) => plan.steps).find(({ shapeClass }) => shapeClass === LOGITS)!.implementation;
    };
    const last = implementations.at(-1)!;
    expect(await implementationOf()).toBe(implementations[0]);
    expect(
      await implementationOf(
        tuneResult([tunedClass(LOGITS, Object.fromEntries(implementations.map((name, i) => [name, 9 - i])), last)]),
      ),
    ).toBe(last);
    expect(await implementationOf(new Map([[LOGITS, last]]))).toBe(last);
    // A choice that this device does not have is none.
    expect(await implementationOf(new Map([[LOGITS, 'tensor cores']]))).toBe(implementations[0]);
  });
});
