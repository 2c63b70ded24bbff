/**
 * The program of the workers that decode OpenEXR, JPEG XL, HEIC and AVIF, one file each. A worker is told the file and
 * its decoder's compiled program, and answers once; inWasm.ts starts and ends it.
 *
 * libheif is under the LGPL-3.0: its script is a file of its own, which can be replaced.
 */
import { InputError, reasonOf } from '../../../../src/errors.ts';
import { decodeExr } from '../../../../src/image/decode/floats.ts';
import type { Exrs } from '../../../../src/image/decode/floats.ts';
import { decodeHeic } from '../../../../src/image/decode/heic.ts';
import type { LibHeif } from '../../../../src/image/decode/heic.ts';
import { jxlToPng } from '../../../../src/image/decode/jxl.ts';
import type { JxlOxide } from '../../../../src/image/decode/jxl.ts';
import { startCompiled } from '../../../../src/image/decode/wasmMemory.ts';
import type { EmscriptenOptions } from '../../../../src/image/decode/wasmMemory.ts';
import { decodeAvif } from './avif.ts';
import type { LibAvif } from './avif.ts';
import type { WasmAnswer, WasmFormat, WasmRequest, WasmResult } from './wasmMessages.ts';

type Program = WebAssembly.Module;

const scripts = {
  avif: () => import('@jsquash/avif/codec/dec/avif_dec.js'),
  exr: () => Promise.all([import('exrs'), import('exrs/node_modules/exrs-raw-wasm-bindgen/exrs_raw_wasm_bindgen.js')]),
  heic: () => import('libheif-js/libheif-wasm/libheif.js'),
  jxl: () => import('jxl-oxide-wasm'),
};

async function startAvif(program: Program): Promise<LibAvif> {
  const { default: start } = (await scripts.avif()) as unknown as {
    default(options: EmscriptenOptions & { noInitialRun: boolean; locateFile(path: string): string }): Promise<LibAvif>;
  };
  // Otherwise it looks for its file beside its script, though it has got it.
  return startCompiled(program, (options) => start({ ...options, noInitialRun: true, locateFile: (path) => path }));
}

async function startExrs(program: Program): Promise<Exrs> {
  const [module, raw] = await scripts.exr();
  await raw.default({ module_or_path: program });
  await module.init(); // finds it started
  return module;
}

async function startLibHeif(program: Program): Promise<LibHeif> {
  // CommonJS, whatever its declarations say.
  const { default: start } = (await scripts.heic()) as unknown as {
    default(options: EmscriptenOptions): LibHeif | Promise<LibHeif>;
  };
  return startCompiled(program, start);
}

async function startJxlOxide(program: Program): Promise<JxlOxide> {
  const module = await scripts.jxl();
  await module.default({ module_or_path: program });
  return module;
}

const DECODE: Record<WasmFormat, (program: Program, bytes: Uint8Array, name: string) => Promise<WasmResult>> = {
  exr: async (program, bytes, name) => decodeExr(await startExrs(program), bytes, name),
  heic: (program, bytes, name) => decodeHeic(() => startLibHeif(program), bytes, name),
  avif: (program, bytes, name) => decodeAvif(() => startAvif(program), bytes, name),
  jxl: async (program, bytes, name) => {
    const tell = (width: number, height: number): void => answer({ pixels: width * height });
    return { png: jxlToPng(await startJxlOxide(program), bytes, name, tell) as Uint8Array<ArrayBuffer> };
  },
};

function answer(message: WasmAnswer, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

function answerWith(result: WasmResult): void {
  if ('png' in result) return answer({ result }, [result.png.buffer]);
  // Colours hold functions, which cannot be sent.
  const { data, coverage, width, height, bits, exif } = result;
  answer({ result: { data, coverage, width, height, bits, exif } }, [
    data.buffer,
    ...(coverage ? [coverage.buffer] : []),
  ]);
}

self.onmessage = async ({ data: request }: MessageEvent<WasmRequest>) => {
  try {
    if (request === 'preload') {
      await Promise.allSettled(Object.values(scripts).map((load) => load()));
      return answer({ result: undefined });
    }
    const { format, program, bytes, name } = request;
    answerWith(await DECODE[format](program, bytes, name));
  } catch (error) {
    const kind = error instanceof InputError ? 'input' : error instanceof RangeError ? 'memory' : 'other';
    answer({ problem: reasonOf(error), kind });
  }
};
