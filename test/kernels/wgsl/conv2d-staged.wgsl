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
var<workgroup> staged: array<vec4f, 324>;
var<workgroup> kernels: array<array<vec4f, 12>, 3>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = i32(params.width);
  let tile = group.z * groups.x + group.x;
  let d_0 = i32(params.dilation_0);
  let qx_0 = i32(tile % params.across_0);
  let qy_0 = i32(tile / params.across_0);
  let first_x_0 = qx_0 / d_0 * (16 * d_0) + qx_0 % d_0;
  let first_y_0 = qy_0 / d_0 * (16 * d_0) + qy_0 % d_0;
  let x_0 = first_x_0 + i32(lane % 8u) * 2 * d_0;
  let y_0 = first_y_0 + i32(lane / 8u) * 2 * d_0;
  let at = lane / 8u * 36u + lane % 8u * 2u;
  let copy_x_0 = first_x_0 + (i32((lane) % 18u) - 1) * d_0;
  let copy_y_0 = first_y_0 + (i32((lane) / 18u) - 1) * d_0;
  let inside_0 = u32(copy_x_0) < params.width && u32(copy_y_0) < params.height;
  if (!inside_0) { staged[lane] = vec4f(0.0); }
  let copy_x_1 = first_x_0 + (i32((lane + 64u) % 18u) - 1) * d_0;
  let copy_y_1 = first_y_0 + (i32((lane + 64u) / 18u) - 1) * d_0;
  let inside_1 = u32(copy_x_1) < params.width && u32(copy_y_1) < params.height;
  if (!inside_1) { staged[lane + 64u] = vec4f(0.0); }
  let copy_x_2 = first_x_0 + (i32((lane + 128u) % 18u) - 1) * d_0;
  let copy_y_2 = first_y_0 + (i32((lane + 128u) / 18u) - 1) * d_0;
  let inside_2 = u32(copy_x_2) < params.width && u32(copy_y_2) < params.height;
  if (!inside_2) { staged[lane + 128u] = vec4f(0.0); }
  let copy_x_3 = first_x_0 + (i32((lane + 192u) % 18u) - 1) * d_0;
  let copy_y_3 = first_y_0 + (i32((lane + 192u) / 18u) - 1) * d_0;
  let inside_3 = u32(copy_x_3) < params.width && u32(copy_y_3) < params.height;
  if (!inside_3) { staged[lane + 192u] = vec4f(0.0); }
  let copy_x_4 = first_x_0 + (i32((lane + 256u) % 18u) - 1) * d_0;
  let copy_y_4 = first_y_0 + (i32((lane + 256u) / 18u) - 1) * d_0;
  let inside_4 = u32(copy_x_4) < params.width && u32(copy_y_4) < params.height;
  if (!inside_4) { staged[lane + 256u] = vec4f(0.0); }
  let copy_x_5 = first_x_0 + (i32((lane + 320u) % 18u) - 1) * d_0;
  let copy_y_5 = first_y_0 + (i32((lane + 320u) / 18u) - 1) * d_0;
  let inside_5 = u32(copy_x_5) < params.width && u32(copy_y_5) < params.height && lane + 320u < 324u;
  if (!inside_5 && lane + 320u < 324u) { staged[lane + 320u] = vec4f(0.0); }
  var acc_0_0_0_0 = vec4f(0.0);
  var acc_0_0_1_0 = vec4f(0.0);
  var acc_0_1_0_0 = vec4f(0.0);
  var acc_0_1_1_0 = vec4f(0.0);
  var w = group.y * params.in_blocks * 36u;
  for (var c = 0u; c < params.blocks_0; c++) {
    workgroupBarrier();
    if (inside_0) { staged[lane] = load_input_0(c, u32(copy_y_0 * width + copy_x_0)); }
    if (inside_1) { staged[lane + 64u] = load_input_0(c, u32(copy_y_1 * width + copy_x_1)); }
    if (inside_2) { staged[lane + 128u] = load_input_0(c, u32(copy_y_2 * width + copy_x_2)); }
    if (inside_3) { staged[lane + 192u] = load_input_0(c, u32(copy_y_3 * width + copy_x_3)); }
    if (inside_4) { staged[lane + 256u] = load_input_0(c, u32(copy_y_4 * width + copy_x_4)); }
    if (inside_5) { staged[lane + 320u] = load_input_0(c, u32(copy_y_5 * width + copy_x_5)); }
    if (lane < 36u) { kernels[(lane) / 12u][(lane) % 12u] = vec4f(weights[w + lane]); }
    workgroupBarrier();
    var t_0_0_0 = vec4f(0.0);
    var t_0_0_1 = vec4f(0.0);
    var t_0_0_2 = vec4f(0.0);
    var t_0_0_3 = vec4f(0.0);
    var t_0_1_0 = vec4f(0.0);
    var t_0_1_1 = vec4f(0.0);
    var t_0_1_2 = vec4f(0.0);
    var t_0_1_3 = vec4f(0.0);
    {
      let row = at + u32((-1) + 1) * 18u;
      t_0_0_0 = staged[row + 0u];
      t_0_0_1 = staged[row + 1u];
      t_0_0_2 = staged[row + 2u];
      t_0_0_3 = staged[row + 3u];
    }
    for (var ky = 0; ky < KERNEL; ky++) {
      let t = u32(ky);
      {
        let row = at + u32((ky + 0) + 1) * 18u;
        t_0_1_0 = staged[row + 0u];
        t_0_1_1 = staged[row + 1u];
        t_0_1_2 = staged[row + 2u];
        t_0_1_3 = staged[row + 3u];
      }
      {
        let a = kernels[t][0];
        acc_0_0_0_0 += a * t_0_0_0.x;
        acc_0_0_1_0 += a * t_0_0_1.x;
        acc_0_1_0_0 += a * t_0_1_0.x;
        acc_0_1_1_0 += a * t_0_1_1.x;
      }
      {
        let a = kernels[t][1];
        acc_0_0_0_0 += a * t_0_0_0.y;
        acc_0_0_1_0 += a * t_0_0_1.y;
        acc_0_1_0_0 += a * t_0_1_0.y;
        acc_0_1_1_0 += a * t_0_1_1.y;
      }
      {
        let a = kernels[t][2];
        acc_0_0_0_0 += a * t_0_0_0.z;
        acc_0_0_1_0 += a * t_0_0_1.z;
        acc_0_1_0_0 += a * t_0_1_0.z;
        acc_0_1_1_0 += a * t_0_1_1.z;
      }
      {
        let a = kernels[t][3];
        acc_0_0_0_0 += a * t_0_0_0.w;
        acc_0_0_1_0 += a * t_0_0_1.w;
        acc_0_1_0_0 += a * t_0_1_0.w;
        acc_0_1_1_0 += a * t_0_1_1.w;
      }
      {
        let a = kernels[t][4];
        acc_0_0_0_0 += a * t_0_0_1.x;
        acc_0_0_1_0 += a * t_0_0_2.x;
        acc_0_1_0_0 += a * t_0_1_1.x;
        acc_0_1_1_0 += a * t_0_1_2.x;
      }
      {
        let a = kernels[t][5];
        acc_0_0_0_0 += a * t_0_0_1.y;
        acc_0_0_1_0 += a * t_0_0_2.y;
        acc_0_1_0_0 += a * t_0_1_1.y;
        acc_0_1_1_0 += a * t_0_1_2.y;
      }
      {
        let a = kernels[t][6];
        acc_0_0_0_0 += a * t_0_0_1.z;
        acc_0_0_1_0 += a * t_0_0_2.z;
        acc_0_1_0_0 += a * t_0_1_1.z;
        acc_0_1_1_0 += a * t_0_1_2.z;
      }
      {
        let a = kernels[t][7];
        acc_0_0_0_0 += a * t_0_0_1.w;
        acc_0_0_1_0 += a * t_0_0_2.w;
        acc_0_1_0_0 += a * t_0_1_1.w;
        acc_0_1_1_0 += a * t_0_1_2.w;
      }
      {
        let a = kernels[t][8];
        acc_0_0_0_0 += a * t_0_0_2.x;
        acc_0_0_1_0 += a * t_0_0_3.x;
        acc_0_1_0_0 += a * t_0_1_2.x;
        acc_0_1_1_0 += a * t_0_1_3.x;
      }
      {
        let a = kernels[t][9];
        acc_0_0_0_0 += a * t_0_0_2.y;
        acc_0_0_1_0 += a * t_0_0_3.y;
        acc_0_1_0_0 += a * t_0_1_2.y;
        acc_0_1_1_0 += a * t_0_1_3.y;
      }
      {
        let a = kernels[t][10];
        acc_0_0_0_0 += a * t_0_0_2.z;
        acc_0_0_1_0 += a * t_0_0_3.z;
        acc_0_1_0_0 += a * t_0_1_2.z;
        acc_0_1_1_0 += a * t_0_1_3.z;
      }
      {
        let a = kernels[t][11];
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
    w += 36u;
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
