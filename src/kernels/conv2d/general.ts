/**
 * The convolution for any groups and any kernel: weights stay [out, in/groups, k, k], inputs are read one channel at a time, an invocation computes one vec4.
 * Right for everything and slow: the network has no such layer (its grouped convolution, the memory read, has a kernel of its own).
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, READ, blocks, buffer, flatGrid, reads, start, texelType, writes } from '../kernel.ts';
import type { Dispatch, Program, View } from '../kernel.ts';
import { activate, negativeSlope } from './activate.ts';
import { dilationsOf, groupsOf } from './attrs.ts';
import type { ConvAttrs } from './attrs.ts';

function program(attrs: ConvAttrs, input: View, output: View): Program {
  const { kernel } = attrs;
  const body = `
${FLAT_INDEX}
${activate(attrs)}

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

@workgroup
fn main(${FLAT_ARGS}) {
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
  output[params.output_start + index] = ${texelType(output.dtype)}(activate(value + bias[block]));
}`;
  return {
    label: `conv2d ${kernel}x${kernel} general`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: { KERNEL: kernel, RADIUS: (kernel - 1) / 2 },
    params: {
      width: 'u32', height: 'u32', size: 'u32', channels: 'u32', group_in: 'u32', group_out: 'u32', input_start: 'u32', output_start: 'u32', dilation: 'u32', slope: 'f32',
    },
    bindings: { input: reads(input), weights: { access: 'read', type: 'array<f32>' }, bias: READ, output: writes(output) },
    body,
  };
}

export function generalDispatch(attrs: ConvAttrs, input: View, output: View, [weights, bias]: readonly { key: string }[]): Dispatch {
  const { width, height } = output.shape;
  const size = width * height;
  const groups = groupsOf(attrs);
  return {
    program: program(attrs, input, output),
    resources: { input: buffer(input), weights: { kind: 'weights', key: weights.key }, bias: { kind: 'weights', key: bias.key }, output: buffer(output) },
    params: {
      width, height, size,
      channels: attrs.channels,
      group_in: input.shape.channels / groups,
      group_out: attrs.channels / groups,
      input_start: start(input),
      output_start: start(output),
      dilation: dilationsOf(attrs)[0],
      slope: negativeSlope(attrs),
    },
    workgroups: flatGrid(size * blocks(attrs.channels)),
  };
}
