struct Params {
  width: u32,
  height: u32,
  size: u32,
  channels: u32,
  group_in: u32,
  group_out: u32,
  kernel: i32,
  dilation: i32,
  slope: f32,
  input_start: u32,
  weights_start: u32,
  bias_start: u32,
  output_start: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn load_input(i: u32) -> vec4f { return vec4f(input[params.input_start + i]); }

fn load_weights(i: u32) -> vec4f { return vec4f(weights[params.weights_start + i]); }

fn load_bias(i: u32) -> vec4f { return vec4f(bias[params.bias_start + i]); }

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

fn load_channel(channel: u32, y: i32, x: i32) -> f32 {
  if (u32(y) >= params.height || u32(x) >= params.width) { return 0.0; }
  return load_input((channel / 4u) * params.size + u32(y) * params.width + u32(x))[channel % 4u];
}

fn convolve(channel: u32, y: i32, x: i32) -> f32 {
  let at = channel / params.group_out * params.group_in;
  let radius = params.kernel / 2;
  var w = channel * params.group_in * u32(params.kernel * params.kernel);
  var sum = 0.0;
  for (var c = 0u; c < params.group_in; c++) {
    for (var ky = -radius; ky <= radius; ky++) {
      for (var kx = -radius; kx <= radius; kx++) {
        sum += load_weights(w / 4u)[w % 4u] * load_channel(at + c, y + ky * params.dilation, x + kx * params.dilation);
        w++;
      }
    }
  }
  return sum;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = id.x;
  if (x >= params.width) { return; }
  let y = id.y;
  let block = id.z;
  let pixel = y * params.width + x;
  let index = block * params.size + pixel;
  var sums = vec4f(0.0);
  for (var lane = 0u; lane < min(4u, params.channels - block * 4u); lane++) {
    sums[lane] = convolve(block * 4u + lane, i32(y), i32(x));
  }
  let value = activate(sums + load_bias(block));
  output[params.output_start + index] = vec4f(value);
}
