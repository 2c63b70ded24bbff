struct Params {
  count: u32,
  size: u32,
  output_start: u32,
  adds: u32,
  memory0_start: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> memory0: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.z * groups.x + group.x) * 64u + lane;
  let in_0 = first + 0u < params.size;
  let at0 = group.y * params.size + min(first + 0u, params.size - 1u);
  let m0_0 = vec4f(memory0[params.memory0_start + 0u * params.count + at0]);
  let m1_0 = vec4f(memory0[params.memory0_start + 1u * params.count + at0]);
  let w = group.y * 4u;
  {
    let b = bias[group.y * 2u + 0u];
    let at_0 = params.output_start + 0u * params.count + at0;
    var value_0 = select(b, vec4f(output[at_0]), params.adds == 1u);
    { let a = weights[w + 0u]; value_0 += a * m0_0; }
    { let a = weights[w + 1u]; value_0 += a * m1_0; }
    if (in_0) { output[at_0] = vec4f(value_0); }
  }
  {
    let b = bias[group.y * 2u + 1u];
    let at_0 = params.output_start + 1u * params.count + at0;
    var value_0 = select(b, vec4f(output[at_0]), params.adds == 1u);
    { let a = weights[w + 2u]; value_0 += a * m0_0; }
    { let a = weights[w + 3u]; value_0 += a * m1_0; }
    if (in_0) { output[at_0] = vec4f(value_0); }
  }
}
