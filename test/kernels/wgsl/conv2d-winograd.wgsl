const KERNEL = 3;
const OUT_BLOCKS = 1;
const WORKGROUP = 64;

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
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

fn load_input_0(c: u32, at: u32) -> vec4f { return vec4f(input_0[params.start_0 + c * params.plane_0 + at]); }

fn write_output(at: u32, block: u32, value: vec4f) {
  output[params.output_start + at + block * params.size] = vec4f(activate(value));
}

fn load_weight(i: u32) -> vec4f { return vec4f(weights[i]); }

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
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
  var m_0_0_0_0 = vec4f(0.0);
  var m_0_0_1_0 = vec4f(0.0);
  var m_0_0_2_0 = vec4f(0.0);
  var m_0_0_3_0 = vec4f(0.0);
  var m_0_0_4_0 = vec4f(0.0);
  var m_0_0_5_0 = vec4f(0.0);
  var m_0_0_6_0 = vec4f(0.0);
  var m_0_0_7_0 = vec4f(0.0);
  var m_0_0_8_0 = vec4f(0.0);
  var m_0_0_9_0 = vec4f(0.0);
  var m_0_0_10_0 = vec4f(0.0);
  var m_0_0_11_0 = vec4f(0.0);
  var m_0_0_12_0 = vec4f(0.0);
  var m_0_0_13_0 = vec4f(0.0);
  var m_0_0_14_0 = vec4f(0.0);
  var m_0_0_15_0 = vec4f(0.0);
  var w = group.y * params.in_blocks * 64u;
  for (var c = 0u; c < params.blocks_0; c++) {
    let t = w + 0u * 64u;
    var t_0_0_0 = vec4f(0.0);
    var t_0_0_1 = vec4f(0.0);
    var t_0_0_2 = vec4f(0.0);
    var t_0_0_3 = vec4f(0.0);
    var t_0_1_0 = vec4f(0.0);
    var t_0_1_1 = vec4f(0.0);
    var t_0_1_2 = vec4f(0.0);
    var t_0_1_3 = vec4f(0.0);
    var t_0_2_0 = vec4f(0.0);
    var t_0_2_1 = vec4f(0.0);
    var t_0_2_2 = vec4f(0.0);
    var t_0_2_3 = vec4f(0.0);
    var t_0_3_0 = vec4f(0.0);
    var t_0_3_1 = vec4f(0.0);
    var t_0_3_2 = vec4f(0.0);
    var t_0_3_3 = vec4f(0.0);
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
    {
      let y = y_0 + (0) * d_0;
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
      let y = y_0 + (1) * d_0;
      let inside = u32(y) < params.height;
      let line_start = y * width;
      let ok_0 = inside && in_0_0;
      let at_0 = u32(select(0, line_start + c_0_0, ok_0));
      t_0_2_0 = select(vec4f(0.0), load_input_0(c, at_0), ok_0);
      let ok_1 = inside && in_0_1;
      let at_1 = u32(select(0, line_start + c_0_1, ok_1));
      t_0_2_1 = select(vec4f(0.0), load_input_0(c, at_1), ok_1);
      let ok_2 = inside && in_0_2;
      let at_2 = u32(select(0, line_start + c_0_2, ok_2));
      t_0_2_2 = select(vec4f(0.0), load_input_0(c, at_2), ok_2);
      let ok_3 = inside && in_0_3;
      let at_3 = u32(select(0, line_start + c_0_3, ok_3));
      t_0_2_3 = select(vec4f(0.0), load_input_0(c, at_3), ok_3);
    }
    {
      let y = y_0 + (2) * d_0;
      let inside = u32(y) < params.height;
      let line_start = y * width;
      let ok_0 = inside && in_0_0;
      let at_0 = u32(select(0, line_start + c_0_0, ok_0));
      t_0_3_0 = select(vec4f(0.0), load_input_0(c, at_0), ok_0);
      let ok_1 = inside && in_0_1;
      let at_1 = u32(select(0, line_start + c_0_1, ok_1));
      t_0_3_1 = select(vec4f(0.0), load_input_0(c, at_1), ok_1);
      let ok_2 = inside && in_0_2;
      let at_2 = u32(select(0, line_start + c_0_2, ok_2));
      t_0_3_2 = select(vec4f(0.0), load_input_0(c, at_2), ok_2);
      let ok_3 = inside && in_0_3;
      let at_3 = u32(select(0, line_start + c_0_3, ok_3));
      t_0_3_3 = select(vec4f(0.0), load_input_0(c, at_3), ok_3);
    }
    let u_0_0_0 = t_0_0_0 - t_0_2_0;
    let u_0_1_0 = t_0_1_0 + t_0_2_0;
    let u_0_2_0 = t_0_2_0 - t_0_1_0;
    let u_0_3_0 = t_0_1_0 - t_0_3_0;
    let u_0_0_1 = t_0_0_1 - t_0_2_1;
    let u_0_1_1 = t_0_1_1 + t_0_2_1;
    let u_0_2_1 = t_0_2_1 - t_0_1_1;
    let u_0_3_1 = t_0_1_1 - t_0_3_1;
    let u_0_0_2 = t_0_0_2 - t_0_2_2;
    let u_0_1_2 = t_0_1_2 + t_0_2_2;
    let u_0_2_2 = t_0_2_2 - t_0_1_2;
    let u_0_3_2 = t_0_1_2 - t_0_3_2;
    let u_0_0_3 = t_0_0_3 - t_0_2_3;
    let u_0_1_3 = t_0_1_3 + t_0_2_3;
    let u_0_2_3 = t_0_2_3 - t_0_1_3;
    let u_0_3_3 = t_0_1_3 - t_0_3_3;
    let v_0_0_0 = u_0_0_0 - u_0_0_2;
    let v_0_0_1 = u_0_0_1 + u_0_0_2;
    let v_0_0_2 = u_0_0_2 - u_0_0_1;
    let v_0_0_3 = u_0_0_1 - u_0_0_3;
    let v_0_0_4 = u_0_1_0 - u_0_1_2;
    let v_0_0_5 = u_0_1_1 + u_0_1_2;
    let v_0_0_6 = u_0_1_2 - u_0_1_1;
    let v_0_0_7 = u_0_1_1 - u_0_1_3;
    let v_0_0_8 = u_0_2_0 - u_0_2_2;
    let v_0_0_9 = u_0_2_1 + u_0_2_2;
    let v_0_0_10 = u_0_2_2 - u_0_2_1;
    let v_0_0_11 = u_0_2_1 - u_0_2_3;
    let v_0_0_12 = u_0_3_0 - u_0_3_2;
    let v_0_0_13 = u_0_3_1 + u_0_3_2;
    let v_0_0_14 = u_0_3_2 - u_0_3_1;
    let v_0_0_15 = u_0_3_1 - u_0_3_3;
    { let a = load_weight(t + 0u); m_0_0_0_0 += a * v_0_0_0.x; }
    { let a = load_weight(t + 1u); m_0_0_0_0 += a * v_0_0_0.y; }
    { let a = load_weight(t + 2u); m_0_0_0_0 += a * v_0_0_0.z; }
    { let a = load_weight(t + 3u); m_0_0_0_0 += a * v_0_0_0.w; }
    { let a = load_weight(t + 4u); m_0_0_1_0 += a * v_0_0_1.x; }
    { let a = load_weight(t + 5u); m_0_0_1_0 += a * v_0_0_1.y; }
    { let a = load_weight(t + 6u); m_0_0_1_0 += a * v_0_0_1.z; }
    { let a = load_weight(t + 7u); m_0_0_1_0 += a * v_0_0_1.w; }
    { let a = load_weight(t + 8u); m_0_0_2_0 += a * v_0_0_2.x; }
    { let a = load_weight(t + 9u); m_0_0_2_0 += a * v_0_0_2.y; }
    { let a = load_weight(t + 10u); m_0_0_2_0 += a * v_0_0_2.z; }
    { let a = load_weight(t + 11u); m_0_0_2_0 += a * v_0_0_2.w; }
    { let a = load_weight(t + 12u); m_0_0_3_0 += a * v_0_0_3.x; }
    { let a = load_weight(t + 13u); m_0_0_3_0 += a * v_0_0_3.y; }
    { let a = load_weight(t + 14u); m_0_0_3_0 += a * v_0_0_3.z; }
    { let a = load_weight(t + 15u); m_0_0_3_0 += a * v_0_0_3.w; }
    { let a = load_weight(t + 16u); m_0_0_4_0 += a * v_0_0_4.x; }
    { let a = load_weight(t + 17u); m_0_0_4_0 += a * v_0_0_4.y; }
    { let a = load_weight(t + 18u); m_0_0_4_0 += a * v_0_0_4.z; }
    { let a = load_weight(t + 19u); m_0_0_4_0 += a * v_0_0_4.w; }
    { let a = load_weight(t + 20u); m_0_0_5_0 += a * v_0_0_5.x; }
    { let a = load_weight(t + 21u); m_0_0_5_0 += a * v_0_0_5.y; }
    { let a = load_weight(t + 22u); m_0_0_5_0 += a * v_0_0_5.z; }
    { let a = load_weight(t + 23u); m_0_0_5_0 += a * v_0_0_5.w; }
    { let a = load_weight(t + 24u); m_0_0_6_0 += a * v_0_0_6.x; }
    { let a = load_weight(t + 25u); m_0_0_6_0 += a * v_0_0_6.y; }
    { let a = load_weight(t + 26u); m_0_0_6_0 += a * v_0_0_6.z; }
    { let a = load_weight(t + 27u); m_0_0_6_0 += a * v_0_0_6.w; }
    { let a = load_weight(t + 28u); m_0_0_7_0 += a * v_0_0_7.x; }
    { let a = load_weight(t + 29u); m_0_0_7_0 += a * v_0_0_7.y; }
    { let a = load_weight(t + 30u); m_0_0_7_0 += a * v_0_0_7.z; }
    { let a = load_weight(t + 31u); m_0_0_7_0 += a * v_0_0_7.w; }
    { let a = load_weight(t + 32u); m_0_0_8_0 += a * v_0_0_8.x; }
    { let a = load_weight(t + 33u); m_0_0_8_0 += a * v_0_0_8.y; }
    { let a = load_weight(t + 34u); m_0_0_8_0 += a * v_0_0_8.z; }
    { let a = load_weight(t + 35u); m_0_0_8_0 += a * v_0_0_8.w; }
    { let a = load_weight(t + 36u); m_0_0_9_0 += a * v_0_0_9.x; }
    { let a = load_weight(t + 37u); m_0_0_9_0 += a * v_0_0_9.y; }
    { let a = load_weight(t + 38u); m_0_0_9_0 += a * v_0_0_9.z; }
    { let a = load_weight(t + 39u); m_0_0_9_0 += a * v_0_0_9.w; }
    { let a = load_weight(t + 40u); m_0_0_10_0 += a * v_0_0_10.x; }
    { let a = load_weight(t + 41u); m_0_0_10_0 += a * v_0_0_10.y; }
    { let a = load_weight(t + 42u); m_0_0_10_0 += a * v_0_0_10.z; }
    { let a = load_weight(t + 43u); m_0_0_10_0 += a * v_0_0_10.w; }
    { let a = load_weight(t + 44u); m_0_0_11_0 += a * v_0_0_11.x; }
    { let a = load_weight(t + 45u); m_0_0_11_0 += a * v_0_0_11.y; }
    { let a = load_weight(t + 46u); m_0_0_11_0 += a * v_0_0_11.z; }
    { let a = load_weight(t + 47u); m_0_0_11_0 += a * v_0_0_11.w; }
    { let a = load_weight(t + 48u); m_0_0_12_0 += a * v_0_0_12.x; }
    { let a = load_weight(t + 49u); m_0_0_12_0 += a * v_0_0_12.y; }
    { let a = load_weight(t + 50u); m_0_0_12_0 += a * v_0_0_12.z; }
    { let a = load_weight(t + 51u); m_0_0_12_0 += a * v_0_0_12.w; }
    { let a = load_weight(t + 52u); m_0_0_13_0 += a * v_0_0_13.x; }
    { let a = load_weight(t + 53u); m_0_0_13_0 += a * v_0_0_13.y; }
    { let a = load_weight(t + 54u); m_0_0_13_0 += a * v_0_0_13.z; }
    { let a = load_weight(t + 55u); m_0_0_13_0 += a * v_0_0_13.w; }
    { let a = load_weight(t + 56u); m_0_0_14_0 += a * v_0_0_14.x; }
    { let a = load_weight(t + 57u); m_0_0_14_0 += a * v_0_0_14.y; }
    { let a = load_weight(t + 58u); m_0_0_14_0 += a * v_0_0_14.z; }
    { let a = load_weight(t + 59u); m_0_0_14_0 += a * v_0_0_14.w; }
    { let a = load_weight(t + 60u); m_0_0_15_0 += a * v_0_0_15.x; }
    { let a = load_weight(t + 61u); m_0_0_15_0 += a * v_0_0_15.y; }
    { let a = load_weight(t + 62u); m_0_0_15_0 += a * v_0_0_15.z; }
    { let a = load_weight(t + 63u); m_0_0_15_0 += a * v_0_0_15.w; }
    w += 64u;
  }
  let n_0_0_0_0_0 = m_0_0_0_0 + m_0_0_4_0 + m_0_0_8_0;
  let n_0_0_0_1_0 = m_0_0_4_0 - m_0_0_8_0 - m_0_0_12_0;
  let n_0_0_0_0_1 = m_0_0_1_0 + m_0_0_5_0 + m_0_0_9_0;
  let n_0_0_0_1_1 = m_0_0_5_0 - m_0_0_9_0 - m_0_0_13_0;
  let n_0_0_0_0_2 = m_0_0_2_0 + m_0_0_6_0 + m_0_0_10_0;
  let n_0_0_0_1_2 = m_0_0_6_0 - m_0_0_10_0 - m_0_0_14_0;
  let n_0_0_0_0_3 = m_0_0_3_0 + m_0_0_7_0 + m_0_0_11_0;
  let n_0_0_0_1_3 = m_0_0_7_0 - m_0_0_11_0 - m_0_0_15_0;
  let acc_0_0_0_0 = n_0_0_0_0_0 + n_0_0_0_0_1 + n_0_0_0_0_2;
  let acc_0_0_1_0 = n_0_0_0_0_1 - n_0_0_0_0_2 - n_0_0_0_0_3;
  let acc_0_1_0_0 = n_0_0_0_1_0 + n_0_0_0_1_1 + n_0_0_0_1_2;
  let acc_0_1_1_0 = n_0_0_0_1_1 - n_0_0_0_1_2 - n_0_0_0_1_3;
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
