/** Chooses the camera response of a merge from the caller's option and the frames. */
import { UsageError } from '../errors.ts';
import { isEightBit } from './frame.ts';
import type { Frame, FrameSource, Pixels } from './frame.ts';
import { estimateResponse, gammaResponse, linearResponse } from './response.ts';
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
  if (chosen === 'auto') return estimateResponse(await patches(), { signal });
  if (chosen === 'gamma') return given('gamma', gammaResponse(), 'response: gamma 2.2');
  if (chosen === 'linear') return given('linear', linearResponse(), 'response: linear');
  if (typeof chosen === 'string')
    throw new UsageError(`response is "${String(chosen)}": it must be auto, gamma, linear or 256 samples a channel`);
  return given('file', chosen, 'response: as given');
}

/** The GPU's table: f at i/255, as [256][r, g, b, 0]. */
export function responseTable({ r, g, b }: CameraResponse): Float32Array<ArrayBuffer> {
  const table = new Float32Array(4 * r.length);
  r.forEach((value, i) => table.set([value, g[i], b[i], 0], 4 * i));
  return table;
}
