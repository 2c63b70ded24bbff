/**
 * What the programs of this folder share: their options, the device, and how they report what they find.
 *
 * Each prints one JSON object per line on stdout, for files, and messages for people on stderr. All take `--adapter
 * gpu|auto|software|swiftshader`, `gpu` by default, and `--tiny`: the smallest sizes, with which a program can be tried
 * on a software adapter.
 */
import { DeghostError, NoAdapterError } from '../../src/errors.ts';
import { adapterChoice, requestAdapter } from '../../src/node/adapter.ts';
import { openWithMatrices } from '../../src/node/matrices.ts';

/** Options of all programs, for `parseArgs`. */
export const COMMON = {
  adapter: { type: 'string', default: process.env.DEGHOST_ADAPTER || 'gpu' },
  tiny: { type: 'boolean', default: false },
} as const;

/** An adapter and its device, matrix units included. @throws NoAdapterError; UsageError for an unknown choice */
export async function openGpu(choice: string): Promise<{ adapter: GPUAdapter; device: GPUDevice }> {
  const { adapter } = await requestAdapter({ software: adapterChoice(choice) });
  return { adapter, device: await openWithMatrices(adapter) };
}

/** Prints what was found, as a line of JSON. */
export function row(found: object): void {
  console.log(JSON.stringify(found));
}

/** Prints a message for people. */
export function say(text: string): void {
  console.error(text);
}

/** An error's first line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}

/** 1e12 floating-point operations a second, a multiply-add being two. */
export function tflops(multiplyAdds: number, ms: number): number {
  return (2 * multiplyAdds) / ms / 1e9;
}

/**
 * Runs a program to its end, and ends the process: devices keep it alive. Exit codes: what it returns, 0 for nothing; 1
 * for an error, 2 for a wrong command line.
 */
export async function main(name: string, run: (() => Promise<number>) | (() => Promise<void>)): Promise<never> {
  try {
    return process.exit((await run()) ?? 0);
  } catch (error) {
    const isUsage =
      (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') ||
      (error instanceof DeghostError && error.code === 'usage');
    const hint = error instanceof NoAdapterError ? ' (--adapter software --tiny tries this program without one)' : '';
    console.error(isUsage || error instanceof DeghostError ? `${name}: ${(error as Error).message}${hint}` : error);
    return process.exit(isUsage ? 2 : 1);
  }
}
