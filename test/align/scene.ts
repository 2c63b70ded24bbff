/**
 * A scene that is a function of the place, so that frames of it under any homography are exact: no picture is
 * resampled. Radiance is fractal noise over many stops, with a bright and a dark part.
 */
import { apply } from '../../src/align/homography.ts';
import type { Homography } from '../../src/align/types.ts';
import type { Frame } from '../../src/image/frame.ts';

/** A number in [0,1) for a point of a lattice. */
function lattice(x: number, y: number, seed: number): number {
  let z = (Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
  z = Math.imul(z ^ (z >>> 15), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
}

/** Value noise: smooth, in [0,1), with features of about one unit. */
function noise(x: number, y: number, seed: number): number {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const ease = (t: number): number => t * t * t * (t * (6 * t - 15) + 10);
  const [u, v] = [ease(x - i), ease(y - j)];
  const row = (n: number): number => (1 - u) * lattice(i, n, seed) + u * lattice(i + 1, n, seed);
  return (1 - v) * row(j) + v * row(j + 1);
}

/** Radiance of red, green and blue at a point, around 1. */
export type Scene = (x: number, y: number) => [number, number, number];

/** A scene of its own for each seed. */
export function scene(seed: number): Scene {
  return (x, y) => {
    let stops = 0;
    for (const [octave, size] of [80, 37, 17, 8, 5].entries())
      stops += (noise(x / size, y / size, seed + octave) - 0.5) * [4, 2, 1.5, 1, 0.8][octave];
    const tint = noise(x / 50, y / 50, seed + 10) - 0.5;
    return [2 ** (stops + 0.4 * tint), 2 ** stops, 2 ** (stops - 0.5 * tint)];
  };
}

/** How a frame of a scene is made. */
export interface Shot {
  width: number;
  height: number;
  /** Code is `255 * (exposure * radiance)^(1/gamma)`, clipped. */
  exposure: number;
  /** From the reference's pixels to this frame's. */
  matrix?: Homography;
  /** Where a point of the reference lies before the homography: parallax. */
  shift?: (x: number, y: number) => [number, number];
  /** Samples: 8 bits by default. */
  bits?: 8 | 16 | 32;
  gamma?: number;
}

/** A frame of a scene. */
export function shoot(
  of: Scene,
  { width, height, exposure, matrix, bits = 8, gamma = 2.2, shift }: Shot,
  inverseOf: (h: Homography) => Homography,
): Frame {
  const back = matrix && inverseOf(matrix);
  const count = width * height * 3;
  const data = bits === 8 ? new Uint8Array(count) : bits === 16 ? new Uint16Array(count) : new Float32Array(count);
  const top = bits === 32 ? 1 : 2 ** bits - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [u, v] = back ? apply(back, x, y) : [x, y];
      if (shift) {
        // The point p of the reference with p + shift(p) = (u, v), by a fixed point.
        const [goalX, goalY] = [u, v];
        for (let i = 0; i < 30; i++) {
          const [dx, dy] = shift(u, v);
          [u, v] = [goalX - dx, goalY - dy];
        }
      }
      of(u, v).forEach((radiance, c) => {
        const value = top * Math.min(1, exposure * radiance) ** (1 / gamma);
        data[3 * (y * width + x) + c] = bits === 32 ? value : Math.round(value);
      });
    }
  }
  return { data, width, height, exposure };
}

/** A homography about a picture's middle: rotation in degrees, scale, shift in pixels, and perspective. */
export function aboutMiddle(
  { width, height }: { width: number; height: number },
  {
    degrees = 0,
    scale = 1,
    x = 0,
    y = 0,
    tiltX = 0,
    tiltY = 0,
  }: Partial<Record<'degrees' | 'scale' | 'x' | 'y' | 'tiltX' | 'tiltY', number>>,
): number[] {
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2];
  const [c, s] = [scale * Math.cos((degrees * Math.PI) / 180), scale * Math.sin((degrees * Math.PI) / 180)];
  // T(c) A T(-c), written out.
  const a = [c, -s, x, s, c, y, tiltX, tiltY, 1];
  const moved = [0, 1, 2].flatMap((i) => {
    const [p, q, r] = a.slice(3 * i, 3 * i + 3);
    return [p, q, r - p * cx - q * cy];
  });
  const h = [0, 1, 2].map((i) => moved[i] + cx * moved[6 + i]);
  const k = [0, 1, 2].map((i) => moved[3 + i] + cy * moved[6 + i]);
  const all = [...h, ...k, ...moved.slice(6)];
  return all.map((value) => value / all[8]);
}
