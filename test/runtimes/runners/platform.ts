/** A device of the platform's own (`navigator.gpu`) and its adapter's name, for Deno and browsers. */
import { openDevice } from '../../../src/device.ts';

/** @throws when the platform has no WebGPU or offers no adapter, saying which. */
export async function platformDevice(): Promise<{ device: GPUDevice; adapter: string }> {
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (!gpu) throw new Error('no WebGPU: navigator.gpu is missing');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('WebGPU offers no adapter');
  const { description, device, vendor, architecture } = adapter.info;
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return { device: await openDevice(adapter), adapter: name };
}
