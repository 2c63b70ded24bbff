/**
 * A GPU's matrix units: Dawn's experimental feature, which adapters in Node offer (adapter.ts), with the convolution
 * that uses it.
 */
import { MATRIX_FEATURE, SIZE_FEATURE, openDevice, capabilitiesOf } from '../device.ts';
import { matrix } from '../kernels/conv2d/methods/matrix.ts';
import { addMethod } from '../kernels/conv2d/methods/index.ts';
import type { Capabilities, MatrixSize } from '../kernels/target.ts';

/**
 * What Dawn reports about matrix units beyond the standard, only on adapters: the sizes and types that can be
 * multiplied.
 */
interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}
type Adapter = Pick<GPUAdapter, 'features'> & {
  info: GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
};

/**
 * The size of subgroups to ask for where they vary. GPUs of Intel multiply matrices only in subgroups of as many
 * invocations as matrices have columns; those of AMD in any, and small ones leave more tiles to choose from.
 */
function lanesOf({ vendor, subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo, n: number): number {
  return Math.min(Math.max(vendor === 'intel' ? n : 0, subgroupMinSize), subgroupMaxSize);
}

/**
 * An adapter's matrix size for halves with sums in f32, if kernels can use it: they need subgroups of one size, the
 * device's or their own, tiles of 16 pixels and blocks of 4 channels.
 */
export function matricesOf({ info, features }: Adapter): MatrixSize | undefined {
  const has = [MATRIX_FEATURE, 'subgroups', 'shader-f16'].every((name) => features.has(name));
  const varies = info.subgroupMinSize !== info.subgroupMaxSize;
  if (!has || (varies && !features.has(SIZE_FEATURE))) return undefined;
  const found = [...(info.subgroupMatrixConfigs ?? [])].find(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && [M, N, K].every((side) => side === 8 || side === 16),
  );
  if (!found) return undefined;
  addMethod(matrix);
  return { m: found.M, n: found.N, k: found.K, ...(varies && { lanes: lanesOf(info, found.N) }) };
}

/** The capabilities of an adapter's device. */
export function adapterCapabilities(adapter: GPUAdapter): Capabilities {
  const matrices = matricesOf(adapter);
  return { ...capabilitiesOf(adapter.info, adapter.features), ...(matrices ? { matrices } : {}) };
}

/** Like `openDevice`, with matrix units if the adapter has them. @throws NoAdapterError. */
export function openWithMatrices(adapter: GPUAdapter): Promise<GPUDevice> {
  return openDevice(adapter, matricesOf(adapter));
}
