const KERNEL = 3;
const RADIUS = 1;

struct Params {
  width: u32,
  height: u32,
  size: u32,
  channels: u32,
  group_in: u32,
  group_out: u32,
  input_start: u32,
  output_start: u32,
  dilation: u32,
  slope: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn flat_index(group: vec3u, local: u32, groups: vec3u) -> u32 {
  return (group.y * groups.x + group.x) * 64u + local;
}

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

fn load_input(channel: u32, y: i32, x: i32) -> f32 {
  if (u32(y) >= params.height || u32(x) >= params.width) { return 0.0; }
  let index = params.input_start + (channel / 4u) * params.size + u32(y) * params.width + u32(x);
  return f32(input[index][channel % 4u]);
}

fn convolve(channel: u32, y: i32, x: i32) -> f32 {
  let in_first = channel / params.group_out * params.group_in;
  var w = channel * params.group_in * (KERNEL * KERNEL);
  var sum = 0.0;
  for (var c = 0u; c < params.group_in; c++) {
    for (var ky = -RADIUS; ky <= RADIUS; ky++) {
      for (var kx = -RADIUS; kx <= RADIUS; kx++) {
        sum += weights[w] * load_input(in_first + c, y + ky * i32(params.dilation), x + kx * i32(params.dilation));
        w++;
      }
    }
  }
  return sum;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let index = flat_index(group, local, groups);
  let block = index / params.size;
  let pixel = index % params.size;
  if (block * 4u >= params.channels) { return; }
  let y = i32(pixel / params.width);
  let x = i32(pixel % params.width);
  var value = vec4f(0.0);
  for (var lane = 0u; lane < min(4u, params.channels - block * 4u); lane++) {
    value[lane] = convolve(block * 4u + lane, y, x);
  }
  output[params.output_start + index] = vec4f(activate(value + bias[block]));
}
