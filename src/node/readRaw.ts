/**
 * RAW files, developed by LibRaw (the optional package libraw-wasm) in worker threads, one a file: so several are
 * developed side by side, a failure of LibRaw ends its thread and not the process, and its memory is given back.
 *
 * LibRaw is under the LGPL-2.1 or the CDDL-1.0: it stays a package of its own, whose files can be replaced.
 */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CancelledError, InputError, MissingPackageError, reasonOf, throwIfCancelled } from '../errors.ts';
import { RAW_MINUTES, RAW_WORKER, readRawAnswer } from '../image/decode/rawWorker.ts';
import type { RawAnswer, RawRequest } from '../image/decode/rawWorker.ts';
import { checkDeveloped, rawExposure, rawHead, rawProblem, rawSettings } from '../image/decode/raw.ts';
import type { RawHead, WhiteBalance } from '../image/decode/raw.ts';
import type { DecodedImage } from '../image/picture.ts';
import { readExif } from './exif.ts';

/** LibRaw's working memory for each pixel of the sensor, without the result: 30 bytes were measured at 24 and 45 MP. */
export const RAW_BYTES_PER_PIXEL = 32;

let loaded: Promise<Pick<RawRequest, 'script' | 'module'>> | undefined;

/** @throws MissingPackageError */
async function libRaw(): Promise<Pick<RawRequest, 'script' | 'module'>> {
  loaded ??= (async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('libraw-wasm/package.json'));
    const module = await WebAssembly.compile(await readFile(join(folder, 'dist/libraw.wasm')));
    return { script: pathToFileURL(join(folder, 'dist/libraw.js')).href, module };
  })();
  try {
    return await loaded;
  } catch (cause) {
    loaded = undefined;
    throw missing(cause);
  }
}

function missing(cause: unknown): MissingPackageError {
  return new MissingPackageError('libraw-wasm', 'reading RAW', { cause });
}

/** Runs one request in a thread of its own. @throws InputError; MissingPackageError; CancelledError. */
async function inThread(
  bytes: Uint8Array,
  name: string,
  settings: Record<string, unknown> | undefined,
  signal: AbortSignal | undefined,
): Promise<Exclude<RawAnswer, { problem: string }>> {
  const request: RawRequest = { ...(await libRaw()), bytes, settings };
  throwIfCancelled(signal);
  let worker: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let cancel = (): void => undefined;
  const failed = (error: unknown): RawAnswer => {
    const problem = reasonOf(error);
    return { problem, isOutOfMemory: /memory/i.test(problem) };
  };
  try {
    const answer = await new Promise<RawAnswer>((resolve, reject) => {
      worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(RAW_WORKER)}`), { execArgv: [] });
      worker.once('message', (message) => resolve(readRawAnswer(message)));
      worker.once('messageerror', () => resolve({ problem: 'what LibRaw made could not be handed over' }));
      // An error may be told after the answer, while the thread ends.
      worker.on('error', (error) => resolve(failed(error)));
      worker.once('exit', (code) => resolve({ problem: `LibRaw ended with code ${code}` }));
      timer = setTimeout(() => resolve({ problem: `LibRaw took over ${RAW_MINUTES} minutes` }), RAW_MINUTES * 60_000);
      cancel = () => reject(new CancelledError());
      signal?.addEventListener('abort', cancel);
      worker.postMessage(request);
    }).catch((error: unknown) => {
      if (error instanceof CancelledError) throw error;
      return failed(error);
    });
    if (!('problem' in answer)) return answer;
    if (answer.isMissing) throw missing(answer.problem);
    throw rawProblem(name, answer);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    await worker?.terminate();
  }
}

/**
 * Reads a RAW file's size, exposure and colours, without developing it.
 * @throws InputError naming the file; MissingPackageError; CancelledError.
 */
export async function readRawHead(bytes: Uint8Array, name: string, signal?: AbortSignal): Promise<RawHead> {
  const head = rawHead((await inThread(bytes, name, undefined, signal)).metadata, name);
  return { ...head, exposure: rawExposure(head, await readExif(bytes).catch(rethrowMissing)) };
}

/** exifr does not know all RAW formats. */
function rethrowMissing(error: unknown): Record<string, never> {
  if (error instanceof MissingPackageError) throw error;
  return {};
}

/**
 * Develops a RAW file.
 * @param whiteBalance of the stack.
 * @throws InputError naming the file; MissingPackageError; CancelledError.
 */
export async function developRaw(
  bytes: Uint8Array,
  name: string,
  head: RawHead,
  whiteBalance: WhiteBalance,
  signal?: AbortSignal,
): Promise<Omit<DecodedImage, 'exifBlock'>> {
  const { picture } = await inThread(bytes, name, rawSettings(whiteBalance), signal);
  if (!picture) throw new InputError(`${name} was not developed`);
  checkDeveloped(picture, name);
  const { width, height, data } = picture;
  const camera = { ...head.camera, whiteBalance };
  return { data, width, height, bits: 16, format: 'raw', exif: head.exposure, linear: true, camera };
}
