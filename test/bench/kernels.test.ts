/** The graphs that `npm run bench` times: every sample of every kernel can be planned, for a GPU and a CPU. No GPU. */
import '../../src/model/ablations/index.ts';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../bench/kernels.ts';
import { plan } from '../../src/graph/plan.ts';
import { KERNELS } from '../../src/kernels/index.ts';
import type { KernelName } from '../../src/kernels/index.ts';
import type { Sample } from '../../src/kernels/kernel.ts';
import type { Target } from '../../src/kernels/target.ts';

const TARGETS: Target[] = [{}, { capabilities: { cpu: true, subgroupSize: 8 } }];

describe('the samples of each kernel', () => {
  it.each(Object.entries(KERNELS))('%s', (op, { samples }) => {
    expect(samples.length).toBeGreaterThan(0);
    for (const sample of samples as readonly Sample<never>[]) {
      const { graph, inputs } = graphOf(op as KernelName, sample, 18);
      for (const target of TARGETS) {
        const { steps } = plan(graph, target);
        expect(steps.map((step) => step.op)).toEqual([op]);
        expect(inputs.length).toBe(sample.inputs.length);
      }
    }
  });
});
