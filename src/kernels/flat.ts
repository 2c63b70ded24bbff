/** Flat grids: one invocation per element, in rows of workgroups. */
import { rowsOf } from './program.ts';

/** Invocations of a workgroup. */
export const FLAT_WORKGROUP = 64;

/** Grid for `count` elements. */
export function flatGrid(count: number): readonly [number, number, number] {
  return [...rowsOf(Math.ceil(count / FLAT_WORKGROUP)), 1];
}

/** WGSL that turns the flat grid's ids into an element index. */
export const FLAT_INDEX = `
fn flat_index(group: vec3u, local: u32, groups: vec3u) -> u32 {
  return (group.y * groups.x + group.x) * ${FLAT_WORKGROUP}u + local;
}
`;

/** Arguments of an entry point that calls `flat_index`. */
export const FLAT_ARGS =
  '@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) ' +
  'groups: vec3u';
