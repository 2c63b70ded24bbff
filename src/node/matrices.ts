/**
 * A GPU's matrix units: Dawn's experimental feature, which adapters in Node offer (adapter.ts), with the convolution that uses it.
 */
import { MATRIX_FEATURE, openDevice, traitsOf } from '../device.ts';
import { MATRIX_CONV2D } from '../kernels/conv2d/matrix.ts';
import type { Matrices } from '../kernels/conv2d/matrices.ts';
import type { Traits } from '../kernels/kernel.ts';

/** What Dawn tells of matrix units beside the standard, of adapters alone: the sizes and types that can be multiplied. */
interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}
type Adapter = Pick<GPUAdapter, 'features'> & { info: GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<MatrixConfig> } };

/** An adapter's matrices of halves with sums in f32, where kernels can use them: they count on subgroups of one size, tiles of 16 pixels and blocks of 4 channels. */
export function matricesOf({ info, features }: Adapter): Matrices | undefined {
  const has = [MATRIX_FEATURE, 'subgroups', 'shader-f16'].every((name) => features.has(name));
  if (!has || info.subgroupMinSize !== info.subgroupMaxSize) return undefined;
  const found = [...(info.subgroupMatrixConfigs ?? [])].find(
    ({ componentType, resultComponentType, M, N, K }) => componentType === 'f16' && resultComponentType === 'f32' && [M, N, K].every((side) => side === 8 || side === 16),
  );
  return found && { m: found.M, n: found.N, k: found.K, conv2d: MATRIX_CONV2D };
}

/** The traits of an adapter's device. */
export function adapterTraits(adapter: GPUAdapter): Traits {
  const matrices = matricesOf(adapter);
  return { ...traitsOf(adapter.info, adapter.features), ...(matrices ? { matrices } : {}) };
}

/** As `openDevice`, with matrix units where the adapter has them. @throws NoAdapterError */
export function openWithMatrices(adapter: GPUAdapter): Promise<GPUDevice> {
  return openDevice(adapter, matricesOf(adapter));
}
