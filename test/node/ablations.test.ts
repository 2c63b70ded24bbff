/** Weights of the paper's ablations on the command line: the goldens' pictures, what is said, and what is refused. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/image/npy.ts';
import { interleavedFrame, planar } from '../reference/golden.ts';
import { readGolden } from '../reference/goldens.ts';
import { array, deghost } from './commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-ablations-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The command for a golden's frames and weights. */
function command(name: string): string[] {
  const { frames, taus, reference } = readGolden(name);
  const files = frames.map((x, k) => {
    const { data, width, height } = interleavedFrame(x, taus[k]);
    return array(folder, `${name}-${k}.npy`, data as Float32Array, [height, width, 3]);
  });
  const exposures = ['--times', taus.join(), '--reference', String(reference + 1), '--response', 'gamma'];
  return ['merge', ...files, ...exposures, '--weights', `test/goldens/${name}.weights.safetensors`];
}

describe('deghost merge with weights of an ablation', () => {
  it.each(['fixed-no-masks', 'any-difference-shared-fusion-no-memory-resnet', 'fixed-shared-fusion-shared-memory-sdc'])(
    'gives the PyTorch picture within 1e-4: %s',
    async (name) => {
      const out = at(`${name}.npy`);
      const { code, out: text, err } = await deghost(...command(name), '--align', 'none', '-o', out, '--json');
      expect(code, err).toBe(0);
      const golden = readGolden(name);
      const expected = golden.stages.get('Y')!;
      const picture = planar(decodeNpy(readFileSync(out)).data, expected.w, expected.h);
      for (let i = 0; i < expected.data.length; i++)
        expect(Math.abs(picture.data[i] - expected.data[i])).toBeLessThan(1e-4);
      const hasMaps = golden.config.ablation!.segmentation !== 'none';
      expect(err.includes('moving: ')).toBe(hasMaps);
      expect(JSON.parse(text).frames[0].motionShare === null).toBe(!hasMaps);
    },
  );

  it('refuses motion maps where the network has none', async () => {
    const out = await deghost(...command('fixed-no-masks'), '-o', at('x.npy'), '--motion', at('maps'));
    expect(out.code).toBe(2);
    expect(out.err).toContain(
      '--motion is given, but fixed-no-masks.weights.safetensors is of a network without motion maps: leave it out',
    );
    const strength = await deghost(...command('any-difference'), '-o', at('x.npy'), '--strength', '0.8');
    expect(strength.code).toBe(2);
    expect(strength.err).toContain('a strength is given, which these weights do not use (segmentation "difference")');
  });
});
