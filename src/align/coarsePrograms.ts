/**
 * The search at the coarsest level: every shift within reach at a few rotations, by weighted correlation over the
 * overlap. The best maxima become hypotheses.
 */
import { Program } from '../kernels/program.ts';
import { AT, HYPOTHESES, STATE } from './state.ts';
import { PIXELS } from './pixels.ts';
import { SAMPLE } from './sample.ts';

/** Rotations that are tried, in degrees. */
const ROTATIONS = [-4, -2, 0, 2, 4];

/** How far shifts reach, as a share of the longer side. */
const REACH = 0.13;

/** Least overlap, as a share of the picture. */
const LEAST_OVERLAP = 0.04;

/** The search's size at a level: shifts from -reach to reach in both directions, at each rotation. */
export function searchSize(width: number, height: number): { reach: number; side: number; count: number } {
  const reach = Math.max(2, Math.ceil(REACH * Math.max(width, height)));
  const side = 2 * reach + 1;
  return { reach, side, count: side * side * ROTATIONS.length };
}

/** A candidate's rotation as cosine and sine, and its shift in pixels. */
const CANDIDATE = `
const ANGLES = array(${ROTATIONS.map((degrees) => (degrees * Math.PI) / 180).join(', ')});
fn candidate(given: u32) -> vec4f {
  let index = min(given, params.count - 1u);
  let angle = ANGLES[index / (params.side * params.side)];
  let at = index % (params.side * params.side);
  let shift = vec2f(f32(at % params.side), f32(at / params.side)) - f32(params.reach);
  return vec4f(cos(angle), sin(angle), shift);
}`;

const PARAMS = { width: 'u32', height: 'u32', first: 'u32', reach: 'u32', side: 'u32', count: 'u32' } as const;
const LANES = 64;

/** A candidate a workgroup: its correlation, or -9 where the overlap is too small. */
export const CORRELATE = new Program({
  label: 'align correlate',
  workgroup: [LANES, 1, 1],
  params: PARAMS,
  bindings: {
    reference: PIXELS,
    frame: PIXELS,
    scores: { access: 'read_write', type: 'array<f32>' },
  },
  body: `${SAMPLE}${CANDIDATE}
var<workgroup> parts: array<vec4f, ${LANES}>;

@workgroup
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = group.y * groups.x + group.x;
  if (index >= params.count) { return; }
  let turn = candidate(index);
  let middle = (vec2f(f32(params.width), f32(params.height)) - 1.0) / 2.0;
  var sums = vec4f(0.0);
  for (var i = local; i < params.width * params.height; i += ${LANES}u) {
    let p = vec2f(f32(i % params.width), f32(i / params.width)) + turn.zw - middle;
    let there = sample(vec2f(turn.x * p.x - turn.y * p.y, turn.y * p.x + turn.x * p.y) + middle);
    let here = feature_of(reference[params.first + i]);
    let weight = here.y * there.y;
    sums += weight * vec4f(here.x * there.x, here.x * here.x, there.x * there.x, 1.0);
  }
  parts[local] = sums;
  workgroupBarrier();
  if (local != 0u) { return; }
  for (var i = 1u; i < ${LANES}u; i++) { sums += parts[i]; }
  let enough = sums.w > ${LEAST_OVERLAP} * f32(params.width * params.height);
  scores[index] = select(-9.0, sums.x / sqrt(max(sums.y * sums.z, 1e-6)), enough);
}`,
});

/** Maxima of neighbouring rotations must be this far apart, in pixels. */
const APART = 3;

const PICKERS = 256;

/**
 * Takes the best candidates that are apart from each other, and makes them the hypotheses. Where there are fewer than
 * hypotheses, the others are done and have no score. Indices are below 2^24, so floats hold them.
 */
export const PICK = new Program({
  label: 'align pick',
  workgroup: [PICKERS, 1, 1],
  params: { ...PARAMS, unit: 'f32' },
  bindings: {
    scores: { access: 'read_write', type: 'array<f32>' },
    state: { access: 'read_write', type: 'array<f32>' },
  },
  body: `${STATE}${CANDIDATE}
var<workgroup> best: array<vec2f, ${PICKERS}>;
var<workgroup> picked: vec2f;

@workgroup
fn main(@builtin(local_invocation_index) local: u32) {
  for (var h = 0u; h < ${HYPOTHESES}u; h++) {
    var mine = vec2f(-9.0, -1.0);
    for (var i = local; i < params.count; i += ${PICKERS}u) {
      let score = scores[i];
      if (score > mine.x) { mine = vec2f(score, f32(i)); }
    }
    best[local] = mine;
    workgroupBarrier();
    if (local == 0u) {
      for (var i = 1u; i < ${PICKERS}u; i++) { if (best[i].x > mine.x) { mine = best[i]; } }
      picked = mine;
      var turn = vec4f(1.0, 0.0, 0.0, 0.0);
      if (mine.y >= 0.0) { turn = candidate(u32(mine.y)); }
      let d = turn.zw / params.unit;
      let values = array(
        turn.x, -turn.y, turn.x * d.x - turn.y * d.y, turn.y, turn.x, turn.y * d.x + turn.x * d.y, 0.0, 0.0, 1.0,
      );
      for (var i = 0u; i < 9u; i++) { state[slot(h, i)] = values[i]; }
      state[slot(h, DONE)] = select(0.0, 1.0, mine.y < 0.0 && h > 0u);
      for (var i = ${AT.inliers}u; i < ${AT.updates + 1}u; i++) { state[slot(h, i)] = 0.0; }
    }
    workgroupBarrier();
    let taken = workgroupUniformLoad(&picked);
    if (taken.y >= 0.0) {
      let chosen = candidate(u32(taken.y));
      let rotation = i32(u32(taken.y) / (params.side * params.side));
      for (var i = local; i < params.count; i += ${PICKERS}u) {
        let turns = abs(i32(i / (params.side * params.side)) - rotation);
        if (turns <= 1 && distance(candidate(i).zw, chosen.zw) < ${APART}.0) { scores[i] = -9.0; }
      }
    }
    storageBarrier();
    workgroupBarrier();
  }
}`,
});
