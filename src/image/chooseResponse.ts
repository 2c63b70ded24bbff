/** Chooses the camera response of a merge from the caller's option and the frames. */
import { OBJECT, wrongText } from '../checks.ts';
import { InputError, UsageError } from '../errors.ts';
import { isEightBit } from './frame.ts';
import type { Frame, FrameSource, Pixels } from './frame.ts';
import { checkResponse, estimateFrom, gammaResponse, linearResponse } from './response.ts';
import type { CameraResponse, ChannelReport, ResponseReport } from './response.ts';
import type { PictureFormat } from './sniff.ts';

/**
 * `auto` estimates the response from the stack, `gamma` is radiance^(1/2.2), `linear` is radiance itself; or a known
 * response.
 */
export type ResponseOption = 'auto' | 'gamma' | 'linear' | CameraResponse;

/** The response that a merge used, and where it comes from. */
export interface ChosenResponse {
  response: CameraResponse;
  report: ResponseReport;
}

function given(kind: 'gamma' | 'linear' | 'file', response: CameraResponse, summary: string): ChosenResponse {
  const nothing = (): ChannelReport => ({ pairs: 0, residual: 0, range: [0, 0] });
  return { response, report: { kind, ...nothing(), channels: { r: nothing(), g: nothing(), b: nothing() }, summary } };
}

/**
 * The default response: `auto` if all pictures have 8 bits, which may hold a camera's tone curve; otherwise `gamma`,
 * because files of more bits, and arrays, come from programs that know what they wrote.
 * @param pictures frames, or pictures with the format they were decoded from.
 */
export function defaultResponse(pictures: readonly (Pixels & { format?: PictureFormat })[]): 'auto' | 'gamma' {
  return pictures.every((picture) => isEightBit(picture) && picture.format !== 'npy') ? 'auto' : 'gamma';
}

/**
 * The response to undo.
 * @param frames sorted by exposure.
 * @param patches returns the patches to estimate from; called only for `auto`.
 */
export async function chooseResponse(
  frames: readonly FrameSource[],
  option: ResponseOption | undefined,
  patches: () => Promise<readonly Frame[]>,
  signal?: AbortSignal,
): Promise<ChosenResponse> {
  const chosen = option ?? defaultResponse(frames);
  if (chosen === 'auto') return estimateFrom(await patches(), { signal });
  if (chosen === 'gamma') return given('gamma', gammaResponse(), 'response: gamma 2.2');
  if (chosen === 'linear') return given('linear', linearResponse(), 'response: linear');
  return given('file', chosen, 'response: as given');
}

const WORDS: readonly unknown[] = ['auto', 'gamma', 'linear', undefined];

/** A response as callers give it, read once. @throws UsageError; InputError for curves that are none. */
export function readResponse(option: ResponseOption | undefined): ResponseOption | undefined {
  if (WORDS.includes(option)) return option;
  if (!OBJECT[1](option))
    throw new UsageError(wrongText('response', option, '"auto", "gamma", "linear" or { r, g, b }, 256 samples each'));
  return checkResponse(option, (what) => {
    throw new InputError(`response: ${what}`);
  });
}

/** The GPU's table: f at i/255, as [256][r, g, b, 0]. */
export function responseTable({ r, g, b }: CameraResponse): Float32Array<ArrayBuffer> {
  const table = new Float32Array(4 * r.length);
  r.forEach((value, i) => table.set([value, g[i], b[i], 0], 4 * i));
  return table;
}
