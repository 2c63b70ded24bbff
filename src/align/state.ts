/**
 * The state of an estimation on the GPU: for each hypothesis, a homography in normalised coordinates with its figures.
 * It stays there from the first level to the last.
 */

/** Hypotheses that go through the coarsest two levels. */
export const HYPOTHESES = 4;

/** Floats of a hypothesis. */
export const STATE_FLOATS = 16;

/** Where figures lie after the nine numbers of the homography. */
export const AT = {
  /** Whether updates have become too small to matter, or not finite: the rest of the level is skipped. */
  done: 9,
  /** Share of the overlap's weight that fits. */
  inliers: 10,
  /** Mean weight of pixels that both frames cover. */
  overlap: 11,
  /** Correlation of features over the overlap. */
  correlation: 12,
  /** Updates at this level. */
  updates: 13,
} as const;

/**
 * WGSL: the places and names of figures, and a hypothesis's homography N, with its rows as columns: `p * load(h)` is
 * N p. Programs bind `state`.
 */
export const STATE = `${Object.entries(AT)
  .map(([name, at]) => `const ${name.toUpperCase()} = ${at}u;`)
  .join('\n')}
fn slot(hypothesis: u32, i: u32) -> u32 { return ${STATE_FLOATS}u * hypothesis + i; }
fn load(hypothesis: u32) -> mat3x3f {
  var n: mat3x3f;
  for (var i = 0u; i < 9u; i++) { n[i / 3u][i % 3u] = state[slot(hypothesis, i)]; }
  return n;
}
`;

/** WGSL: stores a homography, with 1 as its last number. Programs bind `state` to be written. */
export const STORE = `
fn store(hypothesis: u32, n: mat3x3f) {
  for (var i = 0u; i < 9u; i++) { state[slot(hypothesis, i)] = n[i / 3u][i % 3u] / n[2].z; }
}
`;
