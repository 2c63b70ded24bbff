/**
 * Where lanes read their parts of packed weights: the expressions of the generated WGSL, computed for every lane. A
 * lane for which a row has no value left reads its last.
 */
import { describe, expect, it } from 'vitest';
import type { AttrsOf, KernelName } from '../../src/kernels/index.ts';
import { KERNELS } from '../../src/kernels/index.ts';
import { implementationsOf } from '../../src/kernels/kernel.ts';
import type { Kernel } from '../../src/kernels/kernel.ts';
import type { Shape, View } from '../../src/kernels/tensor.ts';
import { addTunedMethods } from '../../src/tune/methods.ts';

addTunedMethods();

const LANES = 8;
const TARGET = { capabilities: { cpu: true, subgroupSize: LANES } };

/** The value of an expression of WGSL. */
function value(expression: string, names: Record<string, number>): number {
  const script = expression.replace(/\b(\d+)u\b/g, '$1').replace(/\bu32\(/g, '(');
  return Function('min', ...Object.keys(names), `return ${script};`)(Math.min, ...Object.values(names)) as number;
}

/** The source and the weights of each implementation that shares weights by subgroups. */
function shared<K extends KernelName>(op: K, attrs: AttrsOf<K>, inputs: Shape[]): { source: string; row: number }[] {
  const kernel = KERNELS[op] as unknown as Kernel<AttrsOf<K>>;
  const view = (shape: Shape, buffer: number): View => ({ shape, dtype: 'f32', buffer, block: 0 });
  return implementationsOf(kernel, attrs, inputs, TARGET)
    .filter(({ name }) => name.startsWith('subgroup'))
    .map(({ dispatch, weights: [weights] }) => ({
      source: dispatch({
        inputs: inputs.map(view),
        output: view(kernel.shape(attrs, inputs), inputs.length),
        results: [],
      }).program.source,
      row: weights.row ?? 0,
    }));
}

const lanes = Array.from({ length: LANES }, (_, lane) => lane);
const shape = (channels: number): Shape => ({ channels, height: 4, width: 4 });

describe('lanes read weights inside', () => {
  it.each([
    [4, 1],
    [8, 1],
    [12, 3],
    [4, 3],
  ])('rows of the texture of a convolution to %i channels, kernel %i', (channels, kernel) => {
    const found = shared('conv2d', { weights: 'w', channels, kernel }, [shape(8)]);
    expect(found.length).toBeGreaterThan(0);
    for (const { source, row } of found) {
      const [, start] = /let t = (.+);/.exec(source)!;
      const reads = [...source.matchAll(/load_weights\((.+), w\)/g)].map(([, at]) => at);
      const used = new Set<number>();
      for (let ky = 0; ky < kernel; ky++)
        for (const at of reads) for (const lane of lanes) used.add(value(at, { lane, t: value(start, { ky, lane }) }));
      expect([...used].toSorted((a, b) => a - b)).toEqual(Array.from({ length: row }, (_, i) => i));
    }
  });

  it.each([1, 2, 3, 5])("a block's weights in the buffer of a read of %i slots for three readers", (slots) => {
    const found = shared('groupedRead', { readers: ['a', 'b', 'c'], channels: 8 }, [shape(8 * slots)]);
    expect(found.length).toBeGreaterThan(0);
    for (const { source } of found) {
      const reads = [...source.matchAll(/let w_\d+ = weights\[(.+)\]/g)].map(([, at]) => at);
      const used = new Set(reads.flatMap((at) => lanes.map((lane) => value(at, { lane, w: 0 }))));
      expect([...used].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3 * slots }, (_, i) => i));
    }
  });
});
