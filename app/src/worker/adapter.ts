/** Checks that there is an adapter and that it gives a device, before anybody has picked twenty files. */
import { isSoftware, openDevice } from '../../../src/device.ts';
import { NoAdapterError } from '../../../src/errors.ts';
import { shown } from '../../../src/shown.ts';

/** @returns the adapter's name, and whether the CPU does its work. @throws NoAdapterError; GpuError. */
export async function checkAdapter(): Promise<{ name: string; isSoftware: boolean }> {
  const gpu = (navigator as Navigator & { gpu?: GPU }).gpu;
  if (!gpu) throw new NoAdapterError('this browser has no WebGPU');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapterError('WebGPU offers no adapter');
  const name = shown(adapter.info.description || adapter.info.device || adapter.info.vendor);
  (await openDevice(adapter)).destroy();
  return { name, isSoftware: isSoftware(adapter.info) };
}
