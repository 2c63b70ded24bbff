/** Which part of the picture is seen: at whole-number zooms the picture's pixels fall on the canvas's. No browser. */
import { describe, expect, it } from 'vitest';
import { Camera } from '../../app/src/ui/camera.ts';

/** Where the picture's left upper corner is on the canvas, in its pixels, by what the viewer's shader does. */
function corner({ center, zoom, view, ratio }: Camera): number[] {
  const canvas = [view.width, view.height].map((side) => Math.round(side * ratio));
  return [center.x, center.y].map((at, axis) => canvas[axis] / 2 - at * zoom);
}

function cameraOf(picture: [number, number], view: [number, number], ratio = 1): Camera {
  const camera = new Camera();
  camera.setView({ width: view[0], height: view[1] }, ratio);
  camera.setPicture({ width: picture[0], height: picture[1] });
  return camera;
}

const SIDES = [
  [40, 30],
  [41, 31],
] as const;

describe('a picture at a whole-number zoom', () => {
  const cases = SIDES.flatMap((picture) =>
    [
      [100, 80],
      [101, 81],
      [101, 80],
    ].flatMap((view) => [1, 2].map((ratio) => [picture, view, ratio] as const)),
  );

  it.each(cases)('of %j in a view of %j at a ratio of %d lies on the canvas pixels', (picture, view, ratio) => {
    const camera = cameraOf([...picture], [view[0], view[1]], ratio);
    expect(Number.isInteger(camera.zoom)).toBe(true);
    for (const at of corner(camera)) expect(at).toBeCloseTo(Math.round(at), 9);
    for (const zoom of [1, 2, 3]) {
      camera.zoomTo(zoom, { x: 17.3, y: 9.1 });
      camera.pan(2.4, -3.7);
      for (const at of corner(camera)) expect(at, `zoom ${zoom}`).toBeCloseTo(Math.round(at), 9);
    }
  });

  it('keeps the point under the pointer within half a canvas pixel', () => {
    const camera = cameraOf([4000, 3000], [801, 601]);
    const at = { x: 200, y: 150 };
    const before = camera.toPicture(at);
    camera.zoomTo(1, at);
    const after = camera.toPicture(at);
    expect(Math.abs(after.x - before.x)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(after.y - before.y)).toBeLessThanOrEqual(0.5);
  });

  it('at another zoom is where it was put', () => {
    const camera = cameraOf([4000, 3000], [801, 601]);
    camera.zoomTo(0.5, { x: 0, y: 0 });
    const { x } = camera.center;
    camera.pan(0.25, 0);
    expect(camera.center.x).toBeCloseTo(x + 0.5, 9);
  });
});
