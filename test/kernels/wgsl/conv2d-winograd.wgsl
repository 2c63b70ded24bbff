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
@group(0) @binding(2) var<storage, read> weights: array<array<vec4f, 4>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

fn load_input_0(c: u32, at: u32) -> vec4f { return vec4f(input_0[params.start_0 + c * params.plane_0 + at]); }

fn write_output(at: u32, block: u32, value: vec4f) {
  output[params.output_start + at + block * params.size] = vec4f(activate(value));
}
var<workgroup> staged: array<vec4f, 100>;
var<workgroup> spread: array<array<vec4f, 4>, WORKGROUP>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = i32(params.width);
  let tile = group.z * groups.x + group.x;
  let d_0 = i32(params.dilation_0);
  let qx_0 = i32(tile % params.across_0);
  let qy_0 = i32(tile / params.across_0);
  let first_x_0 = qx_0 / d_0 * (8 * d_0) + qx_0 % d_0;
  let first_y_0 = qy_0 / d_0 * (8 * d_0) + qy_0 % d_0;
  let x_0 = first_x_0 + i32(lane % 8u) * 1 * d_0;
  let y_0 = first_y_0 + i32(lane / 8u) * 1 * d_0;
  let at = lane / 8u * 10u + lane % 8u * 1u;
  let copy_x_0 = first_x_0 + (i32((lane) % 10u) - 1) * d_0;
  let copy_y_0 = first_y_0 + (i32((lane) / 10u) - 1) * d_0;
  let inside_0 = u32(copy_x_0) < params.width && u32(copy_y_0) < params.height;
  if (!inside_0) { staged[lane] = vec4f(0.0); }
  let copy_x_1 = first_x_0 + (i32((lane + 64u) % 10u) - 1) * d_0;
  let copy_y_1 = first_y_0 + (i32((lane + 64u) / 10u) - 1) * d_0;
  let inside_1 = u32(copy_x_1) < params.width && u32(copy_y_1) < params.height && lane + 64u < 100u;
  if (!inside_1 && lane + 64u < 100u) { staged[lane + 64u] = vec4f(0.0); }
  var m_0_0 = vec4f(0.0);
  var m_1_0 = vec4f(0.0);
  var m_2_0 = vec4f(0.0);
  var m_3_0 = vec4f(0.0);
  var w = group.y * params.in_blocks * 16u;
  for (var c = 0u; c < params.blocks_0; c++) {
    if (inside_0) { staged[lane] = load_input_0(c, u32(copy_y_0 * width + copy_x_0)); }
    if (inside_1) { staged[lane + 64u] = load_input_0(c, u32(copy_y_1 * width + copy_x_1)); }
    workgroupBarrier();
    {
      let item = lane + 0u;
      let place = item / 4u;
      let row = item % 4u;
      let corner = place / 4u * 20u + place % 4u * 2u;
      let a = corner + select(select(1u, 2u, row == 2u), 0u, row == 0u) * 10u;
      let b = corner + select(select(2u, 1u, row == 2u), 3u, row == 3u) * 10u;
      let sign = select(-1.0, 1.0, row == 1u);
      let u_0 = staged[a + 0u] + sign * staged[b + 0u];
      let u_1 = staged[a + 1u] + sign * staged[b + 1u];
      let u_2 = staged[a + 2u] + sign * staged[b + 2u];
      let u_3 = staged[a + 3u] + sign * staged[b + 3u];
      let to = row * 16u + place / 4u;
      spread[to + 0u][place % 4u] = u_0 - u_2;
      spread[to + 4u][place % 4u] = u_1 + u_2;
      spread[to + 8u][place % 4u] = u_2 - u_1;
      spread[to + 12u][place % 4u] = u_1 - u_3;
    }
    workgroupBarrier();
    let t = w + lane / 4u;
    let v_0 = spread[lane][0];
    let v_1 = spread[lane][1];
    let v_2 = spread[lane][2];
    let v_3 = spread[lane][3];
    {
      let a = vec4f(weights[t][0]);
      m_0_0 += a * v_0.x;
      m_1_0 += a * v_1.x;
      m_2_0 += a * v_2.x;
      m_3_0 += a * v_3.x;
    }
    {
      let a = vec4f(weights[t][1]);
      m_0_0 += a * v_0.y;
      m_1_0 += a * v_1.y;
      m_2_0 += a * v_2.y;
      m_3_0 += a * v_3.y;
    }
    {
      let a = vec4f(weights[t][2]);
      m_0_0 += a * v_0.z;
      m_1_0 += a * v_1.z;
      m_2_0 += a * v_2.z;
      m_3_0 += a * v_3.z;
    }
    {
      let a = vec4f(weights[t][3]);
      m_0_0 += a * v_0.w;
      m_1_0 += a * v_1.w;
      m_2_0 += a * v_2.w;
      m_3_0 += a * v_3.w;
    }
    w += 16u;
  }
  workgroupBarrier();
  spread[lane][0] = m_0_0;
  spread[lane][1] = m_1_0;
  spread[lane][2] = m_2_0;
  spread[lane][3] = m_3_0;
  workgroupBarrier();
  var acc_0_0_0_0 = vec4f(0.0);
  {
    let place = lane / 16u * 4u + lane % 8u / 2u;
    let start = lane / 8u % 2u * 16u + lane % 2u * 4u + place / 4u;
    let down = select(1.0, -1.0, lane / 8u % 2u == 1u);
    let n_0 = spread[start + 0u][place % 4u] + down * (spread[start + 16u][place % 4u] + spread[start + 32u][place % 4u]);
    let n_1 = spread[start + 4u][place % 4u] + down * (spread[start + 20u][place % 4u] + spread[start + 36u][place % 4u]);
    let n_2 = spread[start + 8u][place % 4u] + down * (spread[start + 24u][place % 4u] + spread[start + 40u][place % 4u]);
    acc_0_0_0_0 = n_0 + select(1.0, -1.0, lane % 2u == 1u) * (n_1 + n_2);
  }
  let first = group.y * OUT_BLOCKS;
  let block_0 = first + 0u * params.layer_blocks;
  if (u32(x_0) < params.width && u32(y_0) < params.height) {
    let at = u32(y_0 * width + x_0);
    write_output(at, block_0 + 0u, acc_0_0_0_0 + bias[first + 0u]);
  }
}
