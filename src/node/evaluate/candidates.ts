/** The rows of `deghost evaluate`: merges one stack in every way that is compared. */
import type { Deghoster } from '../../deghoster.ts';
import type { Progress } from '../../merge.ts';
import { burntOut, differenceMotion, encodedFrame, loneRadiance } from '../../image/baselines.ts';
import { chooseResponse } from '../../image/chooseResponse.ts';
import type { ChosenResponse, ResponseOption } from '../../image/chooseResponse.ts';
import type { Candidate, DisplayPicture } from './figures.ts';
import type { Method, MethodStack } from './methods/method.ts';
import type { EvaluationStack } from './readStack.ts';

export interface Candidates {
  rows: Candidate[];
  /** Pictures that are not radiance: only compared with the tone-mapped truth. */
  shown: DisplayPicture[];
  response: ChosenResponse;
  /** X' of the reference, and the radiance of the reference alone: the truth's scale is fitted to them. */
  encoded: Float32Array;
  lone: Float32Array;
  /** For each frame, where it and the reference are burnt out; none without a ground truth. */
  burnt: Uint8Array[];
}

/**
 * Merges a stack in all ways; the response is estimated only once. Without a ground truth, the ways are the network,
 * the reference and the plain merge.
 * @param methods classical methods to compare with, where there is a ground truth.
 * @param gamma gamma of the weights, so that all rows use the same X.
 */
export async function mergeCandidates(
  deghoster: Deghoster,
  stack: EvaluationStack,
  gamma: number,
  option: ResponseOption | undefined,
  methods: readonly Method[],
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (progress: Progress) => void },
): Promise<Candidates> {
  const { frames, reference, motion: trueMotion } = stack;
  const response = await chooseResponse(frames, option, async () => frames, signal);
  const { kind } = response.report;
  const undone = kind === 'gamma' ? undefined : response.response;
  // Stacks are measured as they are: their truth is not warped.
  const shared = {
    align: 'none' as const,
    reference,
    response: kind === 'gamma' || kind === 'linear' ? kind : response.response,
    signal,
  };
  const withMaps = (motion?: readonly Float32Array[]) =>
    deghoster.merge(frames, { ...shared, motion, method: 'merge' });

  const encoded = frames.map((frame) => encodedFrame(frame, undone, gamma));
  const [shortest] = frames;
  const lone = loneRadiance(encoded[reference], frames[reference].exposure / shortest.exposure, gamma);
  const network = await deghoster.merge(frames, { ...shared, onProgress });
  // Networks without maps (an ablation) have none.
  const hasMaps = network.motion.length > 0;
  const plain = await withMaps();
  const rows: Candidate[] = [
    { name: 'network', radiance: network.radiance, ...(hasMaps && { motion: network.motion }) },
    { name: 'reference', radiance: lone },
    { name: 'merge', radiance: plain.radiance },
  ];
  const shown: DisplayPicture[] = [];
  const made = { rows, shown, response, encoded: encoded[reference], lone };
  if (!stack.truth) return { ...made, burnt: [] };

  const ratios = frames.map(({ exposure }) => frames[reference].exposure / exposure);
  const difference = await withMaps(encoded.map((x, k) => differenceMotion(x, encoded[reference], ratios[k], gamma)));
  rows.push({ name: 'merge, difference', radiance: difference.radiance, motion: difference.motion });
  if (hasMaps) {
    const own = await withMaps(network.motion);
    rows.push({ name: 'merge, S', radiance: own.radiance, motion: network.motion });
  }
  if (trueMotion) rows.push({ name: 'merge, truth', radiance: (await withMaps(trueMotion)).radiance });
  const seen: MethodStack = {
    frames: encoded,
    taus: frames.map(({ exposure }) => exposure / shortest.exposure),
    coverage: frames.map(({ coverage }) => coverage),
    width: stack.width,
    height: stack.height,
    gamma,
  };
  for (const { name, output, run } of methods) {
    const picture = await run(seen, signal);
    if (output === 'radiance') rows.push({ name, radiance: picture });
    else shown.push({ name, display: picture });
  }
  return { ...made, burnt: encoded.map((x, k) => burntOut(x, encoded[reference], ratios[k], gamma)) };
}
