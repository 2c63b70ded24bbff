/**
 * The optional packages that decode pictures in Node besides sharp, each loaded when a file of its kind is met, and its
 * WebAssembly started once.
 *
 * libheif-js is under the LGPL-3.0: it stays a package of its own, whose files can be replaced.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Exrs } from '../image/decode/floats.ts';
import type { LibHeif } from '../image/decode/heic.ts';
import { limitedDecoder } from '../image/decode/wasmMemory.ts';
import type { EmscriptenOptions } from '../image/decode/wasmMemory.ts';
import type { JxlOxide } from '../image/decode/jxl.ts';
import type { TiffPackages } from '../image/decode/tiffSegments.ts';
import { optional } from './problems.ts';

/** A file of an installed package. */
function fileOf(packageName: string, path: string): Promise<Buffer> {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  return readFile(join(dirname(manifest), path));
}

/** Calls `load` once; a failure is not kept. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    }));
}

const startLibHeif = limitedDecoder<LibHeif>(
  once(() => fileOf('libheif-js', 'libheif-wasm/libheif.wasm')),
  async () => {
    // CommonJS, whatever its declarations say.
    const { default: start } = (await import('libheif-js/libheif-wasm/libheif.js')) as unknown as {
      default(options: EmscriptenOptions): LibHeif | Promise<LibHeif>;
    };
    return start;
  },
);

/** libheif, for one file. @throws MissingPackageError */
export const loadLibHeif = (mostBytes: number): Promise<LibHeif> =>
  optional(() => startLibHeif(mostBytes), 'libheif-js', 'reading HEIC');

/** jxl-oxide. @throws MissingPackageError */
export const loadJxlOxide = once((): Promise<JxlOxide> => {
  const load = async (): Promise<JxlOxide> => {
    const jxl = await import('jxl-oxide-wasm');
    await jxl.default({ module_or_path: await fileOf('jxl-oxide-wasm', 'jxl_oxide_wasm_bg.wasm') });
    return jxl;
  };
  return optional(load, 'jxl-oxide-wasm', 'reading JPEG XL');
});

/** exrs. @throws MissingPackageError */
export const loadExrs = once((): Promise<Exrs> => {
  const load = async (): Promise<Exrs> => {
    const exrs = await import('exrs');
    await exrs.init();
    return exrs;
  };
  return optional(load, 'exrs', 'reading OpenEXR');
});

/** What reads TIFFs that sharp does not; each function throws MissingPackageError. */
export const tiffPackages: TiffPackages = {
  tiff: once(() =>
    optional<Awaited<ReturnType<TiffPackages['tiff']>>>(
      async () => (await import('tiff')) as unknown as Awaited<ReturnType<TiffPackages['tiff']>>,
      'tiff',
      'reading float and Zstandard TIFF',
    ),
  ),
  fzstd: once(() => optional(() => import('fzstd'), 'fzstd', 'reading TIFF compressed with Zstandard')),
};
