/** Errors as the page tells them apart. */
import { DeghostError, DeviceLostError, NoAdapterError } from '../../../src/errors.ts';
import type { Failure } from '../messages.ts';

/** What went wrong. Memory runs out in two ways: WebGPU says out-of-memory, arrays throw a RangeError. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof NoAdapterError) return { kind: navigatorHasGpu() ? 'no-adapter' : 'no-webgpu', message };
  if (error instanceof DeviceLostError) return { kind: 'device-lost', message };
  if (error instanceof RangeError || /out of (GPU )?memory|out-of-memory/i.test(message)) return { kind: 'memory', message };
  if (error instanceof DeghostError && error.code === 'input') return { kind: 'input', message };
  return { kind: 'other', message };
}

function navigatorHasGpu(): boolean {
  return 'gpu' in navigator && navigator.gpu !== undefined;
}
