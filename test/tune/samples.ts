/** What tests of tuning share: classes that need no device, and results as a tuner gives them. */
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { StepClass } from '../../src/tune/classes.ts';
import { FORMAT } from '../../src/tune/result.ts';
import type { TuneResult, TunedClass } from '../../src/tune/result.ts';

/** A class whose graph nobody looks at. */
export function stepClass(name: string, implementations: readonly string[], multiplyAdds = 1e6): StepClass {
  return {
    name,
    implementations,
    share: 0.5,
    multiplyAdds,
    bytes: 1000,
    step: name,
    graph: new GraphBuilder().build([]),
  };
}

/** A class of implementations with their times; the first is the default. */
export function tunedClass(
  name: string,
  times: Record<string, number | null>,
  chosen = Object.keys(times)[0],
  sizes: { multiplyAdds?: number; bytes?: number } = {},
): TunedClass {
  const candidates = Object.entries(times).map(([implementation, ms]) => ({
    implementation,
    ms,
    ...(ms === null && { error: 'does not compile' }),
  }));
  const [fallback] = Object.keys(times);
  return {
    name,
    isTuned: fallback !== '',
    share: 0.5,
    multiplyAdds: 1e6,
    bytes: 1000,
    fallback,
    chosen,
    candidates,
    ...sizes,
  };
}

export function tuneResult(classes: readonly TunedClass[], others: Partial<TuneResult> = {}): TuneResult {
  return {
    format: FORMAT,
    key: 'an adapter | f32',
    adapter: 'an adapter',
    precision: 'f32',
    date: '2026-01-02T03:04:05.000Z',
    timestamps: true,
    tile: { width: 32, height: 32 },
    classes,
    unreached: [],
    ...others,
  };
}
