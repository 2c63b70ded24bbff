/** Placement: concatenation becomes addresses, and copies appear only where addresses cannot agree. No GPU. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/graph/graph.ts';
import type { Graph, GraphNode } from '../../src/graph/graph.ts';
import { place } from '../../src/graph/place.ts';
import type { Placement } from '../../src/graph/place.ts';

const conv = (g: GraphBuilder, name: string, x: GraphNode, channels: number): GraphNode =>
  g.add(name, 'conv2d', [x], { weights: name, channels, kernel: 3 });

function placeOf(placement: Placement, name: string): { arena: number; block: number } {
  return placement.places[placement.graph.nodes.findIndex((node) => node.name === name)];
}

const copies = (placement: Placement): string[] =>
  placement.graph.nodes.filter((node) => node.op === 'copy').map((node) => node.name);

/** No kernel reads the arena it writes. */
function expectNoHazard(placement: Placement): void {
  for (const node of placement.graph.nodes) {
    if (node.op !== 'conv2d' && node.op !== 'copy') continue;
    for (const input of node.inputs) expect(placement.places[input].arena).not.toBe(placement.places[node.id].arena);
  }
}

function build(make: (g: GraphBuilder, x: GraphNode) => GraphNode[]): Graph {
  const g = new GraphBuilder();
  return g.build(make(g, g.input('x', { channels: 4, height: 5, width: 7 })));
}

describe('place', () => {
  it('makes a concat of what is computed into one arena, in order', () => {
    const placement = place(build((g, x) => [g.concat('c', [conv(g, 'a', x, 8), conv(g, 'b', x, 12)])]));
    expect(placeOf(placement, 'b')).toEqual({ arena: placeOf(placement, 'a').arena, block: 2 });
    expect(placeOf(placement, 'c')).toEqual({ arena: placeOf(placement, 'a').arena, block: 0 });
    expect(placement.arenas[placeOf(placement, 'c').arena]).toEqual({ blocks: 5, pixels: 35, dtype: 'f32' });
    expect(copies(placement)).toEqual([]);
  });

  it('gives overlapping concats windows of one arena, as the dense decoder has them', () => {
    const placement = place(
      build((g, x) => {
        const z = conv(g, 'z', x, 8);
        const o1 = conv(g, 'o1', x, 8);
        const c2 = g.concat('z o1', [z, o1]);
        const o2 = conv(g, 'o2', x, 8);
        const c3 = g.concat('z o1 o2', [z, o1, o2]);
        const o3 = conv(g, 'o3', x, 8);
        return [c2, c3, g.concat('o1 o2 o3', [o1, o2, o3])];
      }),
    );
    expect(copies(placement)).toEqual([]);
    expect(['z', 'o1', 'o2', 'o3', 'z o1', 'o1 o2 o3'].map((name) => placeOf(placement, name).block)).toEqual([
      0, 2, 4, 6, 0, 2,
    ]);
    expect(new Set(['z', 'o1', 'o2', 'o3'].map((name) => placeOf(placement, name).arena)).size).toBe(1);
  });

  it('opens concats of concats', () => {
    const placement = place(
      build((g, x) => [
        g.concat('outer', [g.concat('inner', [conv(g, 'a', x, 4), conv(g, 'b', x, 4)]), conv(g, 'c', x, 4)]),
      ]),
    );
    expect(['a', 'b', 'c', 'inner', 'outer'].map((name) => placeOf(placement, name).block)).toEqual([0, 1, 2, 0, 0]);
    expect(copies(placement)).toEqual([]);
  });

  it('copies what two concats want in different places', () => {
    const placement = place(
      build((g, x) => {
        const [a, b] = [conv(g, 'a', x, 4), conv(g, 'b', x, 4)];
        return [g.concat('ab', [a, b]), g.concat('ba', [b, a])];
      }),
    );
    expect(copies(placement).length).toBeGreaterThan(0);
    expectNoHazard(placement);
  });

  it('copies a tensor that is concatenated with itself, twice: a copy must not read the arena it writes', () => {
    const placement = place(
      build((g, x) => {
        const a = conv(g, 'a', x, 4);
        return [g.concat('aa', [a, a])];
      }),
    );
    expect(copies(placement)).toHaveLength(2);
  });

  it('never lets a kernel write the arena it reads', () => {
    const placement = place(
      build((g, x) => {
        const a = conv(g, 'a', x, 4);
        const b = conv(g, 'b', a, 4);
        return [g.concat('ab', [a, b])];
      }),
    );
    expect(copies(placement)).toHaveLength(1);
    expectNoHazard(placement);
  });

  it('keeps what is updated in place in one place', () => {
    const placement = place(
      build((g, x) => {
        const first = g.add('s1', 'meanMax', [conv(g, 'a', x, 4)], { index: 0, count: 2 });
        const second = g.add('s2', 'meanMax', [conv(g, 'b', x, 4), first], { index: 1, count: 2 });
        return [g.concat('c', [conv(g, 'before', x, 8), second])];
      }),
    );
    expect(placeOf(placement, 's1')).toEqual(placeOf(placement, 's2'));
    expect(placeOf(placement, 's2').block).toBe(2);
    expect(copies(placement)).toEqual([]);
  });
});

describe('GraphBuilder', () => {
  it('says what does not fit', () => {
    const g = new GraphBuilder();
    const x = g.input('x', { channels: 6, height: 4, width: 4 });
    expect(() => g.input('x', { channels: 6, height: 4, width: 4 })).toThrow('two nodes are named x');
    expect(() => g.concat('c', [x, x])).toThrow('concat of 6 channels, a multiple of 4 is needed');
    expect(() => g.add('a', 'conv2d', [x], { weights: 'w', channels: 4, kernel: 4 })).toThrow(
      'a: conv2d: kernel size 4 of w is not odd',
    );
  });
});
