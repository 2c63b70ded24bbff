/**
 * Brackets of a made-up scene through a known camera curve, for testing the estimate: fractal radiance over ten stops,
 * shot and read noise, clipping, quantisation, things that move, a shaking hand. Deterministic.
 */
import type { Frame } from '../../src/image/frame.ts';

/** A small deterministic generator (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function gaussian(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** A camera curve: value in [0,1] from exposure in [0,1], rising, 0 to 0 and 1 to 1. */
export type Curve = (exposure: number) => number;

const scaled =
  (curve: Curve): Curve =>
  (l) =>
    (curve(l) - curve(0)) / (curve(1) - curve(0));
const contrast =
  (amount: number, power: number): Curve =>
  (l) => {
    const g = l ** (1 / power);
    return (1 - amount) * g + amount * g * g * (3 - 2 * g);
  };

export const curves: Record<string, Curve> = {
  'gamma 2.2': (l) => l ** (1 / 2.2),
  'gamma 1.8': (l) => l ** (1 / 1.8),
  sRGB: (l) => (l <= 0.0031308 ? 12.92 * l : 1.055 * l ** (1 / 2.4) - 0.055),
  'mild S': contrast(0.3, 2.2),
  'strong S': contrast(0.7, 2.6),
  // What real JPEGs were found to hold: f(0.25) = 0.045, f(0.5) = 0.13, f(0.75) = 0.31.
  jpeg: (l) => (1.2 * l ** 0.95) / (l ** 0.95 + 0.2),
  // Steeper still, with a long shoulder: f(0.25) = 0.005, f(0.5) = 0.02, f(0.75) = 0.085.
  camera: scaled((l) => {
    const g = l ** (1 / 2.2);
    return (g / (g + 0.1 + 0.28 * g)) * (1 - Math.exp(-6 * g));
  }),
  shoulder: scaled((l) => 1 - Math.exp(-4 * l ** 0.6)),
  film: scaled((l) => l ** 0.9 / (l ** 0.9 + 0.18)),
  filmic: scaled((l) => ((4 * l * (2.51 * 4 * l + 0.03)) / (4 * l * (2.43 * 4 * l + 0.59) + 0.14)) ** (1 / 2.2)),
};

/** f at i/255 by bisection of the curve itself. */
export function invert(curve: Curve): number[] {
  return Array.from({ length: 256 }, (_, i) => {
    let low = 0;
    let high = 1;
    for (let k = 0; k < 60; k++) {
      const middle = (low + high) / 2;
      if (curve(middle) < i / 255) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  });
}

export interface Shot {
  width: number;
  height: number;
  exposures: number[];
  curve: [Curve, Curve, Curve];
  seed: number;
  /** Shot noise at white, read noise, as fractions of the sensor's white. */
  shot?: number;
  read?: number;
  /** Share of the picture's width taken by things that stand elsewhere in each frame. */
  moving?: number;
  /** Pixels by which every next frame is shifted. */
  shake?: number;
  /** Output samples. */
  depth?: 8 | 16 | 32;
  /** The longest frame's mean radiance relative to white (sets where the scene sits). */
  key?: number;
}

/** Smooth value noise in [-1, 1] over a lattice. */
function lattice(seed: number): (x: number, y: number) => number {
  const next = random(seed);
  const table = Float64Array.from({ length: 4096 }, () => next() * 2 - 1);
  const at = (i: number, j: number): number => table[(((i * 73 + j * 151) % 4096) + 4096) % 4096];
  const ease = (t: number): number => t * t * (3 - 2 * t);
  return (x, y) => {
    const i = Math.floor(x);
    const j = Math.floor(y);
    const u = ease(x - i);
    const v = ease(y - j);
    return (at(i, j) * (1 - u) + at(i + 1, j) * u) * (1 - v) + (at(i, j + 1) * (1 - u) + at(i + 1, j + 1) * u) * v;
  };
}

/** Renders the brackets. */
export function shoot(o: Shot): Frame[] {
  const { width, height, shot = 0.01, read = 0.0008, moving = 0, shake = 0, depth = 8, key = 0.6 } = o;
  const broad = lattice(o.seed);
  const fine = lattice(o.seed + 1);
  const tint = [lattice(o.seed + 2), lattice(o.seed + 3), lattice(o.seed + 4)];
  const longest = Math.max(...o.exposures);
  return o.exposures.map((exposure, k) => {
    const next = random(o.seed * 31 + k);
    const data =
      depth === 8
        ? new Uint8Array(width * height * 3)
        : depth === 16
          ? new Uint16Array(width * height * 3)
          : new Float32Array(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const sx = x + k * shake;
        const sy = y + k * shake * 0.7;
        let stops = 6.5 * broad(sx / 37 + 3, sy / 37 + 5) + 1.2 * fine(sx / 5, sy / 5) - 3.5;
        // Things that move: a band of the picture, brighter or darker by two stops, elsewhere in each frame.
        const place = (x / width - 0.13 - 0.29 * k + 4) % 1;
        const inside = place < moving && y > height * 0.2;
        if (inside) stops += ((y >> 3) & 1) === 0 ? 2 : -2.5;
        for (let c = 0; c < 3; c++) {
          const radiance = key * 2 ** (stops + 0.7 * tint[c](sx / 53, sy / 53) + 2);
          const signal = radiance * (exposure / longest);
          const noisy = signal + gaussian(next) * Math.sqrt(signal * shot * shot + read * read);
          const value = o.curve[c](Math.min(1, Math.max(0, noisy)));
          const at = (y * width + x) * 3 + c;
          data[at] = depth === 8 ? Math.round(value * 255) : depth === 16 ? Math.round(value * 65535) : value;
        }
      }
    }
    return { data, width, height, exposure, name: `shot ${k + 1}` };
  });
}
