/** RAW files, developed by LibRaw in a worker of its own for each file. */
import { RAW_MINUTES, RAW_WORKER, readRawAnswer } from '../../../../src/image/decode/rawWorker.ts';
import type { RawAnswer, RawRequest } from '../../../../src/image/decode/rawWorker.ts';
import { CancelledError, InputError, reasonOf } from '../../../../src/errors.ts';
import { checkDeveloped, rawExposure, rawHead, rawProblem, rawSettings } from '../../../../src/image/decode/raw.ts';
import type { WhiteBalance } from '../../../../src/image/decode/raw.ts';
import { readExposureInfo } from '../../../../src/image/exif.ts';
import { extractExif } from '../../../../src/image/exifBlock.ts';
import type { DecodedImage } from '../../../../src/image/picture.ts';
import { exifReader } from './exifReader.ts';
import { inOwnWorker } from './ownWorker.ts';
import { libRaw } from './packages.ts';

async function inWorker(
  bytes: Uint8Array,
  name: string,
  signal: AbortSignal | undefined,
  settings?: RawRequest['settings'],
): Promise<Exclude<RawAnswer, { problem: string }>> {
  const request: RawRequest = { ...(await libRaw()), bytes, settings };
  const answer = await inOwnWorker<RawAnswer>({
    program: RAW_WORKER,
    name: 'raw',
    request,
    read: readRawAnswer,
    seconds: () => RAW_MINUTES * 60,
    signal,
  }).catch((error: unknown) => {
    if (error instanceof CancelledError) throw error;
    const problem = reasonOf(error);
    return { problem, isOutOfMemory: /memory/i.test(problem), isMissing: false };
  });
  if (!('problem' in answer)) return answer;
  if (answer.isMissing) throw new Error(`LibRaw could not be loaded: ${answer.problem}`);
  // Told as what the tab has too little of.
  if (answer.isOutOfMemory) throw new RangeError(answer.problem);
  throw rawProblem(name, answer);
}

/**
 * Develops a RAW file.
 * @param whiteBalance of the stack; the file's own if absent.
 * @throws InputError naming the file; RangeError without the memory for it; CancelledError.
 */
export async function decodeRaw(
  bytes: Uint8Array,
  name: string,
  whiteBalance?: WhiteBalance,
  signal?: AbortSignal,
): Promise<DecodedImage> {
  const head = rawHead((await inWorker(bytes, name, signal)).metadata, name);
  const balance = whiteBalance ?? head.camera.whiteBalance;
  const { picture } = await inWorker(bytes, name, signal, rawSettings(balance));
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
