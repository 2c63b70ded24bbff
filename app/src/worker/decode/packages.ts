/**
 * Packages that decoding and encoding use, each its own chunk.
 *
 * They are fetched at the start, so that the page works without a network and its traffic shows that no picture leaves
 * the machine. WebAssembly is started when a file needs it. A decoder with a worker of its own imports its script again
 * there, which the service worker or the browser has kept.
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
import { limitedProgram } from '../../../../src/image/decode/wasmMemory.ts';
import type { RawRequest } from '../../../../src/image/decode/rawWorker.ts';
import type { TiffPackages } from '../../../../src/image/decode/tiffSegments.ts';
import decoderScript from './wasmWorker.ts?worker&url';

/** URL of the program of decoders' workers, which loads the scripts of packages in WebAssembly. */
export { decoderScript };

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

/** The compiled programs of decoders; of HEIC's and AVIF's, with so many bytes of memory at most. */
export const programs = {
  exr: once(async () => WebAssembly.compile(await wasm.exr())),
  jxl: once(async () => WebAssembly.compile(await wasm.jxl())),
  heic: limitedProgram(async () => new Uint8Array(await wasm.heif())),
  avif: limitedProgram(async () => new Uint8Array(await wasm.avif())),
};

/** LibRaw's script, which its workers import, and its program. */
export const libRaw = once(
  async (): Promise<Pick<RawRequest, 'script' | 'module'>> => ({
    script: new URL(rawScript, self.location.href).href,
    module: await WebAssembly.compile(await wasm.raw()),
  }),
);

/** Fetches all of them. @param decoders fetches the scripts of those in WebAssembly. */
export async function preloadPackages(decoders: () => Promise<void>): Promise<void> {
  await Promise.all([fastPng(), tiff()]);
  // Few stacks need these: they come after what all need, and one that cannot be had leaves the others.
  await Promise.allSettled([
    fzstd(),
    decoders(),
    ...Object.values(wasm).map((load) => load()),
    fetch(rawScript), // its workers import it: from the browser's cache then
  ]);
}
