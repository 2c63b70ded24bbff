enable subgroups;
const KERNEL = 3;
const OUT_BLOCKS = 1;
const WORKGROUP = 8;

struct Params {
  width: u32,
  height: u32,
  size: u32,
  in_blocks: u32,
  layer_blocks: u32,
  slope: f32,
  dilation_0: u32,
  across_0: u32,
  blocks_0: u32,
  start_0: u32,
  plane_0: u32,
  output_start: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input_0: array<vec4f>;
@group(0) @binding(2) var weights: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

fn load_input_0(c: u32, at: u32) -> vec4f { return vec4f(input_0[params.start_0 + c * params.plane_0 + at]); }

fn write_output(at: u32, block: u32, value: vec4f) {
  output[params.output_start + at + block * params.size] = vec4f(activate(value));
}

fn load_weights(x: u32, row: u32) -> vec4f { return textureLoad(weights, vec2u(x, row)); }

@compute @workgroup_size(8, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let width = i32(params.width);
  let tile = (group.z * groups.x + group.x) * WORKGROUP + lane;
  let d_0 = i32(params.dilation_0);
  let qx_0 = i32(tile % params.across_0);
  let qy_0 = i32(tile / params.across_0);
  let first_x_0 = qx_0 / d_0 * (2 * d_0) + qx_0 % d_0;
  let first_y_0 = qy_0 / d_0 * (2 * d_0) + qy_0 % d_0;
  let x_0 = first_x_0;
  let y_0 = first_y_0;
  let c_0_0 = x_0 + -1 * d_0;
  let in_0_0 = u32(c_0_0) < params.width;
  let c_0_1 = x_0 + 0 * d_0;
  let in_0_1 = u32(c_0_1) < params.width;
  let c_0_2 = x_0 + 1 * d_0;
  let in_0_2 = u32(c_0_2) < params.width;
  let c_0_3 = x_0 + 2 * d_0;
  let in_0_3 = u32(c_0_3) < params.width;
  var acc_0_0_0_0 = vec4f(0.0);
  var acc_0_0_1_0 = vec4f(0.0);
  var acc_0_1_0_0 = vec4f(0.0);
  var acc_0_1_1_0 = vec4f(0.0);
  var w = group.y * params.in_blocks * 1u;
  for (var c = 0u; c < params.blocks_0; c++) {
    var t_0_0_0 = vec4f(0.0);
    var t_0_0_1 = vec4f(0.0);
    var t_0_0_2 = vec4f(0.0);
    var t_0_0_3 = vec4f(0.0);
    var t_0_1_0 = vec4f(0.0);
    var t_0_1_1 = vec4f(0.0);
    var t_0_1_2 = vec4f(0.0);
    var t_0_1_3 = vec4f(0.0);
    {
      let y = y_0 + (-1) * d_0;
      let inside = u32(y) < params.height;
      let line_start = y * width;
      let ok_0 = inside && in_0_0;
      let at_0 = u32(select(0, line_start + c_0_0, ok_0));
      t_0_0_0 = select(vec4f(0.0), load_input_0(c, at_0), ok_0);
      let ok_1 = inside && in_0_1;
      let at_1 = u32(select(0, line_start + c_0_1, ok_1));
      t_0_0_1 = select(vec4f(0.0), load_input_0(c, at_1), ok_1);
      let ok_2 = inside && in_0_2;
      let at_2 = u32(select(0, line_start + c_0_2, ok_2));
      t_0_0_2 = select(vec4f(0.0), load_input_0(c, at_2), ok_2);
      let ok_3 = inside && in_0_3;
      let at_3 = u32(select(0, line_start + c_0_3, ok_3));
      t_0_0_3 = select(vec4f(0.0), load_input_0(c, at_3), ok_3);
    }
    for (var ky = 0; ky < KERNEL; ky++) {
      let t = u32(ky) * 12u;
      let w_0 = load_weights(t + lane + 0u, w);
      let w_1 = load_weights(t + min(lane + 8u, 11u), w);
      {
        let y = y_0 + (ky + 0) * d_0;
        let inside = u32(y) < params.height;
        let line_start = y * width;
        let ok_0 = inside && in_0_0;
        let at_0 = u32(select(0, line_start + c_0_0, ok_0));
        t_0_1_0 = select(vec4f(0.0), load_input_0(c, at_0), ok_0);
        let ok_1 = inside && in_0_1;
        let at_1 = u32(select(0, line_start + c_0_1, ok_1));
        t_0_1_1 = select(vec4f(0.0), load_input_0(c, at_1), ok_1);
        let ok_2 = inside && in_0_2;
        let at_2 = u32(select(0, line_start + c_0_2, ok_2));
        t_0_1_2 = select(vec4f(0.0), load_input_0(c, at_2), ok_2);
        let ok_3 = inside && in_0_3;
        let at_3 = u32(select(0, line_start + c_0_3, ok_3));
        t_0_1_3 = select(vec4f(0.0), load_input_0(c, at_3), ok_3);
      }
      {
        let a = subgroupBroadcast(w_0, 0u);
        acc_0_0_0_0 += a * t_0_0_0.x;
        acc_0_0_1_0 += a * t_0_0_1.x;
        acc_0_1_0_0 += a * t_0_1_0.x;
        acc_0_1_1_0 += a * t_0_1_1.x;
      }
      {
        let a = subgroupBroadcast(w_0, 1u);
        acc_0_0_0_0 += a * t_0_0_0.y;
        acc_0_0_1_0 += a * t_0_0_1.y;
        acc_0_1_0_0 += a * t_0_1_0.y;
        acc_0_1_1_0 += a * t_0_1_1.y;
      }
      {
        let a = subgroupBroadcast(w_0, 2u);
        acc_0_0_0_0 += a * t_0_0_0.z;
        acc_0_0_1_0 += a * t_0_0_1.z;
        acc_0_1_0_0 += a * t_0_1_0.z;
        acc_0_1_1_0 += a * t_0_1_1.z;
      }
      {
        let a = subgroupBroadcast(w_0, 3u);
        acc_0_0_0_0 += a * t_0_0_0.w;
        acc_0_0_1_0 += a * t_0_0_1.w;
        acc_0_1_0_0 += a * t_0_1_0.w;
        acc_0_1_1_0 += a * t_0_1_1.w;
      }
      {
        let a = subgroupBroadcast(w_0, 4u);
        acc_0_0_0_0 += a * t_0_0_1.x;
        acc_0_0_1_0 += a * t_0_0_2.x;
        acc_0_1_0_0 += a * t_0_1_1.x;
        acc_0_1_1_0 += a * t_0_1_2.x;
      }
      {
        let a = subgroupBroadcast(w_0, 5u);
        acc_0_0_0_0 += a * t_0_0_1.y;
        acc_0_0_1_0 += a * t_0_0_2.y;
        acc_0_1_0_0 += a * t_0_1_1.y;
        acc_0_1_1_0 += a * t_0_1_2.y;
      }
      {
        let a = subgroupBroadcast(w_0, 6u);
        acc_0_0_0_0 += a * t_0_0_1.z;
        acc_0_0_1_0 += a * t_0_0_2.z;
        acc_0_1_0_0 += a * t_0_1_1.z;
        acc_0_1_1_0 += a * t_0_1_2.z;
      }
      {
        let a = subgroupBroadcast(w_0, 7u);
        acc_0_0_0_0 += a * t_0_0_1.w;
        acc_0_0_1_0 += a * t_0_0_2.w;
        acc_0_1_0_0 += a * t_0_1_1.w;
        acc_0_1_1_0 += a * t_0_1_2.w;
      }
      {
        let a = subgroupBroadcast(w_1, 0u);
        acc_0_0_0_0 += a * t_0_0_2.x;
        acc_0_0_1_0 += a * t_0_0_3.x;
        acc_0_1_0_0 += a * t_0_1_2.x;
        acc_0_1_1_0 += a * t_0_1_3.x;
      }
      {
        let a = subgroupBroadcast(w_1, 1u);
        acc_0_0_0_0 += a * t_0_0_2.y;
        acc_0_0_1_0 += a * t_0_0_3.y;
        acc_0_1_0_0 += a * t_0_1_2.y;
        acc_0_1_1_0 += a * t_0_1_3.y;
      }
      {
        let a = subgroupBroadcast(w_1, 2u);
        acc_0_0_0_0 += a * t_0_0_2.z;
        acc_0_0_1_0 += a * t_0_0_3.z;
        acc_0_1_0_0 += a * t_0_1_2.z;
        acc_0_1_1_0 += a * t_0_1_3.z;
      }
      {
        let a = subgroupBroadcast(w_1, 3u);
        acc_0_0_0_0 += a * t_0_0_2.w;
        acc_0_0_1_0 += a * t_0_0_3.w;
        acc_0_1_0_0 += a * t_0_1_2.w;
        acc_0_1_1_0 += a * t_0_1_3.w;
      }
      t_0_0_0 = t_0_1_0;
      t_0_0_1 = t_0_1_1;
      t_0_0_2 = t_0_1_2;
      t_0_0_3 = t_0_1_3;
    }
    w += 1u;
  }
  let first = group.y * OUT_BLOCKS;
  let block_0 = first + 0u * params.layer_blocks;
  if (u32(x_0) < params.width && u32(y_0) < params.height) {
    let at = u32(y_0 * width + x_0);
    write_output(at, block_0 + 0u, acc_0_0_0_0 + bias[first + 0u]);
  }
  if (u32((x_0 + 1 * d_0)) < params.width && u32(y_0) < params.height) {
    let at = u32(y_0 * width + (x_0 + 1 * d_0));
    write_output(at, block_0 + 0u, acc_0_0_1_0 + bias[first + 0u]);
  }
  if (u32(x_0) < params.width && u32((y_0 + 1 * d_0)) < params.height) {
    let at = u32((y_0 + 1 * d_0) * width + x_0);
    write_output(at, block_0 + 0u, acc_0_1_0_0 + bias[first + 0u]);
  }
  if (u32((x_0 + 1 * d_0)) < params.width && u32((y_0 + 1 * d_0)) < params.height) {
    let at = u32((y_0 + 1 * d_0) * width + (x_0 + 1 * d_0));
    write_output(at, block_0 + 0u, acc_0_1_1_0 + bias[first + 0u]);
  }
}
