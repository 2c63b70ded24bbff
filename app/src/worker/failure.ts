/** The kinds of errors that the page distinguishes. */
import { DeghostError, InputError, NoAdapterError, messageWith } from '../../../src/errors.ts';
import type { Failure, FailureKind } from '../messages.ts';

/**
 * How browsers say that an array or a canvas could not be allocated: "Array buffer allocation failed", "Invalid typed
 * array length", "Invalid array buffer length", "Out of memory at ImageData creation" (Chromium), "allocation size
 * overflow", "out of memory" (Firefox), "Out of memory", "Length out of range of buffer" (Safari). Other RangeErrors
 * are bugs.
 */
const ALLOCATION = /alloc|memory|(array|buffer) length|length too large|length out of range|no canvas/i;
/**
 * WebGPU's own wording, and that of Vulkan, Direct3D and Metal in the message of a device lost for lack of memory.
 */
const GPU_MEMORY = /out.of.(GPU.)?memory|OUT_OF_(DEVICE|HOST)_MEMORY|E_OUTOFMEMORY/i;

/** What went wrong. Memory runs out in two places: on the graphics card, and in the tab. */
export function failureOf(error: unknown): Failure {
  const message = messageWith({}, error);
  const { problem, finding } = error instanceof InputError ? error : {};
  return { kind: kindOf(error, message), message, ...(problem && { problem, finding }) };
}

function kindOf(error: unknown, message: string): FailureKind {
  if (error instanceof NoAdapterError) return navigatorHasGpu() ? 'no-adapter' : 'no-webgpu';
  const code = error instanceof DeghostError ? error.code : undefined;
  if ((code === 'gpu' || code === 'device-lost') && GPU_MEMORY.test(message)) return 'gpu-memory';
  if (code === 'device-lost') return 'device-lost';
  if (code === 'input') return 'input';
  return error instanceof Error && code === undefined && ALLOCATION.test(message) ? 'memory' : 'other';
}

function navigatorHasGpu(): boolean {
  return 'gpu' in navigator && navigator.gpu !== undefined;
}
