/** Frames whose orientation flags differ. */
import { describe, expect, it } from 'vitest';
import { agreeingOrientations, turned } from '../../src/image/orientation.ts';
import { scene } from '../node/commandLine.ts';

const [WIDTH, HEIGHT] = [60, 40];

/** A picture as its file stores it, at an exposure, turned by its flag as decoders do. */
function decoded(name: string, exposure: number, orientation: number, storedTurns = 0) {
  const stored = turned({ data: scene(WIDTH, HEIGHT, exposure, 10), width: WIDTH, height: HEIGHT }, storedTurns);
  const turns = { 1: 0, 6: 1, 3: 2, 8: 3 }[orientation] ?? 0;
  return { ...turned(stored, turns), name, exif: { orientation } };
}

describe('orientation flags that differ', () => {
  const upright = [0.25, 1, 4].map((exposure, k) => decoded(`${k + 1}.jpg`, exposure, 1));

  it.each([6, 3, 8])('are left out where the pixels agree without them (%i)', (flag) => {
    const odd = decoded('3.jpg', 4, flag);
    const { images, notes } = agreeingOrientations([upright[0], upright[1], odd]);
    expect(notes).toEqual([
      `3.jpg has another orientation in its EXIF data (${flag}) than the other frames (1), but agrees with them ` +
        'without it: it is turned as they are',
    ]);
    expect([images[2].width, images[2].height]).toEqual([WIDTH, HEIGHT]);
    expect(images[2].data).toEqual(upright[2].data);
    expect(images[0].data).toBe(upright[0].data);
  });

  it('are right where the camera was turned upside down for a frame', () => {
    const odd = decoded('3.jpg', 4, 3, 2);
    const { images, notes } = agreeingOrientations([upright[0], upright[1], odd]);
    expect(notes).toEqual([]);
    expect(images[2].data).toEqual(upright[2].data);
  });

  it('are nothing to tell where all have the same, and frames of other sizes stay', () => {
    const same = [6, 6].map((flag, k) => decoded(`${k}`, 1, flag));
    expect(agreeingOrientations(same)).toEqual({ images: same, notes: [] });
    const other = { ...upright[1], width: HEIGHT / 2, height: WIDTH * 2, exif: { orientation: 6 } };
    expect(agreeingOrientations([upright[0], other]).notes).toEqual([]);
  });

  it('turn coverage with the picture', () => {
    const coverage = new Uint8Array(6).map((_, i) => i);
    const data = new Uint8Array(18).map((_, i) => i);
    const once = turned({ data, coverage, width: 3, height: 2 }, 1);
    expect([...once.coverage!]).toEqual([3, 0, 4, 1, 5, 2]);
    expect(turned(once, 3)).toEqual({ data, coverage, width: 3, height: 2 });
    expect(turned(turned(once, 1), 2)).toEqual({ data, coverage, width: 3, height: 2 });
  });
});
