/**
 * RAW files, developed by LibRaw in a worker of its own for each file, which ends with it: LibRaw's memory never
 * shrinks. The worker is started from a blob, so it has the page's Content-Security-Policy and can send nothing away.
 */
import { RAW_MINUTES, RAW_WORKER, readRawAnswer } from '../../../../src/image/decode/rawWorker.ts';
import type { RawAnswer, RawRequest } from '../../../../src/image/decode/rawWorker.ts';
import { InputError, reasonOf } from '../../../../src/errors.ts';
import { checkDeveloped, rawExposure, rawHead, rawProblem, rawSettings } from '../../../../src/image/decode/raw.ts';
import type { WhiteBalance } from '../../../../src/image/decode/raw.ts';
import { readExposureInfo } from '../../../../src/image/exif.ts';
import { extractExif } from '../../../../src/image/exifBlock.ts';
import type { DecodedImage } from '../../../../src/image/picture.ts';
import { exifReader } from './exifReader.ts';
import { libRaw } from './packages.ts';

async function inWorker(
  bytes: Uint8Array,
  name: string,
  settings?: RawRequest['settings'],
): Promise<Exclude<RawAnswer, { problem: string }>> {
  const request: RawRequest = { ...(await libRaw()), bytes, settings };
  const url = URL.createObjectURL(new Blob([RAW_WORKER], { type: 'text/javascript' }));
  let worker: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failed = (problem = ''): RawAnswer => ({ problem, isOutOfMemory: /memory/i.test(problem) });
  try {
    const answer = await new Promise<RawAnswer>((resolve) => {
      worker = new Worker(url, { type: 'module', name: 'raw' });
      worker.onmessage = ({ data }: MessageEvent<unknown>) => resolve(readRawAnswer(data));
      worker.onerror = ({ message }) => resolve(failed(message));
      worker.onmessageerror = () => resolve({ problem: 'what LibRaw made could not be handed over' });
      timer = setTimeout(() => resolve({ problem: `LibRaw took over ${RAW_MINUTES} minutes` }), RAW_MINUTES * 60_000);
      worker.postMessage(request);
    }).catch((error: unknown) => failed(reasonOf(error)));
    if (!('problem' in answer)) return answer;
    if (answer.isMissing) throw new Error(`LibRaw could not be loaded: ${answer.problem}`);
    // Told as what the tab has too little of.
    if (answer.isOutOfMemory) throw new RangeError(answer.problem);
    throw rawProblem(name, answer);
  } finally {
    clearTimeout(timer);
    worker?.terminate();
    URL.revokeObjectURL(url);
  }
}

/**
 * Develops a RAW file.
 * @param whiteBalance of the stack; the file's own if absent.
 * @throws InputError naming the file; RangeError without the memory for it.
 */
export async function decodeRaw(bytes: Uint8Array, name: string, whiteBalance?: WhiteBalance): Promise<DecodedImage> {
  const head = rawHead((await inWorker(bytes, name)).metadata, name);
  const balance = whiteBalance ?? head.camera.whiteBalance;
  const { picture } = await inWorker(bytes, name, rawSettings(balance));
  if (!picture) throw new InputError(`${name} was not developed`);
  checkDeveloped(picture, name);
  const { width, height, data } = picture;
  // Not all RAW formats have EXIF that is found.
  const exif = await readExposureInfo(exifReader, bytes).catch(() => ({}));
  const exifBlock = extractExif(bytes, { width: 0, height: 0, isSrgb: true });
  return {
    data,
    width,
    height,
    bits: 16,
    format: 'raw',
    exif: rawExposure(head, exif),
    linear: true,
    camera: { ...head.camera, whiteBalance: balance },
    ...(exifBlock && { exifBlock }),
  };
}
