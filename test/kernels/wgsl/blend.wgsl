struct Params {
  width: u32,
  height: u32,
  size: u32,
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

fn load_moving(i: u32) -> vec4f { return vec4f(moving[params.moving_start + i]); }

fn load_still(i: u32) -> vec4f { return vec4f(still[params.still_start + i]); }

fn load_stack(i: u32) -> vec4f { return vec4f(stack[params.stack_start + i]); }

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  if (x >= params.width) { return; }
  let y = id.y;
  let block = id.z;
  let pixel = y * params.width + x;
  let index = block * params.size + pixel;
  let w = load_stack(params.mask_start + pixel).w;
  let value = w * load_moving(index) + (1.0 - w) * load_still(index);
  output[params.output_start + index] = vec4f(value);
}
