/**
 * The key of a tuning. A tuning is valid for one adapter with its driver, one runtime, one version of deghost with its
 * implementations, and one precision; with any other, different choices may be faster.
 */
import { DEVICE, PRECISION, expect } from '../checks.ts';
import { deviceCapabilities } from '../device.ts';
import { KERNELS } from '../kernels/index.ts';
import { isTuned, sampleShapes } from '../kernels/kernel.ts';
import type { Kernel, Sample } from '../kernels/kernel.ts';
import type { Target } from '../kernels/target.ts';
import { addTunedMethods } from './methods.ts';
import type { DType, View } from '../kernels/tensor.ts';

/** package.json's version: the core cannot read it. A test compares the two. */
export const VERSION = '0.1.0';

/** What is read from an adapter. Dawn reports more than the standard does if a developer feature is on. */
type Info = Partial<Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>> & {
  driver?: string;
  backendType?: string;
};

/** The WebGPU implementation: they compile shaders differently. */
export function runtimeKind(scope: { Deno?: unknown; navigator?: { userAgent?: string } } = globalThis): string {
  const agent = scope.navigator?.userAgent ?? '';
  if (scope.Deno !== undefined || /\bFirefox\//.test(agent)) return 'wgpu';
  if (/\bAppleWebKit\//.test(agent) && !/\b(Chrome|Chromium|Edg)\//.test(agent)) return 'WebKit';
  return 'Dawn';
}

/** The code of a sample's implementations, with their names. */
function sampleCode(kernel: Kernel<object>, sample: Sample<object>, target: Target): string[] {
  if (!isTuned(kernel)) return [];
  const dtype = target.precision ?? 'f32';
  const shapes = sampleShapes(sample, 16);
  const inputs = shapes.map((shape, buffer): View => ({ shape, dtype, buffer, block: 0 }));
  const outputs = [kernel.shape(sample.attrs, shapes), ...(kernel.results?.(sample.attrs, shapes) ?? [])];
  const [output, ...results] = outputs.map((shape, i): View => ({ shape, dtype, buffer: inputs.length + i, block: 0 }));
  const implementations = kernel.implementations(sample.attrs, shapes, target);
  return [
    kernel.shapeClass(sample.attrs, shapes, target),
    ...implementations.map(({ name, dispatch }) => name + dispatch({ inputs, output, results }).program.source),
  ];
}

/**
 * A hash of all implementations for a target, including their code, so that new and changed ones invalidate a tuning.
 * FNV-1a, 32 bits.
 */
export function implementationsVersion(target: Target): string {
  addTunedMethods();
  let hash = 0x811c9dc5;
  for (const kernel of Object.values(KERNELS) as unknown as Kernel<object>[]) {
    for (const sample of kernel.samples) {
      for (const text of sampleCode(kernel, sample, target)) {
        for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
      }
    }
  }
  return hash.toString(16).padStart(8, '0');
}

/** An adapter's readable name. */
export function adapterName({ vendor, architecture, device, description }: Info = {}): string {
  return (description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter').trim();
}

/** The cache key of a tuning for a device. @throws UsageError */
export function deviceTuneKey(device: GPUDevice, precision: DType = 'f32'): string {
  expect('device', device, DEVICE);
  expect('precision', precision, PRECISION);
  return tuneKey(device.adapterInfo, { capabilities: deviceCapabilities(device), precision });
}

/**
 * The cache key of a tuning for an adapter. @param info of the adapter or its device; what a browser hides is empty.
 * @param target of the plans, without choices.
 */
export function tuneKey(info: Info | undefined, target: Target, version = VERSION, runtime = runtimeKind()): string {
  const { vendor = '', architecture = '', device = '', description = '', driver = '', backendType = '' } = info ?? {};
  const adapter = [vendor, architecture, device, description, driver, backendType].map((text) => String(text).trim());
  return [
    ...adapter,
    `deghost ${version}`,
    runtime,
    target.precision ?? 'f32',
    `implementations ${implementationsVersion(target)}`,
  ].join(' | ');
}
