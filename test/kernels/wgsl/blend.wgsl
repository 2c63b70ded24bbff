struct Params {
  width: u32,
  height: u32,
  size: u32,
  count: u32,
  mask_start: u32,
  moving_start: u32,
  still_start: u32,
  stack_start: u32,
  output_start: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> moving: array<vec4f>;
@group(0) @binding(2) var<storage, read> still: array<vec4f>;
@group(0) @binding(3) var<storage, read> stack: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn flat_index(group: vec3u, local: u32, groups: vec3u) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

fn load_moving(i: u32) -> vec4f { return vec4f(moving[params.moving_start + i]); }

fn load_still(i: u32) -> vec4f { return vec4f(still[params.still_start + i]); }

fn load_stack(i: u32) -> vec4f { return vec4f(stack[params.stack_start + i]); }

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let block = index / params.size;
  let pixel = index % params.size;
  let y = pixel / params.width;
  let x = pixel % params.width;
  let w = load_stack(params.mask_start + pixel).w;
  let value = w * load_moving(index) + (1.0 - w) * load_still(index);
  output[params.output_start + index] = vec4f(value);
}
