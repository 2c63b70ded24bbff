/**
 * Checkpoints that PyTorch, NumPy, h5py and the onnx package wrote: each gives the reference's weights bit by bit, or
 * as its type rounds them.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAssigned, propose } from '../../../src/weights/convert/propose.ts';
import { FOLDER, WHOLE, goldenBytes, goldenWeights, open } from './open.ts';

const FILES = readdirSync(FOLDER).filter((file) => !file.endsWith('.data'));

const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** An f32 with fewer bits of fraction, to nearest, ties to even. All golden weights are normal in f16 and bf16. */
function rounded(value: number, fraction: number): number {
  const step = 2 ** (Math.floor(Math.log2(Math.abs(value))) - fraction);
  const low = Math.floor(value / step);
  const rest = value / step - low;
  return (rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low) * step;
}

/** What a file's type makes of the weights; f16 has steps of 2^-24 below 2^-14. */
function expected(file: string, values: Float32Array): Float32Array {
  if (file.startsWith('bf16')) return values.map((value) => rounded(value, 7));
  if (file.startsWith('f16'))
    return values.map((value) =>
      Math.abs(value) < 2 ** -14 ? Math.round(value * 2 ** 24) / 2 ** 24 : rounded(value, 10),
    );
  return values;
}

describe('a checkpoint of the reference', () => {
  it('comes in every format that a framework of Debian writes', () => {
    expect(FILES.length).toBe(18);
  });

  it.each(FILES)('gives its weights bit by bit: %s', async (file) => {
    const checkpoint = await open(goldenBytes(file)[0], file, goldenBytes(file)[1]);
    const proposal = await propose(checkpoint, { name: file });
    const weights = decodeAssigned(checkpoint, proposal);
    const golden = goldenWeights(file === 'whole.pt' ? WHOLE : undefined);
    expect([...weights.keys()].sort()).toEqual([...golden.keys()].sort());
    for (const [name, { shape, data }] of golden) {
      expect(weights.get(name)!.shape, name).toEqual(shape);
      expect(bits(weights.get(name)!.data), name).toEqual(bits(expected(file, data)));
    }
    // Names were used where the file has them.
    const isAnonymous = /^(anonymous|keras|exported|typed)/.test(file);
    expect(proposal.assignments.every(({ by }) => (by === 'name') !== isAnonymous)).toBe(true);
    expect(proposal.alternatives.length).toBe(isAnonymous ? 1 : 0);
  });

  it("takes the model from a training script's file, not the optimiser's moments of the same shapes", async () => {
    for (const file of ['training.pth', 'training-legacy.pth']) {
      const checkpoint = await open(goldenBytes(file)[0], file);
      const { assignments, leftOut, variant, fields } = await propose(checkpoint, { name: file });
      expect(assignments.map(({ source }) => source)).toEqual(
        assignments.map(({ target }) => `model.module.${target}`),
      );
      expect(leftOut).toContain('optimizer.state.0.exp_avg');
      expect(checkpoint.others.get('epoch')).toBe('3');
      expect(checkpoint.others.get('steps')).toBe('i64 []');
      expect(variant).toBe('fixed');
      expect(fields).toMatchObject({ width: 4, decoder: 'vanilla', memory: 'shared', segmentation: 'none' });
    }
  });
});
