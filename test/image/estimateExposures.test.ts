/** Exposures from pixels: on scenes whose exposures are known, through curves that are known. */
import { describe, expect, it } from 'vitest';
import { estimateExposures } from '../../src/image/estimateExposures.ts';
import { rng } from '../reference/random.ts';

const SIZE = { width: 160, height: 120 };

/** A scene of some ten stops: patches of many brightnesses. @param shift pixels by which the camera moved. */
function light(shift = 0): Float32Array {
  const patches = rng(5).floats(4096, 0, 1);
  return Float32Array.from({ length: SIZE.width * SIZE.height }, (_, i) => {
    const [x, y] = [(i % SIZE.width) + shift, Math.floor(i / SIZE.width)];
    return 2 ** (10 * patches[(Math.floor(x / 8) * 31 + Math.floor(y / 8) * 17) % 4096] - 9);
  });
}

/** A frame in 8 bits. @param power of the camera: samples are light to the power of 1 / power. */
function frame(stops: number, { power = 1.47, shift = 0, moved = 0, seed = 1 } = {}) {
  const noise = rng(seed).floats(SIZE.width * SIZE.height, -0.008, 0.008);
  const data = new Uint8Array(SIZE.width * SIZE.height * 3);
  light(shift).forEach((value, i) => {
    // Things that moved in front of a part of the picture.
    const seen = i % SIZE.width < moved * SIZE.width ? 0.3 : value;
    const sample = Math.min(1, seen * 2 ** stops) ** (1 / power) + noise[i];
    data.fill(Math.round(255 * Math.max(0, Math.min(1, sample))), 3 * i, 3 * i + 3);
  });
  return { data, ...SIZE };
}

const stopsOf = (exposures: readonly number[]): number[] => exposures.map(Math.log2);

describe('exposures from pixels', () => {
  it.each([
    ['in order', [-2, 0, 2]],
    ['in any order', [1, -3, -1]],
    ['in small steps', [0, 0.67, 1.33, 2]],
  ])('are right where the response is as assumed: %s', (_, stops) => {
    const { exposures, uncertainty, incomparable } = estimateExposures(
      stops.map((stop, i) => frame(stop, { seed: i + 1 })),
      false,
    );
    const least = Math.min(...stops);
    stopsOf(exposures).forEach((found, i) => expect(Math.abs(found - (stops[i] - least))).toBeLessThan(0.15));
    expect(uncertainty).toBeLessThan(0.5);
    expect(incomparable).toBeUndefined();
  });

  it('are those of linear samples', () => {
    const { exposures } = estimateExposures(
      [-1, 0.5].map((stop) => frame(stop, { power: 1 })),
      true,
    );
    expect(Math.abs(Math.log2(exposures[1] / exposures[0]) - 1.5)).toBeLessThan(0.1);
  });

  it('bear a hand that moves and things that move', () => {
    const { exposures } = estimateExposures([frame(-2), frame(0, { shift: 5 }), frame(2, { moved: 0.2 })], false);
    const [, middle, last] = stopsOf(exposures);
    expect(Math.abs(middle - 2)).toBeLessThan(0.2);
    expect(Math.abs(last - 4)).toBeLessThan(0.5);
  });

  it('are off by no more than they say, through the curves of real cameras', () => {
    for (const power of [1.29, 1.69]) {
      const { exposures, uncertainty } = estimateExposures(
        [-2, 0, 2].map((stop) => frame(stop, { power })),
        false,
      );
      const [, middle, last] = stopsOf(exposures);
      for (const step of [middle, last - middle]) expect(Math.abs(step - 2)).toBeLessThan(uncertainty + 0.1);
    }
  });

  it('are not told of frames that have no brightness in common', () => {
    const [dark, bright] = [0.01, 0.99].map((value) => ({
      data: new Uint8Array(SIZE.width * SIZE.height * 3).fill(255 * value),
      ...SIZE,
    }));
    expect(estimateExposures([bright, dark], false).incomparable).toEqual([1, 0]);
  });
});
