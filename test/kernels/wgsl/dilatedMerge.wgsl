const COLUMNS = 16;
const ROWS = 8;
const PIXELS = 128;
const BLOCKS = 1;
const OUT = 1;

struct Params {
  width: u32,
  height: u32,
  input_start: u32,
  output_start: u32,
  in_blocks: u32,
  blocks: u32,
  slope: f32,
  dilations: array<vec4f, 1>,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read> weights: array<array<vec4f, 12>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read> merge_weights: array<array<vec4f, 4>>;
@group(0) @binding(5) var<storage, read> merge_bias: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4f>;
var<workgroup> results: array<vec4f, PIXELS * BLOCKS>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

@compute @workgroup_size(32, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let width = i32(params.width);
  let size = width * i32(params.height);
  let last_y = i32(params.height) - 1;
  let left = i32(group.x) * COLUMNS;
  let top = i32(group.y) * ROWS;
  let column = i32(local.x % 8u);
  let line = i32(local.x / 8u);
  let first_block = local.y * OUT;
  var sum_0_0_0 = merge_bias[first_block + 0u];
  var sum_0_1_0 = merge_bias[first_block + 0u];
  var sum_1_0_0 = merge_bias[first_block + 0u];
  var sum_1_1_0 = merge_bias[first_block + 0u];
  var m = local.y * 2u * BLOCKS;
  for (var s = 0; s < 2; s++) {
    let d = i32(params.dilations[0][s]);
    let from_left = column / d * 2 * d + column % d;
    let from_top = line / d * 2 * d + line % d;
    let y = top + from_top;
    let x = left + from_left;
    let in_0 = u32(x + -1 * d) < params.width;
    let x_0 = clamp(x + -1 * d, 0, width - 1);
    let in_1 = u32(x + 0 * d) < params.width;
    let x_1 = clamp(x + 0 * d, 0, width - 1);
    let in_2 = u32(x + 1 * d) < params.width;
    let x_2 = clamp(x + 1 * d, 0, width - 1);
    let in_3 = u32(x + 2 * d) < params.width;
    let x_3 = clamp(x + 2 * d, 0, width - 1);
    var acc_0_0_0 = vec4f(0.0);
    var acc_0_1_0 = vec4f(0.0);
    var acc_1_0_0 = vec4f(0.0);
    var acc_1_1_0 = vec4f(0.0);
    var row = local.y * params.in_blocks * 3u;
    for (var c = 0; c < i32(params.in_blocks); c++) {
      let plane = i32(params.input_start) + (s * i32(params.in_blocks) + c) * size;
      var tap_0_0 = vec4f(0.0);
      var tap_0_1 = vec4f(0.0);
      var tap_0_2 = vec4f(0.0);
      var tap_0_3 = vec4f(0.0);
      var tap_1_0 = vec4f(0.0);
      var tap_1_1 = vec4f(0.0);
      var tap_1_2 = vec4f(0.0);
      var tap_1_3 = vec4f(0.0);
      {
        let tap_y = y + (-1) * d;
        let inside = u32(tap_y) < params.height;
        let base = plane + clamp(tap_y, 0, last_y) * width;
        tap_0_0 = select(vec4f(0.0), vec4f(input[u32(base + x_0)]), inside && in_0);
        tap_0_1 = select(vec4f(0.0), vec4f(input[u32(base + x_1)]), inside && in_1);
        tap_0_2 = select(vec4f(0.0), vec4f(input[u32(base + x_2)]), inside && in_2);
        tap_0_3 = select(vec4f(0.0), vec4f(input[u32(base + x_3)]), inside && in_3);
      }
      for (var ky = 0; ky < 3; ky++) {
        {
          let tap_y = y + (ky + 0) * d;
          let inside = u32(tap_y) < params.height;
          let base = plane + clamp(tap_y, 0, last_y) * width;
          tap_1_0 = select(vec4f(0.0), vec4f(input[u32(base + x_0)]), inside && in_0);
          tap_1_1 = select(vec4f(0.0), vec4f(input[u32(base + x_1)]), inside && in_1);
          tap_1_2 = select(vec4f(0.0), vec4f(input[u32(base + x_2)]), inside && in_2);
          tap_1_3 = select(vec4f(0.0), vec4f(input[u32(base + x_3)]), inside && in_3);
        }
        {
          let a = vec4f(weights[row][0]);
          acc_0_0_0 += a * tap_0_0.x;
          acc_0_1_0 += a * tap_0_1.x;
          acc_1_0_0 += a * tap_1_0.x;
          acc_1_1_0 += a * tap_1_1.x;
        }
        {
          let a = vec4f(weights[row][1]);
          acc_0_0_0 += a * tap_0_0.y;
          acc_0_1_0 += a * tap_0_1.y;
          acc_1_0_0 += a * tap_1_0.y;
          acc_1_1_0 += a * tap_1_1.y;
        }
        {
          let a = vec4f(weights[row][2]);
          acc_0_0_0 += a * tap_0_0.z;
          acc_0_1_0 += a * tap_0_1.z;
          acc_1_0_0 += a * tap_1_0.z;
          acc_1_1_0 += a * tap_1_1.z;
        }
        {
          let a = vec4f(weights[row][3]);
          acc_0_0_0 += a * tap_0_0.w;
          acc_0_1_0 += a * tap_0_1.w;
          acc_1_0_0 += a * tap_1_0.w;
          acc_1_1_0 += a * tap_1_1.w;
        }
        {
          let a = vec4f(weights[row][4]);
          acc_0_0_0 += a * tap_0_1.x;
          acc_0_1_0 += a * tap_0_2.x;
          acc_1_0_0 += a * tap_1_1.x;
          acc_1_1_0 += a * tap_1_2.x;
        }
        {
          let a = vec4f(weights[row][5]);
          acc_0_0_0 += a * tap_0_1.y;
          acc_0_1_0 += a * tap_0_2.y;
          acc_1_0_0 += a * tap_1_1.y;
          acc_1_1_0 += a * tap_1_2.y;
        }
        {
          let a = vec4f(weights[row][6]);
          acc_0_0_0 += a * tap_0_1.z;
          acc_0_1_0 += a * tap_0_2.z;
          acc_1_0_0 += a * tap_1_1.z;
          acc_1_1_0 += a * tap_1_2.z;
        }
        {
          let a = vec4f(weights[row][7]);
          acc_0_0_0 += a * tap_0_1.w;
          acc_0_1_0 += a * tap_0_2.w;
          acc_1_0_0 += a * tap_1_1.w;
          acc_1_1_0 += a * tap_1_2.w;
        }
        {
          let a = vec4f(weights[row][8]);
          acc_0_0_0 += a * tap_0_2.x;
          acc_0_1_0 += a * tap_0_3.x;
          acc_1_0_0 += a * tap_1_2.x;
          acc_1_1_0 += a * tap_1_3.x;
        }
        {
          let a = vec4f(weights[row][9]);
          acc_0_0_0 += a * tap_0_2.y;
          acc_0_1_0 += a * tap_0_3.y;
          acc_1_0_0 += a * tap_1_2.y;
          acc_1_1_0 += a * tap_1_3.y;
        }
        {
          let a = vec4f(weights[row][10]);
          acc_0_0_0 += a * tap_0_2.z;
          acc_0_1_0 += a * tap_0_3.z;
          acc_1_0_0 += a * tap_1_2.z;
          acc_1_1_0 += a * tap_1_3.z;
        }
        {
          let a = vec4f(weights[row][11]);
          acc_0_0_0 += a * tap_0_2.w;
          acc_0_1_0 += a * tap_0_3.w;
          acc_1_0_0 += a * tap_1_2.w;
          acc_1_1_0 += a * tap_1_3.w;
        }
        tap_0_0 = tap_1_0;
        tap_0_1 = tap_1_1;
        tap_0_2 = tap_1_2;
        tap_0_3 = tap_1_3;
        row++;
      }
    }
    workgroupBarrier();
    let result = i32(first_block * PIXELS) + from_top * COLUMNS + from_left;
    results[result + 0 * PIXELS + (0 * COLUMNS + 0) * d] = activate(acc_0_0_0 + bias[first_block + 0u]);
    results[result + 0 * PIXELS + (0 * COLUMNS + 1) * d] = activate(acc_0_1_0 + bias[first_block + 0u]);
    results[result + 0 * PIXELS + (1 * COLUMNS + 0) * d] = activate(acc_1_0_0 + bias[first_block + 0u]);
    results[result + 0 * PIXELS + (1 * COLUMNS + 1) * d] = activate(acc_1_1_0 + bias[first_block + 0u]);
    workgroupBarrier();
    for (var block = 0; block < i32(params.blocks); block++) {
      let neighbours = block * PIXELS + 2 * line * COLUMNS + 2 * column;
      let value_0_0 = results[neighbours + 0 * COLUMNS + 0];
      let value_0_1 = results[neighbours + 0 * COLUMNS + 1];
      let value_1_0 = results[neighbours + 1 * COLUMNS + 0];
      let value_1_1 = results[neighbours + 1 * COLUMNS + 1];
      {
        let a = vec4f(merge_weights[m][0]);
        sum_0_0_0 += a * value_0_0.x;
        sum_0_1_0 += a * value_0_1.x;
        sum_1_0_0 += a * value_1_0.x;
        sum_1_1_0 += a * value_1_1.x;
      }
      {
        let a = vec4f(merge_weights[m][1]);
        sum_0_0_0 += a * value_0_0.y;
        sum_0_1_0 += a * value_0_1.y;
        sum_1_0_0 += a * value_1_0.y;
        sum_1_1_0 += a * value_1_1.y;
      }
      {
        let a = vec4f(merge_weights[m][2]);
        sum_0_0_0 += a * value_0_0.z;
        sum_0_1_0 += a * value_0_1.z;
        sum_1_0_0 += a * value_1_0.z;
        sum_1_1_0 += a * value_1_1.z;
      }
      {
        let a = vec4f(merge_weights[m][3]);
        sum_0_0_0 += a * value_0_0.w;
        sum_0_1_0 += a * value_0_1.w;
        sum_1_0_0 += a * value_1_0.w;
        sum_1_1_0 += a * value_1_1.w;
      }
      m++;
    }
  }
  {
    let x = left + 2 * column + 0;
    let y = top + 2 * line + 0;
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
      output[at + 0u * u32(size)] = vec4f(activate(sum_0_0_0));
    }
  }
  {
    let x = left + 2 * column + 1;
    let y = top + 2 * line + 0;
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
      output[at + 0u * u32(size)] = vec4f(activate(sum_0_1_0));
    }
  }
  {
    let x = left + 2 * column + 0;
    let y = top + 2 * line + 1;
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
      output[at + 0u * u32(size)] = vec4f(activate(sum_1_0_0));
    }
  }
  {
    let x = left + 2 * column + 1;
    let y = top + 2 * line + 1;
    if (x < width && y < i32(params.height)) {
      let at = params.output_start + first_block * u32(size) + u32(y * width + x);
      output[at + 0u * u32(size)] = vec4f(activate(sum_1_1_0));
    }
  }
}
