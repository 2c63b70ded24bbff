/** Merges with `skipMisfits`: which frames are left out, and that the others are merged as if they were alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inverse } from '../../src/align/homography.ts';
import { Deghoster } from '../../src/index.ts';
import type { Frame, MergeOptions } from '../../src/index.ts';
import { mergeWarnings } from '../../src/warnings.ts';
import { testDevice } from '../gpu.ts';
import { readGolden } from '../reference/goldens.ts';
import { SHOTS, SIZE, handHeld } from './estimateChecks.ts';
import { aboutMiddle, scene, shoot } from './scene.ts';

const OPTIONS = { method: 'merge', response: 'gamma' } as const;
const bracket = handHeld(21, SHOTS);
/** A frame of another scene; names say which it is. */
const stray = (exposure: number, name: string): Frame => ({
  ...shoot(scene(77), { ...SIZE, exposure }, inverse),
  name,
});
/** A frame of the same scene, beside what the others show. */
const aside: Frame = {
  ...shoot(scene(21), { ...SIZE, exposure: 0.5, matrix: aboutMiddle(SIZE, { x: 0.98 * SIZE.width }) }, inverse),
  name: 'aside',
};

let deghoster: Deghoster;
beforeAll(async () => {
  deghoster = await Deghoster.create({ device: await testDevice() });
});
afterAll(() => deghoster.dispose());

describe('a bracket with frames that do not belong to it', () => {
  it.each([
    ['another scene', [bracket[2], stray(0.5, 'stray'), bracket[0], bracket[1]], 1],
    ['too little overlap', [bracket[0], bracket[1], bracket[2], aside], 3],
    ['another scene as the darkest', [stray(0.01, 'stray'), ...bracket], 0],
  ])('is merged without them: %s', async (_, frames, odd) => {
    const reference = frames
      .map(({ exposure }) => exposure)
      .sort((a, b) => a - b)
      .indexOf(bracket[1].exposure);
    const all = await deghoster.merge(frames, { ...OPTIONS, reference });
    expect(all.misfits).toEqual([]);
    expect(all.order).toHaveLength(4);
    expect(mergeWarnings(frames, all)).toContainEqual(
      expect.objectContaining({ kind: 'unaligned', frames: [all.order.indexOf(odd)] }),
    );
    const without = await deghoster.merge(frames, { ...OPTIONS, reference, skipMisfits: true });
    expect(without.misfits).toEqual([
      { frame: odd, alignment: expect.objectContaining({ kind: 'none', failed: true, overlap: expect.any(Number) }) },
    ]);
    const rest = await deghoster.merge(bracket, OPTIONS);
    expect(without.order.map((k) => frames[k])).toEqual(rest.order.map((k) => bracket[k]));
    expect([without.reference, without.scale, without.alignment]).toEqual([rest.reference, rest.scale, rest.alignment]);
    expect(without.radiance).toEqual(rest.radiance);
    expect(mergeWarnings(frames, without).map(({ kind }) => kind)).not.toContain('unaligned');
  });

  it('is merged without its reference, if that is the odd one and nobody chose it', async () => {
    // Five frames: the middle one is of another scene.
    const frames = [bracket[0], bracket[1], stray(0.3, 'stray'), bracket[2], { ...bracket[2], exposure: 1.5 }];
    const { misfits, reference, order, alignment } = await deghoster.merge(frames, { ...OPTIONS, skipMisfits: true });
    expect(misfits.map(({ frame }) => frame)).toEqual([2]);
    expect(order).toEqual([0, 1, 3, 4]);
    expect(reference).toBe(1);
    expect(alignment.map(({ kind }) => kind)).toEqual(['homography', 'reference', 'homography', 'homography']);
    const chosen = await deghoster.merge(frames, { ...OPTIONS, skipMisfits: true, reference: 'auto' });
    expect(chosen.misfits.map(({ frame }) => frame)).toEqual([2]);
  });

  it('keeps given maps with their frames', async () => {
    const count = SIZE.width * SIZE.height;
    const map = (value: number): Float32Array => new Float32Array(count).fill(value);
    // In exposure order, where the stray is the third.
    const frames = [...bracket, stray(0.5, 'stray')];
    const motion = [map(1), map(0), map(0.5), map(0)];
    const options = { ...OPTIONS, reference: 1 };
    const { radiance, misfits } = await deghoster.merge(frames, { ...options, skipMisfits: true, motion });
    expect(misfits.map(({ frame }) => frame)).toEqual([3]);
    const alone = await deghoster.merge(bracket, { ...options, motion: [map(1), map(0), map(0)] });
    expect(radiance).toEqual(alone.radiance);
  });

  it('estimates the response from the frames that are left', async () => {
    const frames = [...bracket, stray(0.5, 'stray')];
    const { response } = await deghoster.merge(frames, { method: 'merge', reference: 1, skipMisfits: true });
    const alone = await deghoster.merge(bracket, { method: 'merge' });
    expect(response).toEqual(alone.response);
  });

  it('runs the network on the frames that are left', async () => {
    const { weightsBytes } = readGolden('any-4-gate-binary-r0');
    const own = await Deghoster.create({ device: await testDevice(), weights: weightsBytes });
    try {
      const options = { response: 'gamma', skipMisfits: true } as const;
      const without = await own.merge([...bracket, stray(0.5, 'stray')], { ...options, reference: 1 });
      const alone = await own.merge(bracket, options);
      expect(without.misfits).toHaveLength(1);
      expect(without.radiance).toEqual(alone.radiance);
      expect(without.motion).toEqual(alone.motion);
    } finally {
      own.dispose();
    }
  });
});

describe('a bracket where all frames belong', () => {
  it('is merged as without the option', async () => {
    const plain = await deghoster.merge(bracket, OPTIONS);
    const asked = await deghoster.merge(bracket, { ...OPTIONS, skipMisfits: true });
    expect(asked.radiance).toEqual(plain.radiance);
    expect(asked.misfits).toEqual([]);
  });
});

describe('what cannot be merged', () => {
  const merge = (frames: Frame[], options: MergeOptions) =>
    deghoster.merge(frames, { ...OPTIONS, skipMisfits: true, ...options });

  it('is a reference that somebody chose and no frame lies on', async () => {
    const frames = [bracket[0], { ...stray(0.2, 'stray'), name: 'stray' }, bracket[2]];
    await expect(merge(frames, { reference: 1 })).rejects.toMatchObject({
      problem: 'misfits',
      finding: expect.stringMatching(/^no frame lies on the reference, stray \(of the picture .* %\)$/),
    });
  });

  it('are two frames of two scenes', async () => {
    await expect(merge([bracket[0], stray(1, 'stray')], {})).rejects.toMatchObject({ problem: 'misfits' });
  });

  it.each([
    ['none', 'none' as const],
    ['matrices', { matrices: SHOTS }],
  ])('is an alignment that finds no misfits: %s', async (word, align) => {
    await expect(merge(bracket, { align })).rejects.toThrow(/^skipMisfits is given with align .*no misfits/);
    await expect(merge(bracket, { align })).rejects.toThrow(word);
  });
});
