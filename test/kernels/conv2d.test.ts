/** conv2d, every variant, against the CPU reference (f64 accumulation): at most 1e-5 of the case's scale. */
import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/kernels/conv2d.ts';
import { CONV_CASES, convData, randomCase } from '../cases/conv.ts';
import type { ConvCase } from '../cases/conv.ts';
import { expectClose, rng } from '../reference/random.ts';
import { where } from '../reference/tensor.ts';
import { runKernel } from './harness.ts';

const TOLERANCE = 1e-5;

async function check(c: ConvCase, label: string): Promise<void> {
  const { input, weight, bias = new Float32Array(c.outputs), expected } = convData(c);
  const attrs = { weights: 'w', channels: c.outputs, kernel: c.kernel, dilation: c.dilation, groups: c.groups, activation: c.activation, slope: c.slope };
  const actual = await runKernel({ op: 'conv2d', attrs, inputs: [input], weights: { 'w.weight': weight, 'w.bias': bias } }, { inputOffset: c.inputs % 3 === 0 ? 8 : 0, outputOffset: c.outputOffset });
  expectClose(actual.data, expected.data, { tol: TOLERANCE, label, where: where(expected) });
}

describe('conv2d', () => {
  it.each(CONV_CASES.map((c) => [c.name, c] as const))('%s', (name, c) => check(c, name));

  it('agrees on random cases', async () => {
    const seed = Number(process.env.DEGHOST_SEED ?? Math.floor(Math.random() * 1e9));
    const random = rng(seed);
    for (let i = 0; i < 24; i++) {
      const c = randomCase(random);
      await check(c, `DEGHOST_SEED=${seed}, case ${i}: ${c.name}`);
    }
  });

  it('says what does not fit', () => {
    const shape = { channels: 6, height: 4, width: 4 };
    expect(() => conv2d.shape({ weights: 'w', channels: 8, kernel: 2 }, [shape])).toThrow('conv2d: kernel size 2 of w is not odd');
    expect(() => conv2d.shape({ weights: 'w', channels: 8, kernel: 3, groups: 4 }, [shape])).toThrow('4 groups do not divide 6 inputs and 8 outputs');
  });
});
