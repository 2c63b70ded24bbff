/**
 * Snapshots of a handful of generated programs, formatted, so that a change of generated code is seen in review
 * (wgsl/). Run `npx vitest run test/kernels/wgsl.test.ts --update` to renew them.
 */
import { describe, expect, it } from 'vitest';
import { fuse } from '../../src/graph/fuse/index.ts';
import { GraphBuilder } from '../../src/graph/graph.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { conv2d } from '../../src/kernels/conv2d/index.ts';
import { fusionGraph, segmentationGraph } from '../../src/model/network.ts';
import { formatWgsl } from '../../src/node/formatWgsl.ts';
import type { Target } from '../../src/kernels/target.ts';
import { addTunedMethods } from '../../src/tune/methods.ts';
import { FIXED } from '../cases/networks.ts';

addTunedMethods();

const GPU: Target = { capabilities: { f16: true, subgroupSize: 32 } };
const CPU: Target = { capabilities: { cpu: true, subgroupSize: 8 } };
/** Few channels, so that programs are short. */
const LAYER = { weights: 'w', channels: 4, kernel: 3, activation: 'relu' } as const;

function layerPlan(attrs: Partial<Parameters<typeof conv2d.shape>[0]>, implementation: string, target: Target): Plan {
  const g = new GraphBuilder();
  const x = g.input('x', { channels: 8, height: 16, width: 16 });
  const graph = g.build([g.add('y', 'conv2d', [x], { ...LAYER, ...attrs })]);
  const shapeClass = conv2d.shapeClass({ ...LAYER, ...attrs }, [x.shape], target);
  const made = plan(graph, { ...target, choices: new Map([[shapeClass, implementation]]) });
  expect(made.steps[0].implementation).toBe(implementation);
  return made;
}

const PROGRAMS: Record<string, () => string> = {
  'conv2d-direct': () => layerPlan({}, 'direct 2x2x4', GPU).steps[0].dispatch.program.source,
  'conv2d-staged': () => layerPlan({}, 'staged 2x2x4', GPU).steps[0].dispatch.program.source,
  'conv2d-subgroup': () => layerPlan({}, 'subgroup 2x2x4', CPU).steps[0].dispatch.program.source,
  'conv2d-direct-software': () => layerPlan({}, 'direct 2x2x4', CPU).steps[0].dispatch.program.source,
  'conv2d-winograd': () => layerPlan({}, 'winograd 1x1x4', GPU).steps[0].dispatch.program.source,
  'conv2d-dilations': () => layerPlan({ dilation: [1, 2] }, 'direct apart 2x2x4', GPU).steps[0].dispatch.program.source,
  'conv2d-general': () => layerPlan({ groups: 2 }, 'general', GPU).steps[0].dispatch.program.source,
  groupedRead: () => {
    const g = new GraphBuilder();
    const memory = g.input('memory', { channels: 16, height: 16, width: 16 });
    return plan(g.build([g.add('read', 'groupedRead', [memory], { readers: ['w', 'v'], channels: 8 })])).steps[0]
      .dispatch.program.source;
  },
  memoryRead: () => {
    const g = new GraphBuilder();
    const features = g.input('features', { channels: 16, height: 16, width: 16 });
    const attrs = {
      writers: ['a', 'b'],
      slope: 0.2,
      slots: { held: [0, 1], of: 2 },
      readers: [['w', 'v']],
      channels: 8,
    };
    return plan(g.build([g.add('read', 'memoryRead', [features], attrs)])).steps[0].dispatch.program.source;
  },
  dilatedMerge: () => {
    const g = new GraphBuilder();
    const x = g.input('x', { channels: 8, height: 16, width: 16 });
    const attrs = { weights: 'w', merge: 'v', channels: 4, dilations: [1, 2] };
    return plan(g.build([g.add('merged', 'dilatedMerge', [x], attrs)])).steps[0].dispatch.program.source;
  },
  blend: () => {
    const g = new GraphBuilder();
    const [moving, still, stack] = [8, 8, 12].map((channels, i) =>
      g.input(`x${i}`, { channels, height: 16, width: 16 }),
    );
    return plan(g.build([g.add('z', 'blend', [moving, still, stack], { frame: 1 })])).steps[0].dispatch.program.source;
  },
};

describe('generated WGSL', () => {
  it.each(Object.entries(PROGRAMS))('%s', async (name, source) => {
    await expect(formatWgsl(source())).toMatchFileSnapshot(`wgsl/${name}.wgsl`);
  });
});

describe('formatWgsl', () => {
  it.each([
    ['a GPU', GPU],
    ['a software adapter', CPU],
  ])('changes only the white space of all programs of a merge on %s', (_, target) => {
    const scene = { taus: [1, 4, 16], reference: 1, gamma: 2.2, useResponse: true, width: 64, height: 64 };
    const steps = [segmentationGraph, fusionGraph].flatMap(
      (graphOf) => plan(fuse(graphOf({ ...FIXED, hat: 'pixel' }, scene), target), target).steps,
    );
    const bare = (text: string): string => text.replace(/\s+/g, '');
    for (const source of new Set(steps.map(({ dispatch }) => dispatch.program.source))) {
      const formatted = formatWgsl(source);
      expect(bare(formatted)).toBe(bare(source));
      // Every block is closed where it was opened.
      expect(formatted.split('\n').filter((line) => line === '}').length).toBeGreaterThan(0);
      expect(formatted.trimEnd().endsWith('\n}')).toBe(true);
    }
  });

  it('puts a statement on a line, indented by its block, and leaves the head of a loop whole', () => {
    expect(
      formatWgsl(
        'fn f() {\nfor (var i = 0; i < 3; i++) { let a = i; b += a; c += a; d += a; }\n    if (x) { return; }\n}',
      ),
    ).toBe(
      [
        'fn f() {',
        '  for (var i = 0; i < 3; i++) { let a = i;',
        '    b += a;',
        '    c += a;',
        '    d += a;',
        '  }',
        '  if (x) { return; }',
        '}',
        '',
      ].join('\n'),
    );
  });
});
