/** Weighted linear least squares by the normal equations, for few terms an equation and hundreds of unknowns. */

/** Linear equations in the unknowns, as arrays: they are read many times, faster than an object for each. */
export interface Equations {
  /** Trust in each equation. */
  weights: Float64Array;
  targets: Float64Array;
  /** Where the terms of each equation begin, and where the last ones end. */
  starts: Uint32Array;
  /** The terms' unknowns and factors. */
  columns: Uint16Array;
  factors: Float64Array;
}

/** Room for equations. @param terms the most that one of them has. */
export function emptyEquations(count: number, terms: number): Equations {
  return {
    weights: new Float64Array(count),
    targets: new Float64Array(count),
    starts: new Uint32Array(count + 1),
    columns: new Uint16Array(count * terms),
    factors: new Float64Array(count * terms),
  };
}

/** Adds a term to the equation that is being made, which has those up to `end`. @returns the new end. */
export function addTerm(
  { columns, factors }: Equations,
  start: number,
  end: number,
  column: number,
  factor: number,
): number {
  let at = start;
  while (at < end && columns[at] !== column) at++;
  if (at === end) {
    columns[at] = column;
    factors[at] = 0;
  }
  factors[at] += factor;
  return Math.max(end, at + 1);
}

/**
 * Adds weight (sum factors x[columns] - target)^2 to the normal equations of `size` unknowns, of whose matrix only the
 * lower triangle counts.
 */
export function addEquation(
  matrix: Float64Array,
  right: Float64Array,
  size: number,
  { targets, starts, columns, factors }: Equations,
  i: number,
  weight: number,
): void {
  const end = starts[i + 1];
  for (let k = starts[i]; k < end; k++) {
    const scaled = weight * factors[k];
    const column = columns[k];
    right[column] += scaled * targets[i];
    for (let l = starts[i]; l < end; l++)
      if (columns[l] <= column) matrix[column * size + columns[l]] += scaled * factors[l];
  }
}

/**
 * Solves the symmetric, positive definite `matrix` x = `right` by Cholesky's method, from the lower triangle; both are
 * overwritten, `right` with x.
 */
export function solve(matrix: Float64Array, right: Float64Array, n: number): void {
  // What lies before a row's first value stays 0 and is left out. A multiple of four, as the sums below need it.
  const first = Uint32Array.from({ length: n }, (_, row) => {
    let column = 0;
    while (column < row && matrix[row * n + column] === 0) column++;
    return column - (column % 4);
  });
  for (let j = 0; j < n; j++) {
    for (let k = first[j]; k <= j; k++) {
      const a = j * n;
      const b = k * n;
      // Four sums, because a single one would have to wait for itself at each step: a fit spends most of its time here.
      let s0 = matrix[a + k];
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let i = Math.max(first[j], first[k]);
      for (; i + 3 < k; i += 4) {
        s0 -= matrix[a + i] * matrix[b + i];
        s1 -= matrix[a + i + 1] * matrix[b + i + 1];
        s2 -= matrix[a + i + 2] * matrix[b + i + 2];
        s3 -= matrix[a + i + 3] * matrix[b + i + 3];
      }
      for (; i < k; i++) s0 -= matrix[a + i] * matrix[b + i];
      const sum = s0 + s1 + (s2 + s3);
      matrix[a + k] = k < j ? sum / matrix[b + k] : Math.sqrt(Math.max(sum, 1e-12));
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) right[i] -= matrix[i * n + k] * right[k];
    right[i] /= matrix[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) right[i] -= matrix[k * n + i] * right[k];
    right[i] /= matrix[i * n + i];
  }
}
