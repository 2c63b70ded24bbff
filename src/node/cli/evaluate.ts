/**
 * `deghost evaluate`: merges stacks in every way that is compared, and judges the results: against ground truth if
 * there is one, and by the harm that a merge does to any stack. Output is tables, JSON and sheets. Stacks are read and
 * judged one at a time, so memory does not grow with their number.
 */
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { InputError, messageWith, reasonOf, throwIfCancelled } from '../../errors.ts';
import { stackResponse } from '../../image/stackResponse.ts';
import { muLaw, psnr } from '../../image/metrics.ts';
import { readTuning } from '../../tune/cache.ts';
import { deviceTuneKey } from '../../tune/key.ts';
import { openWithMatrices } from '../matrices.ts';
import { requestAdapter } from '../adapter.ts';
import { removeFolders } from '../createFolder.ts';
import { mergeCandidates } from '../evaluate/candidates.ts';
import type { Candidates } from '../evaluate/candidates.ts';
import { clipped, fitScale, judge } from '../evaluate/figures.ts';
import type { Candidate } from '../evaluate/figures.ts';
import { publishedCandidate } from '../evaluate/published.ts';
import { measureHarm } from '../evaluate/harm.ts';
import { findStacks, readStack } from '../evaluate/readStack.ts';
import type { EvaluationStack, StackFolder } from '../evaluate/readStack.ts';
import { writeSheet } from '../evaluate/sheet.ts';
import { shown } from '../problems.ts';
import { FileTuneCache } from '../tuneCache.ts';
import { checkWritable, notRemoved, removePublished, writeFileAtomic } from '../writeFile.ts';
import type { ParsedArgs } from './args.ts';
import { declareFiles, distinct, makeFolder, sheetOf } from './evaluateFiles.ts';
import { Engines } from './evaluateEngines.ts';
import { readEvaluateOptions } from './evaluateOptions.ts';
import type { EvaluateOptions } from './evaluateOptions.ts';
import { reportJson, stackText, summaryText } from './evaluateReport.ts';
import type { Report, Row } from './evaluateReport.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';
import { ProgressView } from './progress.ts';
import { EVALUATE_REMEDIES } from './remedies.ts';
import { readResponse } from './responseOption.ts';
import { readWeights } from './weights.ts';

/**
 * Above this residual, the fitted truth does not look like the reference: another moment, another scene, or wrong
 * exposures.
 */
const SUSPICIOUS_RESIDUAL = 0.3;

export async function evaluateCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const options = readEvaluateOptions(args);
  const view = new ProgressView(io.stderr);
  const message = (text: string): void => {
    view.clear();
    if (!options.quiet) say(io, text);
  };
  const leftOut: string[] = [];
  const folders = distinct(
    (await Promise.all(options.folders.map((path) => findStacks(path, (text) => void leftOut.push(text))))).flat(),
  );
  declareFiles(options, folders);
  const response = await readResponse(options.response);
  if (options.json !== undefined) await checkWritable(options.json);
  leftOut.forEach(message);
  const evaluateAll = (): Promise<void> => evaluateStacks(folders, options, response, { io, view, message, leftOut });
  const { pictures } = options;
  if (pictures === undefined) return evaluateAll();
  const isNew = await makeFolder(pictures);
  try {
    for (const folder of folders) await checkWritable(sheetOf(pictures, folder));
    await evaluateAll();
  } catch (error) {
    // It goes if it holds no sheet.
    if (isNew) await removeFolders(pictures, pictures);
    throw error;
  }
}

/** What an evaluation tells, and to whom. */
interface Telling {
  io: CommandIo;
  view: ProgressView;
  message: (text: string) => void;
  /** What was said of folders that are no stacks. */
  leftOut: string[];
}

async function evaluateStacks(
  folders: readonly StackFolder[],
  options: EvaluateOptions,
  response: Awaited<ReturnType<typeof readResponse>>,
  { io, view, message, leftOut }: Telling,
): Promise<void> {
  const { signal } = io;
  // With several stacks, unusable ones are reported and the others are judged.
  const failed: { name: string; reason: string }[] = [];
  const isFinal = (error: unknown): boolean => folders.length === 1 || !(error instanceof InputError);
  // The first stack is read before a device is opened, so that its errors are reported at once.
  let first: EvaluationStack | undefined;
  try {
    first = await readStack(folders[0], options);
    if (options.weights !== undefined) await readWeights(options.weights, first.frames.length);
  } catch (error) {
    if (isFinal(error)) throw error;
  }
  const { adapter, info } = await requestAdapter({ software: options.adapter });
  const device = await openWithMatrices(adapter);
  // The result of `deghost tune` or of an earlier merge; nothing is tuned here.
  const engines = new Engines(device, {
    ...options,
    tuning: await readTuning(new FileTuneCache({ warn: message }), deviceTuneKey(device, options.precision)),
  });
  const reports: Report[] = [];
  const sheets: string[] = [];
  try {
    message(`${folders.length} ${folders.length === 1 ? 'stack' : 'stacks'}, on ${info.name}`);
    for (const [i, folder] of folders.entries()) {
      throwIfCancelled(signal);
      try {
        const stack = (i === 0 ? first : undefined) ?? (await readStack(folder, options));
        message(
          `${folder.name} (${i + 1}/${folders.length}): ${stack.frames.length} frames of ` +
            `${stack.width}x${stack.height}, ${knownText(stack)}`,
        );
        const sheet = options.pictures === undefined ? undefined : sheetOf(options.pictures, folder);
        if (sheet !== undefined) sheets.push(sheet);
        const images = stack.images.map((image, k) => ({ ...image, name: stack.frames[k].name ?? `frame ${k + 1}` }));
        const chosen = stackResponse(images, response ?? (await responseOf(folder)));
        if (chosen.note !== undefined) message(`warning: ${chosen.note}`);
        const report = await evaluate(stack, folder, engines, chosen.response, options, {
          view,
          message,
          sheet,
          signal,
        });
        view.clear();
        reports.push(report);
        io.stdout.write(stackText(report));
      } catch (error) {
        if (isFinal(error)) throw error;
        const reason = reasonOf(messageWith(EVALUATE_REMEDIES, error));
        failed.push({ name: folder.name, reason });
        message(`${folder.name}: ${reason}`);
      }
    }
  } catch (error) {
    // After an error the finished sheets are useful; after a cancellation they are removed.
    const left = signal.aborted ? removePublished(sheets) : [];
    view.clear();
    if (left.length > 0) message(notRemoved(left));
    throw error;
  } finally {
    view.clear();
    engines.dispose();
    device.destroy();
  }
  if (reports.length === 0)
    throw new InputError(
      `none of ${folders.length} stacks could be evaluated, ${failed[0].name} because: ${failed[0].reason}`,
    );
  io.stdout.write(summaryText(reports));
  if (options.json !== undefined) {
    await writeFileAtomic(
      options.json,
      Buffer.from(
        json(
          reportJson(reports, {
            adapter: info.name,
            precision: options.precision,
            peakLuminance: options.peak,
            leftOut,
            failed,
          }),
        ),
      ),
      { signal },
    );
    message(`wrote ${options.json}`);
  }
  if (options.pictures !== undefined)
    message(`wrote ${reports.length} ${reports.length === 1 ? 'sheet' : 'sheets'} in ${options.pictures}`);
  if (failed.length > 0)
    throw new InputError(
      `${failed.length} of ${folders.length} stacks could not be evaluated: ` +
        `${failed.map(({ name, reason }) => `${name} (${reason})`).join('; ')}`,
    );
}

function knownText({ truth, motion, still }: EvaluationStack): string {
  const known = [
    truth && 'ground truth',
    motion && 'true motion',
    still && `${still.length} still ${still.length === 1 ? 'box' : 'boxes'}`,
  ].filter((text) => text);
  return known.length > 0 ? known.join(', ') : 'no ground truth, nothing known to stand still';
}

/** The response given in a stack's folder. */
async function responseOf({ response }: StackFolder): Promise<Awaited<ReturnType<typeof readResponse>>> {
  return response === undefined ? undefined : readResponse({ file: response });
}

/** What judging a stack needs besides the stack. */
interface Doing {
  view: ProgressView;
  message: (text: string) => void;
  /** The path of its sheet. */
  sheet: string | undefined;
  signal: AbortSignal;
}

async function evaluate(
  stack: EvaluationStack,
  folder: StackFolder,
  engines: Engines,
  response: Parameters<typeof mergeCandidates>[3],
  options: EvaluateOptions,
  doing: Doing,
): Promise<Report> {
  const { view, message, sheet, signal } = doing;
  const { deghoster, weights } = await engines.for(options.weights, stack.frames.length, stack.reference);
  const onProgress = options.quiet ? undefined : view.update.bind(view);
  const made = await mergeCandidates(deghoster, stack, weights.config.gamma, response, options.methods, {
    signal,
    onProgress,
  });
  const { width, height, reference, frames, still } = stack;
  const judged = stack.truth
    ? await againstTruth({ ...stack, truth: stack.truth }, folder, made, options, doing)
    : undefined;
  const harm = await measureHarm(made.rows, frames, reference, still, () => breathe(signal));
  if (folder.motion.length > 0 && !stack.truth)
    harm.unmeasured.push('IoU: motion-K.png is used only with a ground truth');
  if (options.methods.length > 0 && !stack.truth)
    harm.unmeasured.push(
      `${options.methods.map(({ name }) => name).join(', ')}: methods are compared only with a ground truth`,
    );
  if (options.published.length > 0 && !stack.truth)
    harm.unmeasured.push(
      `${options.published.map(({ name }) => name).join(', ')}: pictures are judged only with a ground truth`,
    );
  if (sheet !== undefined && !judged) {
    const [network, lone, plain] = ['network', 'reference', 'merge'].map(
      (name) => made.rows.find((row) => row.name === name)!,
    );
    const mu = (radiance: Float32Array): number => psnr(muLaw(clipped(radiance)), muLaw(clipped(plain.radiance)));
    await writeSheet(
      sheet,
      frames[reference],
      { name: plain.name, radiance: plain.radiance },
      [network, lone].map(({ name, radiance, motion }) => ({
        name,
        radiance,
        mu: mu(radiance),
        motion: motion?.[reference],
      })),
      signal,
    );
  }
  if (folder.response !== undefined && options.response === undefined)
    message(`${folder.name}: ${basename(folder.response)} gives the response`);
  return {
    name: folder.name,
    path: folder.path,
    width,
    height,
    frames: frames.map(({ name, exposure }) => ({ file: name ?? '', exposure: exposure / frames[0].exposure })),
    reference: reference + 1,
    truth: judged?.truth ?? null,
    weights: basename(weights.path),
    response: made.response.report.summary,
    rows: judged?.rows ?? [],
    harm,
  };
}

/** Judging takes seconds for large pictures: Ctrl-C must work in between. */
async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  throwIfCancelled(signal);
}

/** Judges every row against the truth, with the truth scaled to fit. */
async function againstTruth(
  stack: EvaluationStack & { truth: Float32Array },
  folder: StackFolder,
  { rows, shown: displayed, encoded, lone, burnt }: Candidates,
  options: EvaluateOptions,
  { message, sheet, signal }: Doing,
): Promise<{ truth: NonNullable<Report['truth']>; rows: Row[] }> {
  const { width, height, reference, motion, frames } = stack;
  const file = folder.truth ?? '';
  const fit = fitScale(stack.truth, encoded, lone);
  const scale = options.truthScale ?? fit?.scale;
  if (scale === undefined)
    throw new InputError(
      `${shown(file)} cannot be fitted to the reference, which is nowhere well exposed, or the truth is black there: ` +
        'give its scale with --truth-scale',
    );
  if (fit && fit.residual > SUSPICIOUS_RESIDUAL) {
    message(
      `${folder.name}: the ground truth does not look like the reference frame (they differ by ` +
        `${Math.round(100 * fit.residual)} %): check exposure.txt, --reference and --response`,
    );
  }
  const others: Candidate[] = [];
  for (const published of options.published) {
    const found = await publishedCandidate(published, { name: folder.name, width, height }, encoded, lone);
    if (found) others.push(found);
    else message(`${folder.name}: ${published.name} has no picture of it in ${shown(published.folder)}`);
  }
  const truth = stack.truth.map((y) => y * scale);
  const figuresOf = judge({ radiance: truth, width, height, reference, motion, burnt }, options.peak);
  const judged: Row[] = [];
  for (const row of [...rows, ...others]) {
    await breathe(signal);
    judged.push({ name: row.name, figures: figuresOf(row) });
  }
  for (const picture of displayed) {
    await breathe(signal);
    judged.push({ name: picture.name, figures: figuresOf(picture) });
  }
  if (sheet !== undefined) {
    const panels = [...rows, ...others].map(({ name, radiance, motion: maps }, i) => ({
      name,
      radiance,
      mu: judged[i].figures.psnr.mu,
      motion: maps?.[reference],
    }));
    await writeSheet(
      sheet,
      frames[reference],
      { name: 'truth', radiance: truth, motion: motion?.[reference] },
      [...panels, ...displayed],
      signal,
    );
  }
  return { truth: { file: basename(file), scale, residual: fit?.residual ?? null }, rows: judged };
}
