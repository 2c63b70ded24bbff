/** Proofs of a plan's steps, without a device. */
import type { Plan } from '../../../src/graph/plan.ts';
import { texelBytes } from '../../../src/kernels/tensor.ts';
import type { Capabilities } from '../../../src/kernels/target.ts';
import type { BoundSize, Proved } from '../../../src/node/proof/prove.ts';

/** The sizes of a plan's packed weights by key, from packing zeros. */
function weightSizes({ weights, tensors }: Plan): Map<string, BoundSize> {
  const zeros = (name: string): Float32Array => new Float32Array(tensors.get(name)!.reduce((a, b) => a * b, 1));
  return new Map(
    [...weights].map(([key, packed]): [string, BoundSize] => {
      const bytes = (packed.pack(zeros).length / 4) * texelBytes(packed.dtype ?? 'f32');
      const { row } = packed;
      const texel = texelBytes(packed.dtype ?? 'f32');
      return [key, row ? { width: row, height: bytes / texel / row } : { bytes }];
    }),
  );
}

/** What is to be proved of each step of a plan. */
export function provedSteps(plan: Plan, { subgroupSize }: Capabilities = {}): (Proved & { name: string })[] {
  const weights = weightSizes(plan);
  return plan.steps.map(({ name, dispatch: { program, params, workgroups, resources } }) => ({
    name,
    program,
    params,
    workgroups,
    sizes: Object.fromEntries(
      Object.entries(resources).map(([binding, resource]) => [
        binding,
        resource.kind === 'buffer' ? { bytes: plan.buffers[resource.buffer] } : weights.get(resource.key),
      ]),
    ),
    ...(subgroupSize && { subgroupSize }),
  }));
}
