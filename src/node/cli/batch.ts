/** `deghost batch`: finds the brackets among many pictures and merges each. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { CancelledError, InputError, NoAdapterError, UsageError, messageWith } from '../../errors.ts';
import { MAX_FRAMES, MIN_FRAMES } from '../../image/frame.ts';
import { createFolder, removeFolders } from '../createFolder.ts';
import { currentFiles } from '../files.ts';
import { shown } from '../problems.ts';
import { choiceOption, integerOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { planBatch } from './batchPlan.ts';
import type { BatchPlan, PlannedStack } from './batchPlan.ts';
import { EnginePool } from './enginePool.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';
import { mergeStack } from './merge.ts';
import { readMergeOptions } from './mergeOptions.ts';
import { declareFiles } from './mergeOutputs.ts';
import { MERGE_REMEDIES } from './remedies.ts';

/** What became of a stack. */
interface Outcome {
  stack: PlannedStack;
  status: 'merged' | 'failed' | 'exists' | 'other-shard';
  message?: string;
  /** What `deghost merge --json` says. */
  report?: unknown;
}

/** `--shard 2/8`: the second of eight parts. */
function shardOption(text: string | undefined): { part: number; parts: number } {
  if (text === undefined) return { part: 1, parts: 1 };
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [part, parts] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (!(part >= 1 && part <= parts))
    throw new UsageError(`--shard is "${text}": write the part and the number of parts, such as 2/8`);
  return { part, parts };
}

/** Whether a file is there. Where that cannot be told, writing it says why. */
function isFileAt(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A stack's line in the plan. */
function lineOf({ files, stops, output }: PlannedStack): string {
  const evs = stops.map((ev) => (ev === null ? '?' : `${ev > 0 ? '+' : ''}${ev.toFixed(1)}`)).join(' ');
  const [first, last] = [files[0], files.at(-1)!].map((file) => basename(file));
  return `${first} to ${last}: ${files.length} frames, ${evs} EV -> ${output}`;
}

function printPlan({ stacks, skipped }: BatchPlan, message: (text: string) => void): void {
  message(`${stacks.length} ${stacks.length === 1 ? 'bracket' : 'brackets'}:`);
  for (const stack of stacks) message(`  ${lineOf(stack)}`);
  if (skipped.length > 0) message(`${skipped.length} ${skipped.length === 1 ? 'file' : 'files'} in no bracket:`);
  for (const { name, reason } of skipped) message(`  ${basename(name)}: ${reason}`);
}

export async function batchCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, flags, positionals: inputs } = args;
  const { signal } = io;
  if (inputs.length === 0) throw new UsageError('no folder or pictures given: `deghost batch DIR -o OUT`');
  const folder = values.output;
  if (folder === undefined) throw new UsageError('no output given: add -o DIR, a folder for the merged pictures');
  const format = choiceOption(
    args,
    'format',
    ['exr', 'hdr', 'tif', 'dng', 'npy', 'png', 'jpg', 'uhdr.jpg'] as const,
    'exr',
  );
  const frames = integerOption(args, 'frames', MIN_FRAMES, MAX_FRAMES);
  const { part, parts } = shardOption(values.shard);
  const message = (text: string): void => void (flags.has('quiet') || say(io, text));
  const plan = await planBatch({ inputs, folder, format, frames }, signal);
  // The options and all files are checked once, before anything is written.
  for (const { name } of plan.skipped) currentFiles()?.reads('the picture', name);
  for (const stack of plan.stacks) declareFiles(readMergeOptions(mergeArgs(args, stack)));
  const isDry = flags.has('dry-run');
  printPlan(plan, message);
  if (isDry) {
    if (flags.has('json')) io.stdout.write(json({ ...plan, results: [] }));
    return;
  }
  const created = await createFolder(folder);
  const outcomes: Outcome[] = [];
  const engines = new EnginePool();
  try {
    for (const [i, stack] of plan.stacks.entries()) {
      if (i % parts !== part - 1) outcomes.push({ stack, status: 'other-shard' });
      else if (flags.has('resume') && isFileAt(stack.output)) {
        message(`stack ${i + 1} of ${plan.stacks.length}: ${stack.output} exists`);
        outcomes.push({ stack, status: 'exists' });
      } else {
        message(`stack ${i + 1} of ${plan.stacks.length}: ${lineOf(stack)}`);
        outcomes.push(await mergeOne(args, stack, io, engines, message));
      }
    }
  } catch (error) {
    const merged = outcomes.filter(({ status }) => status === 'merged').length;
    if (error instanceof CancelledError && merged > 0)
      throw new CancelledError(
        `cancelled: ${merged} of ${plan.stacks.length} stacks ${merged === 1 ? 'is' : 'are'} merged, --resume does ` +
          'the rest',
      );
    throw error;
  } finally {
    await engines.close();
    if (created !== undefined) await removeFolders(folder, created);
  }
  if (flags.has('json'))
    io.stdout.write(
      json({
        ...plan,
        results: outcomes.map(({ stack: { output }, ...rest }) => ({ output, ...rest })),
      }),
    );
  const failed = outcomes.filter(({ status }) => status === 'failed');
  const merged = outcomes.filter(({ status }) => status === 'merged').length;
  message(`${merged} merged, ${failed.length} failed`);
  if (failed.length > 0)
    throw new InputError(
      `${failed.length} of ${outcomes.length} stacks failed (${failed
        .map(({ stack }) => shown(basename(stack.files[0])))
        .join(', ')}): the others are merged; --resume tries the failed ones again`,
    );
}

/** Merges one stack. A failure is an outcome; only a cancelled batch or a machine without an adapter ends it. */
async function mergeOne(
  args: ParsedArgs,
  stack: PlannedStack,
  io: CommandIo,
  engines: EnginePool,
  message: (text: string) => void,
): Promise<Outcome> {
  let out = '';
  try {
    await mergeStack(mergeArgs(args, stack), { ...io, stdout: { write: (text) => void (out += text) } }, engines);
    return { stack, status: 'merged', ...(out && { report: JSON.parse(out) }) };
  } catch (error) {
    if (error instanceof CancelledError || io.signal.aborted || error instanceof NoAdapterError) throw error;
    const text = messageWith(MERGE_REMEDIES, error);
    message(`failed: ${text}`);
    return { stack, status: 'failed', message: text };
  }
}

/** The command line of `deghost merge` for a stack. */
function mergeArgs({ values, flags }: ParsedArgs, { files, output }: PlannedStack): ParsedArgs {
  const { shard: _, frames: __, format: ___, ...passed } = values;
  const preview = flags.has('preview') ? { preview: output.replace(/(\.uhdr)?\.[^.]+$/, '.preview.png') } : {};
  return { values: { ...passed, ...preview, output }, flags, positionals: files };
}
