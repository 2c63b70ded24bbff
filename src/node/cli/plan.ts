/** `deghost plan`: what a merge of a size would run, and the memory it takes. Nothing is computed, and no device is opened. */
import { NoAdapterError, UsageError } from '../../errors.ts';
import { planReport } from '../../deghoster.ts';
import { MAX_FRAMES, MIN_FRAMES, middleFrame } from '../../image/frame.ts';
import { DEFAULT_MAX_BINDING, DEFAULT_MEMORY_BUDGET, schedule } from '../../model/schedule.ts';
import { adapterChoice, requestAdapter } from '../adapter.ts';
import { MAX_PIXELS } from '../../image/picture.ts';
import { bytesOption, choiceOption, integerOption, sizeArgument } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { json } from './io.ts';
import type { CommandIo } from './io.ts';
import { readWeights } from './weights.ts';

export async function planCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, positionals, flags } = args;
  if (positionals.length !== 1) throw new UsageError(`${positionals.length === 0 ? 'no size given' : `${positionals.length} sizes given`}: \`deghost plan WIDTHxHEIGHT\`, such as 6000x4000`);
  const { width, height } = sizeArgument(positionals[0], MAX_PIXELS);
  const frames = integerOption(args, 'frames', MIN_FRAMES, MAX_FRAMES) ?? 3;
  const reference = (integerOption(args, 'reference', 1, frames) ?? middleFrame(frames) + 1) - 1;
  const memoryBudget = bytesOption(args, 'memory-budget') ?? DEFAULT_MEMORY_BUDGET;
  const method = choiceOption(args, 'method', ['network', 'merge'] as const, 'network');
  const limits = choiceOption(args, 'limits', ['adapter', 'default'] as const, 'adapter');
  const software = adapterChoice(values.adapter ?? process.env.DEGHOST_ADAPTER);
  const config = method === 'network' ? (await readWeights(values.weights, frames)).config : undefined;
  let maxBinding = DEFAULT_MAX_BINDING;
  if (limits === 'adapter') {
    try {
      const { adapter, info } = await requestAdapter({ software });
      maxBinding = Math.min(adapter.limits.maxBufferSize, adapter.limits.maxStorageBufferBindingSize);
      if (!flags.has('json')) io.stderr.write(`limits of ${info.name}\n`);
    } catch (error) {
      if (!(error instanceof NoAdapterError)) throw error;
      io.stderr.write('no adapter here: planned for the default WebGPU limits\n');
    }
  }
  const taus = Array.from({ length: frames }, (_, k) => 4 ** k); // the exposures' ratios change no size
  const report = planReport(schedule({ config, width, height, taus, reference, gamma: config?.gamma ?? 2.2, useResponse: true, motionGiven: false, limits: { memoryBudget, maxBinding } }));
  io.stdout.write(flags.has('json') ? json(report) : `${String(report).trimEnd()}\n`);
}
