/**
 * The device side of tuning: a class's step, run alone with each implementation on the same random inputs and weights.
 *
 * All implementations of a class share one set of buffers. Inputs are in [0,1), like frames and motion maps; weights
 * keep the spread of the values they multiply.
 */
import { Gpu } from '../device.ts';
import { inputsOf } from '../graph/edges.ts';
import { Runner } from '../graph/runner.ts';
import type { Prepared, Tensors } from '../graph/executor.ts';
import { plan } from '../graph/plan.ts';
import type { Plan } from '../graph/plan.ts';
import type { Target } from '../kernels/target.ts';
import type { StepClass } from './classes.ts';

/** One implementation of a class, compiled. */
export interface Timed {
  /** Milliseconds that `count` runs take. */
  time(count: number): Promise<number>;
}

/** The same, run once. */
export interface Subject extends Timed {
  /** The outputs it stored. */
  outputs: readonly Float32Array[];
}

/** A class, ready for its implementations. */
export interface ClassBench {
  /** @throws GpuError if it does not compile or run. */
  run(implementation: string): Promise<Subject>;
  /**
   * Makes implementations ready in a larger tile of the class, on the values of this one again and again. `run` comes
   * before. @throws GpuError if the device has no room for it.
   */
  enlarge(larger: StepClass, implementations: readonly string[]): Promise<Map<string, Timed>>;
  close(): void;
}

/** The tuner's access to a device. */
export interface Bench {
  open(stepClass: StepClass): Promise<ClassBench>;
}

/** Random numbers in [low, high), the same for the same seed: a linear congruential generator (Numerical Recipes). */
function fillRandom(values: Float32Array, seed: number, low = 0, high = 1): void {
  const [factor, by] = [(high - low) / 2 ** 32, low];
  for (let i = 0; i < values.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    values[i] = by + seed * factor;
  }
}

function seedOf(name: string): number {
  let seed = 1;
  for (let i = 0; i < name.length; i++) seed = (Math.imul(seed, 31) + name.charCodeAt(i)) >>> 0;
  return seed;
}

/**
 * A tensor of weights [out, in, ...]: uniform noise, scaled so that sums over a layer's inputs are as large as the
 * inputs.
 */
function randomWeights(name: string, shape: readonly number[]): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const most = shape.length > 1 ? Math.sqrt(3 / shape.slice(1).reduce((a, b) => a * b, 1)) : 0.1;
  fillRandom(values, seedOf(name), -most, most);
  return values;
}

function randomInputs(planned: Plan): Tensors {
  return Object.fromEntries(
    inputsOf(planned).map(({ name, bytes }) => {
      const values = new Float32Array(bytes / 4);
      fillRandom(values, seedOf(name));
      return [name, values];
    }),
  );
}

export class DeviceBench implements Bench {
  readonly #executor: Runner;
  readonly #target: Target;
  readonly #compilesAhead: boolean;
  readonly #shapes = new Map<string, readonly number[]>();

  /**
   * @param compilesAhead whether to compile all implementations of a class at once, which GPU drivers do in parallel;
   * on software adapters this would make stopping slow.
   */
  constructor(device: GPUDevice, target: Target, compilesAhead: boolean) {
    this.#executor = new Runner(Gpu.of(device), (name) => randomWeights(name, this.#shapes.get(name)!));
    this.#target = target;
    this.#compilesAhead = compilesAhead;
  }

  get timestamps(): boolean {
    return this.#executor.canTime;
  }

  async open({ name, step, graph, implementations }: StepClass): Promise<ClassBench> {
    const executor = this.#executor;
    const plans = new Map(
      implementations.map((implementation): [string, Plan] => [
        implementation,
        plan(graph, { ...this.#target, choices: new Map([[name, implementation]]) }),
      ]),
    );
    const stepOf = (planned: Plan): number => planned.steps.findIndex((other) => other.name === step);
    for (const planned of plans.values()) {
      planned.tensors.forEach((shape, tensor) => this.#shapes.set(tensor, shape));
      if (this.#compilesAhead) executor.pipelines.get(planned.steps[stepOf(planned)].dispatch.program);
    }
    let first: Prepared | undefined;
    let inputs: Tensors | undefined;
    const others: Prepared[] = [];
    const timed = (prepared: Prepared): Timed => ({
      time: (count) => executor.time(prepared, stepOf(prepared.plan), count),
    });
    return {
      run: async (implementation) => {
        const planned = plans.get(implementation)!;
        const prepared = await executor.prepare(planned, first);
        if (first) others.push(prepared);
        else first = prepared;
        // Upload before each run: some steps change an input in place, and an f16 plan converts its inputs and may then
        // store results in their place.
        await executor.upload(prepared, (inputs ??= randomInputs(planned)));
        await executor.run(prepared);
        const outputs: Float32Array[] = [];
        for (const output of planned.graph.outputs) outputs.push(await executor.read(prepared, output));
        return { outputs, ...timed(prepared) };
      },
      enlarge: async (larger, chosen) => {
        const all: Prepared[] = [];
        try {
          for (const implementation of chosen) {
            const choices = new Map([[name, implementation]]);
            all.push(await executor.prepare(plan(larger.graph, { ...this.#target, choices }), all[0]));
          }
          await executor.repeat(first!, all[0]);
        } catch (error) {
          all.forEach((prepared) => executor.release(prepared));
          throw error;
        }
        others.push(...all);
        return new Map(chosen.map((implementation, i) => [implementation, timed(all[i])]));
      },
      close: () => {
        others.splice(0).forEach((prepared) => executor.release(prepared));
        if (first) executor.release(first);
        first = undefined;
      },
    };
  }

  dispose(): void {
    this.#executor.dispose();
  }
}
