/**
 * `deghost evaluate`: stacks with ground truth, merged in every way that is compared, as a table, JSON and sheets.
 * Stacks are read and judged one at a time, so memory does not grow with their number.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CancelledError, InputError, UsageError } from '../../errors.ts';
import { Deghoster } from '../../deghoster.ts';
import type { DeghosterOptions } from '../../deghoster.ts';
import { readTuning } from '../../tune/cache.ts';
import { deviceTuneKey } from '../../tune/key.ts';
import type { TuneResult } from '../../tune/result.ts';
import { openWithMatrices } from '../matrices.ts';
import { requestAdapter } from '../adapter.ts';
import type { AdapterInfo } from '../adapter.ts';
import { mergeCandidates } from '../evaluate/candidates.ts';
import { fitScale, judge, meanFigures } from '../evaluate/figures.ts';
import type { Figures } from '../evaluate/figures.ts';
import { findStacks, readStack } from '../evaluate/readStack.ts';
import type { StackFolder, TruthStack } from '../evaluate/readStack.ts';
import { writeSheet } from '../evaluate/sheet.ts';
import { tableText } from '../evaluate/table.ts';
import { shown, systemProblem } from '../problems.ts';
import { shippedVariant } from '../../weights/shipped.ts';
import { FileTuneCache } from '../tuneCache.ts';
import { checkWritable, writeFileAtomic } from '../writeFile.ts';
import type { ParsedArgs } from './args.ts';
import { readEvaluateOptions } from './evaluateOptions.ts';
import type { EvaluateOptions } from './evaluateOptions.ts';
import { json } from './io.ts';
import type { CommandIo } from './io.ts';
import { defaultResponse, readResponse } from './merge.ts';
import { ProgressView } from './progress.ts';
import { readWeights } from './weights.ts';
import type { WeightsFile } from './weights.ts';

/** Above this the fitted truth does not look like the reference: another moment, another scene, or wrong exposures. */
const SUSPICIOUS_RESIDUAL = 0.3;

interface Row {
  name: string;
  figures: Figures;
}

/** What is known of a stack once it is judged. */
interface Report {
  name: string;
  path: string;
  width: number;
  height: number;
  frames: { file: string; exposure: number }[];
  reference: number;
  truth: { file: string; scale: number; residual: number | null };
  weights: string;
  response: string;
  rows: Row[];
}

/** An engine for each weights file: stacks of three frames and others may take different ones. */
class Engines {
  readonly #open = new Map<string, { deghoster: Deghoster; weights: WeightsFile }>();
  readonly #device: GPUDevice;
  readonly #options: Pick<DeghosterOptions, 'memoryBudget' | 'precision' | 'tuning'>;

  constructor(device: GPUDevice, { memoryBudget, precision }: EvaluateOptions, tuning: TuneResult | undefined) {
    this.#device = device;
    this.#options = { memoryBudget, precision, tuning };
  }

  async for(path: string | undefined, frames: number, reference: number): Promise<{ deghoster: Deghoster; weights: WeightsFile }> {
    const key = path ?? shippedVariant(frames, reference);
    let found = this.#open.get(key);
    // Weights given for all stacks are checked against each one's number of frames.
    if (!found || (path !== undefined && found.weights.config.variant === 'fixed')) {
      const weights = await readWeights(path, frames, reference);
      found ??= { deghoster: await Deghoster.create({ weights: weights.bytes, device: this.#device, ...this.#options }), weights };
      this.#open.set(key, found);
    }
    return found;
  }

  dispose(): void {
    for (const { deghoster } of this.#open.values()) deghoster.dispose();
  }
}

export async function evaluateCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const options = readEvaluateOptions(args);
  const { signal } = io;
  const response = await readResponse(options);
  if (options.json !== undefined) await checkWritable(options.json);
  const folders = distinct((await Promise.all(options.folders.map(findStacks))).flat());
  if (options.pictures !== undefined) await makeFolder(options.pictures);
  const view = new ProgressView(io.stderr);
  const message = (text: string): void => {
    view.clear();
    if (!options.quiet) io.stderr.write(`${text}\n`);
  };

  // The first stack is read before a device is opened: what is wrong with it should not wait for that.
  let next = await readStack(folders[0], options);
  if (options.weights !== undefined) await readWeights(options.weights, next.frames.length);
  const { adapter, info } = await requestAdapter({ software: options.adapter });
  const device = await openWithMatrices(adapter);
  // What `deghost tune` or a merge has found; nothing is tuned here.
  const engines = new Engines(device, options, await readTuning(new FileTuneCache({ warn: message }), deviceTuneKey(device, options.precision)));
  const reports: Report[] = [];
  const sheets: string[] = [];
  try {
    message(`${folders.length} ${folders.length === 1 ? 'stack' : 'stacks'}, on ${info.name}`);
    for (const [i, folder] of folders.entries()) {
      if (signal.aborted) throw new CancelledError();
      if (i > 0) next = await readStack(folder, options);
      message(`${folder.name} (${i + 1}/${folders.length}): ${next.frames.length} frames of ${next.width}x${next.height}${next.motion ? '' : ', no motion-K.png'}`);
      const sheet = options.pictures === undefined ? undefined : join(options.pictures, `${folder.name}.png`);
      if (sheet !== undefined && !existsSync(sheet)) sheets.push(sheet);
      const report = await evaluate(next, folder, engines, response ?? defaultResponse(next.images), options, { view, message, sheet, signal });
      view.clear();
      reports.push(report);
      io.stdout.write(`${tableText(`${report.name} (truth x ${report.truth.scale.toPrecision(4)})`, report.rows)}\n\n`);
    }
  } catch (error) {
    // After an error the finished sheets are of use; who stops it wants none.
    if (signal.aborted) await Promise.allSettled(sheets.map((path) => rm(path, { force: true })));
    throw error;
  } finally {
    view.clear();
    engines.dispose();
    device.destroy();
  }
  const mean = meanRows(reports);
  if (reports.length > 1) io.stdout.write(`${tableText(`mean of ${reports.length} stacks`, mean)}\n`);
  if (options.json !== undefined) {
    await writeFileAtomic(options.json, Buffer.from(json(reportJson(reports, mean, options, info))), { signal });
    message(`wrote ${options.json}`);
  }
  if (options.pictures !== undefined) message(`wrote ${reports.length} ${reports.length === 1 ? 'sheet' : 'sheets'} in ${options.pictures}`);
}

async function evaluate(
  stack: TruthStack,
  folder: StackFolder,
  engines: Engines,
  response: Parameters<typeof mergeCandidates>[3],
  options: EvaluateOptions,
  { view, message, sheet, signal }: { view: ProgressView; message: (text: string) => void; sheet: string | undefined; signal: AbortSignal },
): Promise<Report> {
  const { deghoster, weights } = await engines.for(options.weights, stack.frames.length, stack.reference);
  const onProgress = options.quiet ? undefined : view.update.bind(view);
  const { rows, response: chosen, encoded, lone, burnt } = await mergeCandidates(deghoster, stack, weights.config.gamma, response, { signal, onProgress });
  const fit = fitScale(stack.truth, encoded, lone);
  const scale = options.truthScale ?? fit?.scale;
  if (scale === undefined) throw new InputError(`${shown(folder.truth)} cannot be fitted to the reference, which is nowhere well exposed or black in the truth: give its scale with --truth-scale`);
  if (fit && fit.residual > SUSPICIOUS_RESIDUAL) {
    message(`${folder.name}: the ground truth does not look like the reference frame (they differ by ${Math.round(100 * fit.residual)} %): check exposure.txt, --reference and --response`);
  }
  const truth = stack.truth.map((y) => y * scale);
  const { width, height, reference, motion, frames } = stack;
  const figuresOf = judge({ radiance: truth, width, height, reference, motion, burnt }, options.peak);
  const judged: Row[] = [];
  for (const row of rows) {
    await setImmediate(); // seconds each for large pictures: Ctrl-C must be heard in between
    if (signal.aborted) throw new CancelledError();
    judged.push({ name: row.name, figures: figuresOf(row) });
  }
  if (sheet !== undefined) {
    const panels = rows.map(({ name, radiance, motion: maps }, i) => ({ name, radiance, mu: judged[i].figures.psnr.mu, motion: maps?.[reference] }));
    await writeSheet(sheet, frames[reference], { name: 'truth', radiance: truth, motion: motion?.[reference] }, panels, signal);
  }
  return {
    name: folder.name,
    path: folder.path,
    width,
    height,
    frames: frames.map(({ name, exposure }) => ({ file: name ?? '', exposure: exposure / frames[0].exposure })),
    reference: reference + 1,
    truth: { file: basename(folder.truth), scale, residual: fit?.residual ?? null },
    weights: basename(weights.path),
    response: chosen.report.summary,
    rows: judged,
  };
}

/** Means of the rows that stacks have; `merge, truth` is that of the stacks with true maps. */
function meanRows(reports: readonly Report[]): Row[] {
  const names = [...new Set(reports.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  return names.map((name) => ({ name, figures: meanFigures(reports.flatMap(({ rows }) => rows.filter((row) => row.name === name).map((row) => row.figures))) }));
}

/** Figures that do not exist (no true motion) or are infinite (equal pictures) are null. */
function reportJson(reports: readonly Report[], mean: readonly Row[], options: EvaluateOptions, info: AdapterInfo): object {
  const byName = (rows: readonly Row[]): object => Object.fromEntries(rows.map(({ name, figures }) => [name, figures]));
  return {
    adapter: info.name,
    precision: options.precision,
    peakLuminance: options.peak,
    mean: byName(mean),
    stacks: reports.map(({ rows, ...rest }) => ({ ...rest, rows: byName(rows) })),
  };
}

/** Names become files, so they must differ. */
function distinct(folders: readonly StackFolder[]): StackFolder[] {
  const paths = new Set<string>();
  const names = new Set<string>();
  return folders.map((folder) => {
    const path = resolve(folder.path);
    if (paths.has(path)) throw new UsageError(`${shown(folder.path)} is named twice: name it once`);
    paths.add(path);
    let { name } = folder;
    for (let n = 2; names.has(name); n++) name = `${folder.name}-${n}`;
    names.add(name);
    return { ...folder, name };
  });
}

/** Makes the folder for sheets; its parent must exist. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw systemProblem(error, 'create', path);
  }
  await checkWritable(join(path, 'sheet.png'));
}
