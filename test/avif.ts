/** libavif in Node, as the page starts it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { LibAvif } from '../app/src/worker/decode/avif.ts';
import { limitedDecoder } from '../src/image/decode/wasmMemory.ts';
import type { EmscriptenOptions } from '../src/image/decode/wasmMemory.ts';

export const startAvif = limitedDecoder<LibAvif>(
  async () => readFileSync(createRequire(import.meta.url).resolve('@jsquash/avif/codec/dec/avif_dec.wasm')),
  async () => {
    const { default: start } = (await import('@jsquash/avif/codec/dec/avif_dec.js')) as unknown as {
      default(
        options: EmscriptenOptions & { noInitialRun: boolean; locateFile(path: string): string },
      ): Promise<LibAvif>;
    };
    return (options) => start({ ...options, noInitialRun: true, locateFile: (path) => path });
  },
);
