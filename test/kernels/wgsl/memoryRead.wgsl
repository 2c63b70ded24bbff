struct Params {
  size: u32,
  slots: u32,
  share: f32,
  blocks: u32,
  slope: f32,
  features0_start: u32,
  result0_start: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<array<vec4f, 4>>;
@group(0) @binding(2) var<storage, read> vectors: array<array<vec4f, 3>>;
@group(0) @binding(3) var<storage, read> features0: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> result0: array<vec4f>;

fn activate(x: vec4f) -> vec4f { return select(x * params.slope, x, x > vec4f(0.0)); }

@compute @workgroup_size(32, 2, 1)
fn main(
@builtin(workgroup_id) group: vec3u,
@builtin(num_workgroups) groups: vec3u,
@builtin(local_invocation_id) local: vec3u
) {
  let first = (group.z * groups.x + group.x) * 64u + local.x;
  let part = group.y * 2u + local.y;
  let first_block = part * 1u;
  let at_0 = min(first + 0u, params.size - 1u);
  let at_1 = min(first + 32u, params.size - 1u);
  var w = part * params.slots * 1u * params.blocks;
  var v = part * (1u + params.slots * 1u);
  var sum_0_0_0 = vectors[v][1];
  var sum_0_1_0 = vectors[v][1];
  var sum_1_0_0 = vectors[v][2];
  var sum_1_1_0 = vectors[v][2];
  v++;
  for (var slot = 0u; slot < params.slots; slot++) {
    {
      var slot_0_0 = vectors[v][0];
      var slot_1_0 = vectors[v][0];
      for (var c = 0u; c < params.blocks; c++) {
        let base = params.features0_start + (slot * params.blocks + c) * params.size;
        let f_0 = vec4f(features0[base + at_0]);
        let f_1 = vec4f(features0[base + at_1]);
        {
          let a = vec4f(weights[w][0]);
          slot_0_0 += a * f_0.x;
          slot_1_0 += a * f_1.x;
        }
        {
          let a = vec4f(weights[w][1]);
          slot_0_0 += a * f_0.y;
          slot_1_0 += a * f_1.y;
        }
        {
          let a = vec4f(weights[w][2]);
          slot_0_0 += a * f_0.z;
          slot_1_0 += a * f_1.z;
        }
        {
          let a = vec4f(weights[w][3]);
          slot_0_0 += a * f_0.w;
          slot_1_0 += a * f_1.w;
        }
        w++;
      }
      slot_0_0 = activate(slot_0_0);
      slot_1_0 = activate(slot_1_0);
      {
        let a = vectors[v][1];
        sum_0_0_0 += a * slot_0_0;
        sum_0_1_0 += a * slot_1_0;
      }
      {
        let a = vectors[v][2];
        sum_1_0_0 += a * slot_0_0;
        sum_1_1_0 += a * slot_1_0;
      }
      v++;
    }
  }
  if (first + 0u < params.size) {
    result0[params.result0_start + (0u * params.blocks + first_block + 0u) * params.size + at_0] = vec4f(sum_0_0_0);
    result0[params.result0_start + (1u * params.blocks + first_block + 0u) * params.size + at_0] = vec4f(sum_1_0_0);
  }
  if (first + 32u < params.size) {
    result0[params.result0_start + (0u * params.blocks + first_block + 0u) * params.size + at_1] = vec4f(sum_0_1_0);
    result0[params.result0_start + (1u * params.blocks + first_block + 0u) * params.size + at_1] = vec4f(sum_1_1_0);
  }
}
