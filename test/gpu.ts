/**
 * The device that all GPU tests share. Without an adapter a test fails with the remedy; it is never skipped.
 * `DEGHOST_ADAPTER` = auto | gpu | software | swiftshader chooses which.
 */
import { KernelHarness } from './kernels/harness.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import type { AdapterInfo } from '../src/node/adapter.ts';
import { openWithMatrices } from '../src/node/matrices.ts';

interface TestGpu {
  adapter: GPUAdapter;
  info: AdapterInfo;
  device: GPUDevice;
  /** Runs kernels on the device. */
  kernels: KernelHarness;
}

// On globalThis, so that it is one device even where the test runner evaluates this module again for another file.
const shared = globalThis as { deghostTestGpu?: Promise<TestGpu> };

/** The shared device with its adapter and what is known of it. */
export function testGpu(): Promise<TestGpu> {
  shared.deghostTestGpu ??= open();
  return shared.deghostTestGpu;
}

/** The shared device. Do not destroy it. */
export async function testDevice(): Promise<GPUDevice> {
  return (await testGpu()).device;
}

/** The harness that all kernel tests share. */
export async function testKernels(): Promise<KernelHarness> {
  return (await testGpu()).kernels;
}

async function open(): Promise<TestGpu> {
  const { adapter, info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  const device = await openWithMatrices(adapter);
  return { adapter, info, device, kernels: new KernelHarness(device) };
}
