/**
 * What a tuning holds for: an adapter with its driver, a runtime, this version of deghost with its variants, a precision. Anything else may choose otherwise.
 */
import { deviceTraits } from '../device.ts';
import { conv2d } from '../kernels/conv2d/index.ts';
import type { ConvAttrs } from '../kernels/conv2d/index.ts';
import { groupedRead } from '../kernels/groupedRead.ts';
import type { GroupedReadAttrs } from '../kernels/groupedRead.ts';
import { wgsl } from '../kernels/kernel.ts';
import type { DType, Target, View } from '../kernels/kernel.ts';

/** package.json's version: the core cannot read it. A test compares the two. */
export const VERSION = '0.1.0';

/** What is read of an adapter. Dawn tells more than the standard has, where a developer feature is on. */
type Info = Partial<Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>> & { driver?: string; backendType?: string };

/** Whose WebGPU this is: they compile shaders differently. */
export function runtimeKind(scope: { Deno?: unknown; navigator?: { userAgent?: string } } = globalThis): string {
  const agent = scope.navigator?.userAgent ?? '';
  if (scope.Deno !== undefined || /\bFirefox\//.test(agent)) return 'wgpu';
  if (/\bAppleWebKit\//.test(agent) && !/\b(Chrome|Chromium|Edg)\//.test(agent)) return 'WebKit';
  return 'Dawn';
}

/** Layers of the kinds that the network has; the variants of each, with their code, are what is compared. */
const PROBES: readonly ConvAttrs[] = [
  { weights: 'w', channels: 32, kernel: 3 },
  { weights: 'w', channels: 32, kernel: 1 },
  { weights: 'w', channels: 32, kernel: 3, dilation: [1, 2, 4] },
  { weights: 'w', channels: 32, kernel: 3, store: { kind: 'pool' } },
];

/** A hash of the variants there are for a target, with their code: new and changed ones invalidate a tuning. FNV-1a, 32 bits. */
export function variantsVersion(target: Target): string {
  let hash = 0x811c9dc5;
  const add = (text: string): void => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  };
  const view = (channels: number, size: number, buffer: number): View => ({ shape: { channels, height: size, width: size }, dtype: target.precision ?? 'f32', buffer, block: 0 });
  for (const attrs of PROBES) {
    const input = view(32, 16, 0);
    const shapes = [input.shape];
    add(conv2d.shapeClass!(attrs, shapes, target));
    for (const variant of conv2d.variants!(attrs, shapes, target)) {
      const output = { ...input, shape: conv2d.shape(attrs, shapes), buffer: 1 };
      const results = (conv2d.results?.(attrs, shapes) ?? []).map((shape, i): View => ({ ...output, shape, buffer: 2 + i }));
      add(variant + wgsl(conv2d.lower({ attrs, inputs: [input], output, results, target, variant }).program));
    }
  }
  for (const slots of [4, 12]) {
    const attrs: GroupedReadAttrs = { readers: ['w', 'v', 'u'], channels: 32 };
    const input = view(32 * slots, 16, 0);
    const output = view(96, 16, 1);
    for (const variant of groupedRead.variants!(attrs, [input.shape], target)) add(variant + wgsl(groupedRead.lower({ attrs, inputs: [input], output, results: [], target, variant }).program));
  }
  return hash.toString(16).padStart(8, '0');
}

/** An adapter's name for people. */
export function adapterName({ vendor, architecture, device, description }: Info = {}): string {
  return (description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter').trim();
}

/** The key of a tuning for a device, for a cache. */
export function deviceTuneKey(device: GPUDevice, precision: DType = 'f32'): string {
  return tuneKey(device.adapterInfo, { traits: deviceTraits(device), precision });
}

/** The same. @param info of the adapter or its device; what a browser hides is empty. @param target what plans are made for, without choices. */
export function tuneKey(info: Info | undefined, target: Target, version = VERSION, runtime = runtimeKind()): string {
  const { vendor = '', architecture = '', device = '', description = '', driver = '', backendType = '' } = info ?? {};
  const adapter = [vendor, architecture, device, description, driver, backendType].map((text) => String(text).trim());
  return [...adapter, `deghost ${version}`, runtime, target.precision ?? 'f32', `variants ${variantsVersion(target)}`].join(' | ');
}
