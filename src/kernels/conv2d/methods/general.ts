/**
 * The general method: any groups, any odd kernel. Weights stay [out, in/groups, k, k], inputs are read one channel at a time, an invocation computes one vec4.
 *
 * Right for every plain layer and slow; so it is offered where no other method is. The network has no such layer: its grouped convolution, the memory read, has a kernel of its own.
 */
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, flatGrid } from '../../flat.ts';
import type { PackedWeights, Tensors } from '../../kernel.ts';
import { Program, READ, buffer, reads, texelType, weights as weightsResource, writes } from '../../program.ts';
import type { Dispatch } from '../../program.ts';
import { blocks, start } from '../../tensor.ts';
import type { DType } from '../../tensor.ts';
import { ACTIVATE, activationCode, negativeSlope } from '../activate.ts';
import type { ActivationCode } from '../activate.ts';
import { dilationsOf, groupsOf, layersOf } from '../attrs.ts';
import type { ConvAttrs } from '../attrs.ts';
import type { Method } from '../method.ts';
import { packedWeights, padTo4 } from '../weights.ts';

function generate(kernel: number, activation: ActivationCode, input: DType, output: DType): Program {
  return new Program({
    label: `conv2d ${kernel}x${kernel} general`,
    workgroup: [FLAT_WORKGROUP, 1, 1],
    constants: { KERNEL: kernel, RADIUS: (kernel - 1) / 2 },
    params: {
      width: 'u32',
      height: 'u32',
      size: 'u32',
      channels: 'u32',
      group_in: 'u32',
      group_out: 'u32',
      input_start: 'u32',
      output_start: 'u32',
      dilation: 'u32',
      slope: 'f32',
    },
    bindings: { input: reads({ dtype: input }), weights: { access: 'read', type: 'array<f32>' }, bias: READ, output: writes({ dtype: output }) },
    body: `
${FLAT_INDEX}
${ACTIVATE[activation]}

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
  output[params.output_start + index] = ${texelType(output)}(activate(value + bias[block]));
}`,
  });
}

function dispatch(attrs: ConvAttrs, [weights, bias]: readonly PackedWeights[], { inputs: [input], output }: Tensors): Dispatch {
  const { width, height } = output.shape;
  const size = width * height;
  const groups = groupsOf(attrs);
  return {
    program: generate(attrs.kernel, activationCode(attrs), input.dtype, output.dtype),
    resources: { input: buffer(input), weights: weightsResource(weights), bias: weightsResource(bias), output: buffer(output) },
    params: {
      width,
      height,
      size,
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

export const general: Method = {
  name: 'general',
  implementations({ attrs, inputs }) {
    if (attrs.read || attrs.store || inputs.length > 1 || layersOf(attrs).length > 1 || dilationsOf(attrs).length > 1) return [];
    const weights = packedWeights(attrs, { order: 'oihw', pack: padTo4 });
    return [{ name: 'general', weights, dispatch: (tensors) => dispatch(attrs, weights, tensors) }];
  },
};
