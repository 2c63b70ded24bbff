/**
 * The general method: any groups, any odd kernel. Weights stay [out, in/groups, k, k], inputs are read one channel at a
 * time, and an invocation computes one vec4.
 *
 * It handles every plain layer but is slow, so it is offered only where no other method is. The network has no such
 * layer: its grouped convolution, the memory read, has its own kernel.
 */
import { elementwise } from '../../elementwise.ts';
import { ACTIVATE, activationCode, negativeSlope } from '../activate.ts';
import type { ActivationCode } from '../activate.ts';
import { dilationsOf, groupsOf, layersOf } from '../attrs.ts';
import type { Method } from '../method.ts';
import { packedWeights, padTo4 } from '../weights.ts';

const run = (activation: ActivationCode): ReturnType<typeof elementwise> =>
  elementwise({
    label: 'conv2d general',
    inputs: ['input', 'weights', 'bias'],
    params: { channels: 'u32', group_in: 'u32', group_out: 'u32', kernel: 'i32', dilation: 'i32', slope: 'f32' },
    functions: `
${ACTIVATE[activation]}

fn load_channel(channel: u32, y: i32, x: i32) -> f32 {
  if (u32(y) >= params.height || u32(x) >= params.width) { return 0.0; }
  return load_input((channel / 4u) * params.size + u32(y) * params.width + u32(x))[channel % 4u];
}

fn convolve(channel: u32, y: i32, x: i32) -> f32 {
  let at = channel / params.group_out * params.group_in;
  let radius = params.kernel / 2;
  var w = channel * params.group_in * u32(params.kernel * params.kernel);
  var sum = 0.0;
  for (var c = 0u; c < params.group_in; c++) {
    for (var ky = -radius; ky <= radius; ky++) {
      for (var kx = -radius; kx <= radius; kx++) {
        sum += load_weights(w / 4u)[w % 4u] * load_channel(at + c, y + ky * params.dilation, x + kx * params.dilation);
        w++;
      }
    }
  }
  return sum;
}`,
    body: `
  var sums = vec4f(0.0);
  for (var lane = 0u; lane < min(4u, params.channels - block * 4u); lane++) {
    sums[lane] = convolve(block * 4u + lane, i32(y), i32(x));
  }
  let value = activate(sums + load_bias(block));`,
  });

const RUN = { slope: run('slope'), sigmoid: run('sigmoid') };

export const general: Method = {
  name: 'general',
  implementations({ attrs, inputs: [input, ...others] }) {
    if (attrs.read || attrs.store || others.length > 0 || layersOf(attrs).length > 1 || dilationsOf(attrs).length > 1)
      return [];
    const weights = packedWeights(attrs, { order: 'oihw', pack: padTo4 });
    const { channels, kernel } = attrs;
    const params = {
      channels,
      kernel,
      group_in: input.channels / groupsOf(attrs),
      group_out: channels / groupsOf(attrs),
      dilation: dilationsOf(attrs)[0],
      slope: negativeSlope(attrs),
    };
    return [
      {
        name: 'general',
        weights,
        dispatch: ({ inputs, output }) => RUN[activationCode(attrs)](output, [...inputs, ...weights], params),
      },
    ];
  },
};
