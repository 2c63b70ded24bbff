/** The platform's own WebGPU (`navigator.gpu`), for Deno and browsers. */
import { openDevice } from '../../../src/device.ts';

/** @throws when the platform has no WebGPU or offers no adapter, saying which. */
export async function requestPlatformAdapter(): Promise<GPUAdapter> {
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (!gpu) throw new Error('no WebGPU: navigator.gpu is missing');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('WebGPU offers no adapter');
  return adapter;
}

/** A device with what the library asks for, and its adapter's name. */
export async function platformDevice(): Promise<{ device: GPUDevice; adapter: string }> {
  const adapter = await requestPlatformAdapter();
  const { description, device, vendor, architecture, isFallbackAdapter } = adapter.info;
  // Firefox gives no names.
  const name =
    description ||
    device ||
    [vendor, architecture].filter(Boolean).join(' ') ||
    `unnamed${isFallbackAdapter ? ', software' : ''}`;
  return { device: await openDevice(adapter), adapter: name };
}
