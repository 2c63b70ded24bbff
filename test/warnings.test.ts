/** What merges warn of: invented findings, and stacks whose stated exposures are wrong. */
import { describe, expect, it } from 'vitest';
import type { ChosenResponse } from '../src/image/chooseResponse.ts';
import { exposureSteps } from '../src/image/exposureSteps.ts';
import type { Frame } from '../src/image/frame.ts';
import { estimateResponse } from '../src/image/response.ts';
import { mergeWarnings } from '../src/warnings.ts';
import type { MergeWarning } from '../src/warnings.ts';
import { curves, shoot } from './image/responseScenes.ts';
import type { FrameAlignment } from '../src/align/types.ts';
import type { Curve } from './image/responseScenes.ts';

const size = { width: 160, height: 120 };
const same = (curve: Curve): [Curve, Curve, Curve] => [curve, curve, curve];
const stack = shoot({ ...size, seed: 7, exposures: [1, 4, 16], curve: same(curves.jpeg), moving: 0.1 });
const fine = estimateResponse(stack);
/** Where the response was not estimated exposures are not judged. */
const given: ChosenResponse = { ...fine, report: { ...fine.report, kind: 'file' } };

/** The warnings of frames as the library would find them, except for motion. */
function warn(
  frames: Frame[],
  {
    response = estimateResponse(frames),
    motion,
    alignment = [],
  }: { response?: ChosenResponse; motion?: Float32Array; alignment?: FrameAlignment[] } = {},
): MergeWarning[] {
  const maps = motion ? frames.map(() => motion) : [];
  return mergeWarnings(frames, { order: frames.map((_, k) => k), reference: 1, response, motion: maps, alignment });
}

/** The pictures in another order than their exposures. */
function listed(pictures: number[], exposures = [1, 4, 16]): Frame[] {
  return pictures.map((k, i) => ({ ...stack[k], exposure: exposures[i], name: `IMG_${i}` }));
}

describe('mergeWarnings', () => {
  it('keeps what was found apart from what to do', () => {
    const [warning] = warn([stack[0], { ...stack[1], data: new Uint8Array(stack[1].data.length) }, stack[2]], {
      response: given,
    });
    expect(warning.finding).toMatch(/^Only 0 % of the reference, .* are hard to see\.$/);
    expect(warning.message).toBe(`${warning.finding} Choose another reference.`);
  });

  it('says nothing of a good stack, nor of times 15 % off', () => {
    expect(warn(stack)).toEqual([]);
    expect(warn(listed([0, 1, 2], [1, 4 * 1.15, 16 * 0.9]))).toEqual([]);
    const steps = exposureSteps(stack, fine);
    expect(steps.map(({ given }) => given)).toEqual([4, 4]);
    for (const { measured } of steps) expect(Math.abs(measured! / 4 - 1)).toBeLessThan(0.1);
  });

  for (const [name, frames, numbers] of [
    [
      'swapped frames',
      listed([0, 2, 1]),
      /frame 3 \(IMG_2\) is listed as 4 times as bright as frame 2 \(IMG_1\), the pictures say 0\.\d+ times/,
    ],
    [
      'one picture twice',
      listed([0, 1, 1]),
      /frame 3 \(IMG_2\) is listed as 4 times as bright as frame 2 \(IMG_1\), the pictures say [01](\.\d+)? times/,
    ],
    ['all in reverse', listed([2, 1, 0]), /frame 2 .*frame 1 .*; frame 3 .*frame 2 /],
    [
      'a step eight times too large',
      listed([0, 1, 2], [1, 4, 128]),
      /frame 3 \(IMG_2\) is listed as 32 times as bright as frame 2 \(IMG_1\), the pictures say [345](\.\d)? times/,
    ],
  ] as const) {
    it(`names the frames: ${name}`, () => {
      const found = warn(frames).filter(({ kind }) => kind === 'contradicted-exposures');
      expect(found).toHaveLength(1);
      expect(found[0].message).toMatch(numbers);
      expect(found[0].message).toContain('Check the exposures of these frames');
      expect(found[0].frames).toContain(2);
      expect(warn(frames).map(({ kind }) => kind)).not.toContain('weak-response');
    });
  }

  it('warns of much motion, from more than half on', () => {
    const map = (share: number): Float32Array =>
      Float32Array.from({ length: 1000 }, (_, i) => (i < share * 1000 ? 0.51 : 0.49));
    expect(warn(stack, { response: fine, motion: map(0.5) })).toEqual([]);
    const [warning, ...rest] = warn(stack, { response: fine, motion: map(0.76) });
    expect(rest).toEqual([]);
    expect(warning.kind).toBe('much-motion');
    expect(warning.message).toMatch(/^76 % of the picture is marked as moving.*not aligned.*orientation/);
  });

  it('warns of a reference that is burnt out or black, wherever its samples are', () => {
    const flat = (code: number, make: (code: number) => Frame['data']): Frame => ({
      ...size,
      exposure: 4,
      name: 'b.jpg',
      data: make(code),
    });
    const bytes = (code: number): Uint8Array => new Uint8Array(size.width * size.height * 3).fill(code);
    const floats = (code: number): Float32Array => new Float32Array(size.width * size.height * 3).fill(code / 255);
    for (const make of [bytes, floats]) {
      for (const code of [0, 4, 251, 255]) {
        const [warning] = warn([stack[0], flat(code, make), stack[2]], { response: given });
        expect(warning.kind, `${code}`).toBe('poor-reference');
        expect(warning.message).toMatch(/^Only 0 % of the reference, frame 2 \(b\.jpg\)/);
        expect(warning.frames).toEqual([1]);
      }
      for (const code of [6, 128, 249])
        expect(warn([stack[0], flat(code, make), stack[2]], { response: given })).toEqual([]);
    }
    // In linear samples 0.0001 is code 4 of a JPEG, 0.0004 code 7.
    const linear: ChosenResponse = { ...fine, report: { ...fine.report, kind: 'linear' } };
    const tiny = (value: number): Frame => flat(0, () => new Float32Array(size.width * size.height * 3).fill(value));
    expect(warn([stack[0], tiny(0.0001), stack[2]], { response: linear }).map(({ kind }) => kind)).toEqual([
      'poor-reference',
    ]);
    expect(warn([stack[0], tiny(0.0004), stack[2]], { response: linear })).toEqual([]);
  });

  it('warns of a response whose estimate is weak, or that was not found', () => {
    const flat = (code: number, exposure: number): Frame => ({
      ...size,
      exposure,
      data: new Uint8Array(size.width * size.height * 3).fill(code),
    });
    const frames = [flat(60, 1), flat(110, 4)];
    const [none] = warn(frames);
    expect(none.kind).toBe('weak-response');
    expect(none.message).toMatch(/could not be estimated \(only \d+ pairs.*gamma 2\.2 is used/);
    // Greys from 70 to 90, and what they are at four times the light.
    const ramp = (exposure: number): Frame => ({
      ...size,
      exposure,
      data: Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) =>
        Math.round((70 + ((i / 3) % 20)) * exposure ** (1 / 2.2)),
      ),
    });
    const [weak] = warn([ramp(1), ramp(4)]);
    expect(weak.kind).toBe('weak-response');
    expect(weak.message).toMatch(/estimate of the camera.s response is weak: \d+ pairs of values, from \d+ % to \d+ %/);
  });
});

describe('a frame that could not be aligned', () => {
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const good: FrameAlignment = { kind: 'homography', matrix: identity, displacement: 5 };

  it('is named, with what was done instead', () => {
    const lost: FrameAlignment = { kind: 'none', matrix: identity, displacement: 0, overlap: 0.021, failed: true };
    const warnings = warn(stack, { alignment: [good, good, lost] });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ kind: 'unaligned', frames: [2] });
    expect(warnings[0].message).toContain('frame 3 (shot 3) is taken as it is, with 2 % of the picture to compare');
    const shifted: FrameAlignment = { ...lost, kind: 'translation' };
    expect(warn(stack, { alignment: [shifted, good, lost] })[0]).toMatchObject({ frames: [0, 2] });
    expect(warn(stack, { alignment: [shifted, good, lost] })[0].message).toContain(
      'frame 1 (shot 1) is aligned by a translation',
    );
  });

  it('is none where all were', () => {
    expect(warn(stack, { alignment: [good, { ...good, kind: 'reference' }, { ...good, kind: 'none' }] })).toEqual([]);
  });
});
