/**
 * Pictures that packages in WebAssembly decode, each file in a worker of its own: a file that keeps its decoder busy
 * without end, or that is no longer wanted, keeps only that worker busy, until it is ended.
 */
import { CancelledError, InputError, reasonOf } from '../../../../src/errors.ts';
import type { SourceColor } from '../../../../src/image/decode/sourceColor.ts';
import { exrHeader } from '../../../../src/image/decode/exrHeader.ts';
import { exrColor } from '../../../../src/image/decode/floats.ts';
import { heifHeader } from '../../../../src/image/decode/heifHeader.ts';
import { decoderBytes } from '../../../../src/image/decode/wasmMemory.ts';
import { profileNotRead } from '../../../../src/image/refusals.ts';
import { NotLoadedError, inOwnWorker } from './ownWorker.ts';
import { decoderScript, programs } from './packages.ts';
import type { Colorless, WasmAnswer, WasmFormat, WasmRequest } from './wasmMessages.ts';

/**
 * Seconds that a decoder may take: for its start and each million pixels. Measured on two cores of a server: 0.8 for a
 * million pixels of AVIF full of noise, 0.3 of OpenEXR. Phones take several times as long.
 */
const [SECONDS, MEGAPIXEL_SECONDS] = [60, 10];

/** For fetching their scripts, beside all else that the page fetches: on a slow line that is minutes. */
const PRELOAD_SECONDS = 900;

export const decoderSeconds = (pixels: number): number => SECONDS + (MEGAPIXEL_SECONDS * pixels) / 1e6;

/** A message of a worker; one that fails may send anything. */
function readAnswer(message: unknown): WasmAnswer {
  const { pixels, problem } = Object(message) as { pixels?: unknown; problem?: unknown };
  if (typeof pixels === 'number' || typeof problem === 'string' || 'result' in Object(message))
    return message as WasmAnswer;
  return { problem: 'it gave no answer that can be read', kind: 'other' };
}

/**
 * Asks a decoder of its own.
 * @param pixels as far as they are known.
 * @throws InputError naming the file; RangeError without the memory for it; CancelledError; Error if the decoder could
 * not be loaded.
 */
async function ask(request: WasmRequest, name: string, pixels: number, signal?: AbortSignal) {
  let most = pixels;
  const answer = await inOwnWorker({
    program: `import ${JSON.stringify(new URL(decoderScript, self.location.href).href)};`,
    name: 'decoder',
    request,
    read(message) {
      const said = readAnswer(message);
      if (!('pixels' in said)) return said;
      most = said.pixels;
      return undefined;
    },
    seconds: () => (request === 'preload' ? PRELOAD_SECONDS : decoderSeconds(most)),
    signal,
  }).catch((error: unknown) => {
    if (error instanceof CancelledError) throw error;
    const problem = reasonOf(error);
    if (error instanceof NotLoadedError)
      throw new Error(`the decoder of ${name} could not be loaded: load the page again`);
    // Told as what the tab has too little of.
    if (/memory/i.test(problem)) throw new RangeError(problem, { cause: error });
    throw new InputError(`${name} cannot be decoded: ${problem}`, { cause: error });
  });
  if ('result' in answer) return answer.result;
  if (answer.kind === 'input') throw new InputError(answer.problem);
  throw new (answer.kind === 'memory' ? RangeError : Error)(answer.problem);
}

/** What is known before a file is decoded. */
interface Head {
  program: WebAssembly.Module;
  pixels: number;
  /** Absent for JPEG XL, whose header its decoder reads. */
  color?: SourceColor;
}

async function heifHead(format: 'heic' | 'avif', bytes: Uint8Array, name: string): Promise<Head> {
  const { width, height, color } = heifHeader(bytes, name);
  if (!color) throw profileNotRead(name);
  return { program: await programs[format](decoderBytes(width, height)), pixels: width * height, color };
}

const HEADS: Record<WasmFormat, (bytes: Uint8Array, name: string) => Promise<Head>> = {
  async exr(bytes, name) {
    const header = exrHeader(bytes, name);
    const color = exrColor(header, name);
    return { program: await programs.exr(), pixels: header.width * header.height, color };
  },
  heic: (bytes, name) => heifHead('heic', bytes, name),
  avif: (bytes, name) => heifHead('avif', bytes, name),
  jxl: async () => ({ program: await programs.jxl(), pixels: 0 }),
};

/**
 * Decodes a file.
 * @returns the picture; of JPEG XL a PNG, which has the colours.
 * @throws as `ask`.
 */
export async function decodeInWasm(
  format: WasmFormat,
  bytes: Uint8Array,
  name: string,
  signal?: AbortSignal,
): Promise<(Colorless & { color: SourceColor }) | { png: Uint8Array<ArrayBuffer> }> {
  const { program, pixels, color } = await HEADS[format](bytes, name);
  const result = await ask({ format, program, bytes, name }, name, pixels, signal);
  if (!result) throw new Error('a decoder gave no picture');
  return 'png' in result ? result : { ...result, color: color! };
}

/** Has the decoders' scripts fetched. */
export async function preloadDecoders(): Promise<void> {
  await ask('preload', 'a picture', 0);
}
