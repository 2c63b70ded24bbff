/** `deghost plan`: what a merge of a size would run, and the memory it takes. */
import { UsageError } from '../../errors.ts';
import { Deghoster } from '../../index.ts';
import { openDevice } from '../../device.ts';
import { MAX_FRAMES, MIN_FRAMES, middleFrame } from '../../image/frame.ts';
import { adapterChoice, requestAdapter } from '../adapter.ts';
import { bytesOption, integerOption, sizeArgument } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { json } from './io.ts';
import type { CommandIo } from './io.ts';
import { DEFAULT_MEMORY_BUDGET } from './mergeOptions.ts';
import { loadWeights } from './weights.ts';

export async function planCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, positionals, flags } = args;
  if (positionals.length !== 1) throw new UsageError(`${positionals.length === 0 ? 'no size given' : `${positionals.length} sizes given`}: \`deghost plan WIDTHxHEIGHT\`, such as 6000x4000`);
  const { width, height } = sizeArgument(positionals[0]);
  const frames = integerOption(args, 'frames', MIN_FRAMES, MAX_FRAMES) ?? 3;
  const reference = (integerOption(args, 'reference', 1, frames) ?? middleFrame(frames) + 1) - 1;
  const memoryBudget = bytesOption(args, 'memory-budget') ?? DEFAULT_MEMORY_BUDGET;
  const weights = await loadWeights(values.weights, frames);
  const { adapter } = await requestAdapter({ software: adapterChoice(values.adapter ?? process.env.DEGHOST_ADAPTER) });
  const device = await openDevice(adapter);
  try {
    const deghoster = await Deghoster.create({ weights: weights.bytes, device, memoryBudget });
    try {
      const report = deghoster.plan(width, height, frames, reference);
      io.stdout.write(flags.has('json') ? json(report) : `${String(report).trimEnd()}\n`);
    } finally {
      deghoster.dispose();
    }
  } finally {
    device.destroy();
  }
}
