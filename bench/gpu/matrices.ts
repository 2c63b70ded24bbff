/**
 * The implementations on the device's own matrix units, against the CPU references: `npm run test:runtimes` opens
 * devices without them.
 *
 *     npx tsx bench/gpu/matrices.ts [--adapter gpu] [--tiny]
 *
 * First it prints what the device is. Exit code 1 where a check fails; a device without such units passes, and the line
 * says so.
 */
import { parseArgs } from 'node:util';
import { KernelHarness } from '../../test/kernels/harness.ts';
import { MATRIX_CHECKS } from '../../test/kernels/matrixChecks.ts';
import { COMMON, main, openGpu, reasonOf, row, say } from './program.ts';

const { values } = parseArgs({ options: COMMON });

/** What Dawn reports about matrix units, beyond the standard. */
interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

await main('matrices', async () => {
  const { adapter, device } = await openGpu(values.adapter);
  const kernels = new KernelHarness(device);
  const info = adapter.info as GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  const { matrices, ...capabilities } = kernels.capabilities;
  row({
    device: info.description,
    vendor: info.vendor,
    architecture: info.architecture,
    subgroups: [info.subgroupMinSize, info.subgroupMaxSize],
    matrixConfigs: [...(info.subgroupMatrixConfigs ?? [])].map(
      ({ componentType, resultComponentType, M, N, K }) => `${componentType}>${resultComponentType} ${M}x${N}x${K}`,
    ),
    capabilities: { ...capabilities, ...(matrices && { matrices: [matrices.m, matrices.n, matrices.k] }) },
    features: [...device.features].sort(),
    largestBinding: device.limits.maxStorageBufferBindingSize,
    workgroupStorage: [device.limits.maxComputeWorkgroupStorageSize, adapter.limits.maxComputeWorkgroupStorageSize],
  });
  if (!matrices) {
    row({ checks: 0, failed: 0, note: 'this device has no subgroup matrices of halves' });
    return 0;
  }
  const checks = values.tiny ? MATRIX_CHECKS.slice(0, 3) : MATRIX_CHECKS;
  const failures: string[] = [];
  for (const check of checks) {
    try {
      await check.run(kernels);
    } catch (error) {
      failures.push(`${check.name}: ${reasonOf(error)}`);
      say(failures.at(-1)!);
    }
  }
  row({ checks: checks.length, failed: failures.length, failures });
  return failures.length ? 1 : 0;
});
