/** WGSL: the table of local curves between its nodes, from a buffer, as `finishWgsl` needs it. */
import { GRID_NODES } from './grid.ts';

/** @param finish the numbers. @param table the buffer. */
export function tableWgsl(finish = 'params.finish', table = 'table'): string {
  return `
fn finish_plane(at: vec3u, part: vec2f) -> f32 {
  let columns = u32(${finish}[6].x);
  let first = (at.z * u32(${finish}[6].y) + at.y) * columns + at.x;
  let top = mix(${table}[first], ${table}[first + 1u], part.x);
  return mix(top, mix(${table}[first + columns], ${table}[first + columns + 1u], part.x), part.y);
}

fn finish_table(at: vec3f) -> f32 {
  let last = vec3f(${finish}[6].xy, ${GRID_NODES}.0) - 1.0;
  let place = clamp(at, vec3f(0.0), last);
  let low = vec3u(min(floor(place), last - 1.0));
  let part = place - vec3f(low);
  return mix(finish_plane(low, part.xy), finish_plane(low + vec3u(0u, 0u, 1u), part.xy), part.z);
}
`;
}
