/**
 * Fits a monotone curve to pairs: psi = log h, h = f^(1/2.2), at i/255.
 */
import type { Pair } from './responsePairs.ts';

export const SIZE = 256;
export interface FitOptions { lambda: number; iterations: number; warp: number; sigma: number; prior: Float64Array; ridge: number; gamma: number; top?: number; topWarp?: number }

/** psi at x by linear interpolation in the grid, and the two nodes. */
export function evaluate(psi: Float64Array, x: number): number {
  const position = Math.min(SIZE - 1, Math.max(1, x * (SIZE - 1)));
  const i = Math.min(SIZE - 2, Math.floor(position));
  const t = position - i;
  return psi[i] * (1 - t) + psi[i + 1] * t;
}

export function fitPsi(pairs: readonly Pair[], o: FitOptions): Float64Array {
  const n = SIZE - 2; // unknowns psi[1..254]; psi[255] = 0
  let psi = Float64Array.from(o.prior);
  const u = Float64Array.from({ length: SIZE }, (_, i) => Math.log(i / 255 + o.warp) - (o.top ?? 0) * Math.log(1 - i / 255 + (o.topWarp ?? 0.05)));
  const span = u[255] - u[1];
  for (let k = 0; k < SIZE; k++) u[k] /= span;
  for (let iteration = 0; iteration < o.iterations; iteration++) {
    const A = new Float64Array(n * n);
    const rhs = new Float64Array(n);
    const scale = iteration < 2 ? Infinity : Math.max(1.5, 4 - iteration * 0.3);
    for (const p of pairs) {
      const nodes: [number, number][] = [];
      let base = 0;
      let slopeTerm = 0;
      for (const [x, sign] of [[p.b, 1], [p.a, -1]] as const) {
        const position = Math.min(254.999, Math.max(1, x * 255));
        const i = Math.floor(position);
        const t = position - i;
        if (1 - t > 0) nodes.push([i, sign * (1 - t)]);
        if (t > 0) nodes.push([i + 1, sign * t]);
        base += sign * (psi[i] * (1 - t) + psi[i + 1] * t);
        // slope of psi over a few codes
        const lo = Math.max(1, position - 3);
        const hi = Math.min(255, position + 3);
        const slope = Math.max(0.2, (evaluate(psi, hi / 255) - evaluate(psi, lo / 255)) / ((hi - lo) / 255));
        slopeTerm += slope * slope;
      }
      const target = p.log / o.gamma;
      const residual = base - target;
      const hb = Math.exp(evaluate(psi, p.b)); const variance = o.sigma * o.sigma * slopeTerm + 1e-4 + ((o as any).misfit ?? 0) ** 2 / (hb * hb + 1e-4);
      const z = (residual * residual) / variance / (scale * scale);
      const w = (p.weight / variance) / (1 + z);
      for (const [i, ci] of nodes) {
        if (i === 255) continue;
        rhs[i - 1] += w * ci * target;
        for (const [j, cj] of nodes) if (j < 255) A[(i - 1) * n + j - 1] += w * ci * cj;
      }
    }
    // smoothness: second differences of psi - prior in u
    for (let i = 2; i < 255; i++) {
      const d0 = u[i] - u[i - 1];
      const d1 = u[i + 1] - u[i];
      const m = (d0 + d1) / 2;
      const c = [1 / (d0 * m), -1 / (d0 * m) - 1 / (d1 * m), 1 / (d1 * m)];
      const w = o.lambda * m;
      const prior = c[0] * o.prior[i - 1] + c[1] * o.prior[i] + c[2] * o.prior[i + 1];
      for (let k = 0; k < 3; k++) {
        const a = i - 1 + k;
        if (a === 255) continue;
        rhs[a - 1] += w * c[k] * prior;
        for (let l = 0; l < 3; l++) { const b = i - 1 + l; if (b < 255) A[(a - 1) * n + b - 1] += w * c[k] * c[l]; }
      }
    }
    for (let i = 1; i < 255; i++) { A[(i - 1) * n + i - 1] += o.ridge; rhs[i - 1] += o.ridge * o.prior[i]; }
    const x = solve(A, rhs, n);
    psi = new Float64Array(SIZE);
    for (let i = 1; i < 255; i++) psi[i] = x[i - 1];
    monotone(psi);
    psi[0] = -Infinity;
  }
  return psi;
}

/** Pool adjacent violators, psi[1..255] non-decreasing, capped by psi[255] = 0. */
function monotone(psi: Float64Array): void {
  const value: number[] = [];
  const count: number[] = [];
  for (let i = 1; i < SIZE - 1; i++) {
    let v = Math.min(0, psi[i]);
    let c = 1;
    while (value.length > 0 && value[value.length - 1] > v) {
      const pv = value.pop()!;
      const pc = count.pop()!;
      v = (v * c + pv * pc) / (c + pc);
      c += pc;
    }
    value.push(v);
    count.push(c);
  }
  let i = 1;
  value.forEach((v, k) => { for (let j = 0; j < count[k]; j++) psi[i++] = v; });
}

function solve(A: Float64Array, rhs: Float64Array, n: number): Float64Array {
  // Cholesky in place
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) {
      const ljk = A[j * n + k];
      if (ljk !== 0) for (let i = j; i < n; i++) A[i * n + j] -= A[i * n + k] * ljk;
    }
    const d = Math.sqrt(Math.max(A[j * n + j], 1e-12));
    for (let i = j; i < n; i++) A[i * n + j] /= d;
  }
  const x = Float64Array.from(rhs);
  for (let i = 0; i < n; i++) { for (let k = 0; k < i; k++) x[i] -= A[i * n + k] * x[k]; x[i] /= A[i * n + i]; }
  for (let i = n - 1; i >= 0; i--) { for (let k = i + 1; k < n; k++) x[i] -= A[k * n + i] * x[k]; x[i] /= A[i * n + i]; }
  return x;
}

export const DEFAULTS: any = { lambda: 0.5, iterations: 10, warp: 0.05, top: 0.7, topWarp: 0.03, sigma: 1.5 / 255, ridge: 1e-6 };
export function fitCurve(pairs: readonly Pair[], gamma: number): number[] {
  const prior = Float64Array.from({ length: SIZE }, (_, i) => Math.log(i / 255));
  const psi = fitPsi(pairs, { ...DEFAULTS, prior, gamma });
  const f = Array.from(psi, (v) => Math.exp(v * gamma));
  f[0] = 0;
  f[255] = 1;
  return f;
}

/** x -> f(x)^(1/gamma), as the input stage computes it. */
export function encoder(f: readonly number[], gamma: number): (x: number) => number {
  return (x) => {
    const i = Math.min(SIZE - 2, Math.floor(x * 255));
    const t = x * 255 - i;
    return (f[i] * (1 - t) + f[i + 1] * t) ** (1 / gamma);
  };
}

/** Weighted median over pairs of |h(b) - ratio^(1/gamma) h(a)|, h = f^(1/gamma). */
export function residualOf(pairs: readonly Pair[], f: readonly number[], gamma: number): number {
  const h = encoder(f, gamma);
  const list = pairs.map((p) => [Math.abs(h(p.b) - Math.exp(p.log / gamma) * h(p.a)), p.weight]).sort((x, y) => x[0] - y[0]);
  let rest = list.reduce((sum, entry) => sum + entry[1], 0) / 2;
  for (const [d, weight] of list) {
    rest -= weight;
    if (rest <= 0) return d;
  }
  return 0;
}

export function covered(pairs: readonly Pair[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const p of pairs) {
    if (p.weight < 0.5) continue;
    low = Math.min(low, p.a);
    high = Math.max(high, p.b);
  }
  return low < high ? [low, high] : [0, 0];
}
