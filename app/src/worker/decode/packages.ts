/**
 * Packages that decoding and encoding use, each its own chunk.
 *
 * They are fetched once, at the start: nothing is fetched after the page has loaded, so that it works without a network
 * and its traffic shows that no picture leaves the machine. WebAssembly is started when a file needs it.
 *
 * libheif is under the LGPL-3.0, LibRaw under the LGPL-2.1 or the CDDL-1.0: their .wasm and scripts are files of their
 * own beside the page, which can be replaced.
 */
import avifWasm from '@jsquash/avif/codec/dec/avif_dec.wasm?url';
import exrWasm from 'exrs/node_modules/exrs-raw-wasm-bindgen/exrs_raw_wasm_bindgen_bg.wasm?url';
import jxlWasm from 'jxl-oxide-wasm/module.wasm?url';
import rawScript from 'libraw-wasm/dist/libraw.js?url';
import rawWasm from 'libraw-wasm/dist/libraw.wasm?url';
import heifWasm from 'libheif-js/libheif-wasm/libheif.wasm?url';
import type { Exrs } from '../../../../src/image/decode/floats.ts';
import type { LibHeif } from '../../../../src/image/decode/heic.ts';
import { limitedDecoder } from '../../../../src/image/decode/wasmMemory.ts';
import type { EmscriptenOptions } from '../../../../src/image/decode/wasmMemory.ts';
import type { JxlOxide } from '../../../../src/image/decode/jxl.ts';
import type { LibAvif } from './avif.ts';
import type { RawRequest } from '../../../../src/image/decode/rawWorker.ts';
import type { TiffPackages } from '../../../../src/image/decode/tiffSegments.ts';

/** Calls `load` once; a failure is not kept. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    }));
}

function wasmFile(url: string): () => Promise<ArrayBuffer> {
  return once(async () => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`a decoder could not be loaded (${response.status})`);
    return response.arrayBuffer();
  });
}

const wasm = {
  avif: wasmFile(avifWasm),
  exr: wasmFile(exrWasm),
  heif: wasmFile(heifWasm),
  jxl: wasmFile(jxlWasm),
  raw: wasmFile(rawWasm),
};

export const fastPng = () => import('fast-png');
export const tiff = async () => (await import('tiff')) as unknown as Awaited<ReturnType<TiffPackages['tiff']>>;
export const fzstd = () => import('fzstd');

const avifScript = () => import('@jsquash/avif/codec/dec/avif_dec.js');
const exrScripts = async () =>
  [await import('exrs'), await import('exrs/node_modules/exrs-raw-wasm-bindgen/exrs_raw_wasm_bindgen.js')] as const;
const jxlScript = () => import('jxl-oxide-wasm');
/** CommonJS, whatever its declarations say. */
const heifScript = async () =>
  (await import('libheif-js/libheif-wasm/libheif.js')) as unknown as {
    default(options: EmscriptenOptions): LibHeif | Promise<LibHeif>;
  };

/** libavif, for one file, with so many bytes of memory at most. */
export const avif = limitedDecoder<LibAvif>(
  async () => new Uint8Array(await wasm.avif()),
  async () => {
    const { default: start } = (await avifScript()) as unknown as {
      default(
        options: EmscriptenOptions & { noInitialRun: boolean; locateFile(path: string): string },
      ): Promise<LibAvif>;
    };
    // Otherwise it looks for its file beside its script, though it has got it.
    return (options) => start({ ...options, noInitialRun: true, locateFile: (path) => path });
  },
);

export const exrs = once(async (): Promise<Exrs> => {
  const [module, raw] = await exrScripts();
  await raw.default({ module_or_path: await wasm.exr() });
  await module.init(); // finds it started
  return module;
});

export const jxlOxide = once(async (): Promise<JxlOxide> => {
  const module = await jxlScript();
  await module.default({ module_or_path: await wasm.jxl() });
  return module;
});

/** libheif, for one file, with so many bytes of memory at most. */
export const libHeif = limitedDecoder<LibHeif>(
  async () => new Uint8Array(await wasm.heif()),
  async () => (await heifScript()).default,
);

/** LibRaw's script, which its workers import, and its program. */
export const libRaw = once(
  async (): Promise<Pick<RawRequest, 'script' | 'module'>> => ({
    script: new URL(rawScript, self.location.href).href,
    module: await WebAssembly.compile(await wasm.raw()),
  }),
);

/** Fetches all of them. */
export async function preloadPackages(): Promise<void> {
  await Promise.all([fastPng(), tiff()]);
  // Few stacks need these: they come after what all need, and one that cannot be had leaves the others.
  await Promise.allSettled([
    ...[fzstd, avifScript, exrScripts, jxlScript, heifScript].map((load) => load()),
    ...Object.values(wasm).map((load) => load()),
    fetch(rawScript), // its workers import it: from the browser's cache then
  ]);
}
