const KERNEL = 3;
const WORKGROUP = 64;
struct Params {
  blocks: u32,
  plane: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
var<workgroup> staged: array<f32, 1024>;
fn multiply(sum: f32, at: u32, w: u32) -> f32 {
  var total = sum;
  total += weights[w] * staged[at];
  total += weights[w + 1u] * staged[at + 16u];
  return total;
}
@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var c = 0u; c < params.blocks; c++) {
    workgroupBarrier();
    // 16 rounds, which compilers keep.
    for (var i = lane; i < 1024u; i += WORKGROUP) { staged[i] = input[c * params.plane + i]; }
    workgroupBarrier();
    // Three rounds, which compilers unroll.
    for (var ky = 0u; ky < KERNEL; ky++) { sum = multiply(sum, lane + ky, c * 6u + ky * 2u); }
  }
  output[group.x * 64u + lane] = sum;
}
