/** The output of `deghost merge`: before the merge, after it, and as JSON. */
import { basename } from 'node:path';
import { bytesText } from '../../bytesText.ts';
import { clippedShare, referenceSummary } from '../../image/chooseReference.ts';
import type { ReferenceChoice } from '../../image/chooseReference.ts';
import { exposureBiases } from '../../image/exif.ts';
import { exposureSteps } from '../../image/exposureSteps.ts';
import { movingShare } from '../../image/motion.ts';
import { deviationText, responseDeviation } from '../../image/responseDeviation.ts';
import { mergeWarnings } from '../../warnings.ts';
import type { MergeWarning } from '../../warnings.ts';
import type { AdapterInfo } from '../adapter.ts';
import { json } from './io.ts';
import { alignmentJson, alignmentText } from './alignmentReport.ts';
import type { CroppedResult } from './crop.ts';
import type { CommandIo } from './io.ts';
import type { MergeOptions } from './mergeOptions.ts';
import type { Written } from './mergeOutputs.ts';
import type { Stack } from './mergeStack.ts';
import { profileText } from './profile.ts';
import type { CommandProfile } from './profile.ts';
import { clock } from './progress.ts';
import type { WeightsFile } from './weights.ts';

export interface MergeContext {
  options: MergeOptions;
  /** After the merge, without the frames that were left out. */
  stack: Stack;
  reference: number;
  /** Why this frame was chosen, with `--reference auto`. */
  choice: ReferenceChoice | undefined;
  info: AdapterInfo;
  weights: WeightsFile | undefined;
}

/** The command-line options that help with each warning. */
const OPTIONS: Record<MergeWarning['kind'], string> = {
  'much-motion': '',
  unaligned: ' (--skip-misfits does that, --align takes other ways)',
  'weak-response': ' (--response)',
  'poor-reference': ' (--reference)',
  'contradicted-exposures': ' (--ev, --times)',
};

/** Stops from the reference frame, `+2.0`. */
function stops(context: MergeContext, k: number): string {
  const ev = Math.log2(context.stack.frames[k].exposure / context.stack.frames[context.reference].exposure);
  return Math.abs(ev) < 0.05 ? '0.0' : `${ev > 0 ? '+' : ''}${ev.toFixed(1)}`;
}

/** Frames, network and adapter, before the work starts. */
export function announce(context: MergeContext, message: (text: string) => void): void {
  const { stack, reference, choice, info, weights } = context;
  message(`${stack.frames.length} frames of ${stack.width}x${stack.height}, darkest first:`);
  stack.frames.forEach((frame, k) =>
    message(`  ${k + 1}  ${stops(context, k).padStart(5)} EV  ${frame.name}${k === reference ? '  (reference)' : ''}`),
  );
  const biases = context.options.exposures ? undefined : exposureBiases(stack.images);
  if (biases) {
    const list = biases.map((bias) => (bias > 0 ? `+${bias}` : bias)).join(', ');
    message(
      `the exposures are the exposure bias in EXIF (${list} EV), because no picture has an exposure time: --ev gives ` +
        'others',
    );
  }
  if (choice) message(referenceSummary(choice));
  const plain =
    context.options.motionIn === undefined
      ? 'plain merge without a network'
      : `merge without a network, with the motion maps in ${context.options.motionIn}`;
  const network = weights ? `network ${weights.config.variant} from ${basename(weights.path)}` : plain;
  message(`${network}, on ${info.name}${info.software ? ' (software adapter: this takes a while)' : ''}`);
}

/** What happened to the file of `--response auto:FILE`. */
function keptText(file: string, files: Written, kind: string): string {
  if (files.keptResponse !== undefined)
    return `the response is saved in ${file} for the next call with --response auto:${file}`;
  if (kind === 'file') return `the response is read from ${file}, where an earlier call saved it`;
  return `the response is not saved in ${file}: this stack did not determine one`;
}

/** Reports the result: lines on stderr, JSON on stdout if requested. */
export function finish(
  context: MergeContext,
  result: CroppedResult,
  files: Written,
  times: Record<string, number>,
  profile: CommandProfile | undefined,
  misfits: object[],
  io: CommandIo,
  message: (text: string) => void,
): void {
  const { options, stack, reference, choice, info, weights } = context;
  const moving = result.motion.map(movingShare);
  const { report } = result.response;
  const deviation = responseDeviation(result.response);
  message(
    report.kind === 'estimated' || report.kind === 'file'
      ? `${report.summary}; ${deviationText(deviation)}`
      : report.summary,
  );
  if (options.keepResponse !== undefined) message(keptText(options.keepResponse, files, report.kind));
  for (const line of alignmentText(
    result.alignment,
    stack.frames.map(({ name }) => name),
  ))
    message(line);
  if (result.crop)
    message(
      `cropped to ${result.width}x${result.height} from (${result.crop.x}, ${result.crop.y}): what all frames cover`,
    );
  if (options.method === 'network' && result.motion.length > 0)
    message(`moving: ${(100 * moving[reference]).toFixed(1)} % of the picture`);
  message(
    `GPU memory: ${bytesText(result.peakBytes)} of buffers at the peak, ${bytesText(result.memoryBudget)} allowed, ` +
      `stored as ${options.precision}; merged in ${clock(times.mergeMs / 1000)}`,
  );
  // Maps that the user gave are not a result.
  const warnings = mergeWarnings(stack.frames, options.motionIn === undefined ? result : { ...result, motion: [] });
  for (const warning of warnings) message(`warning: ${warning.message}${OPTIONS[warning.kind]}`);
  const also = [
    files.preview,
    files.response,
    files.keptResponse,
    ...(files.motion.length > 0 ? [`${result.motion.length} motion maps in ${options.motion}`] : []),
  ].filter(Boolean);
  message(`wrote ${files.output}${also.length > 0 ? `, ${also.join(', ')}` : ''}`);
  if (profile) io.stderr.write(`${profileText(profile)}\n`);
  if (!options.json) return;
  io.stdout.write(
    json({
      output: files.output,
      preview: files.preview ?? null,
      savedResponse: files.response ?? null,
      keptResponse: files.keptResponse ?? null,
      motion: files.motion,
      width: result.width,
      height: result.height,
      frames: stack.frames.map((frame, k) => ({
        file: options.inputs[stack.order[k]],
        exposure: frame.exposure,
        motionShare: moving[k] ?? null,
        alignment: alignmentJson(result.alignment[k]),
      })),
      misfits,
      crop: result.crop ?? null,
      reference: reference + 1,
      referenceChoice: choice ? choice.frames.map((frame) => ({ ...frame, share: clippedShare(frame) })) : null,
      scale: result.scale,
      method: options.method,
      align: options.align,
      strength: options.strength ?? 0.5,
      weights: weights ? { file: weights.path, variant: weights.config.variant } : null,
      response: { ...report, deviation, steps: exposureSteps(stack.frames, result.response) },
      warnings: warnings.map(({ frames, finding: _, ...warning }) => ({
        ...warning,
        ...(frames && { frames: frames.map((k) => k + 1) }),
      })),
      adapter: info,
      peakBytes: result.peakBytes,
      memoryBudget: result.memoryBudget,
      precision: options.precision,
      milliseconds: Object.fromEntries(
        Object.entries(times).map(([name, value]) => [name.replace(/Ms$/, ''), Math.round(value)]),
      ),
      ...(profile && { profile }),
    }),
  );
}
