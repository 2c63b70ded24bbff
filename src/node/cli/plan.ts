/**
 * `deghost plan`: what a merge of a given size would run, the memory it needs, and the time it takes if `deghost tune`
 * has measured it. Nothing is computed, and no device is opened.
 */
import { planAlignment, resamplingBytes } from '../../align/traffic.ts';
import { NoAdapterError, UsageError, throwIfCancelled } from '../../errors.ts';
import { adapterCapabilities } from '../matrices.ts';
import { MAX_FRAMES, MIN_FRAMES, middleFrame } from '../../image/frame.ts';
import { MAX_PIXELS } from '../../image/picture.ts';
import type { Target } from '../../kernels/target.ts';
import {
  DEFAULT_MAX_BINDING,
  DEFAULT_MEMORY_BUDGET,
  defaultMemoryBudget,
  schedule,
  scheduleReport,
  scheduleText,
} from '../../model/schedule.ts';
import type { Schedule } from '../../model/schedule.ts';
import { shown } from '../../shown.ts';
import { trafficOf } from '../../model/traffic.ts';
import { readTuning } from '../../tune/cache.ts';
import { tuneKey } from '../../tune/key.ts';
import { predict } from '../../tune/predict.ts';
import type { Prediction } from '../../tune/predict.ts';
import { choicesOf } from '../../tune/result.ts';
import type { TuneResult } from '../../tune/result.ts';
import { requestAdapter } from '../adapter.ts';
import type { SoftwareChoice } from '../adapter.ts';
import { FileTuneCache } from '../tuneCache.ts';
import { bytesOption, choiceOption, integerOption, sizeArgument, suggestion } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { adapterOption, budgetOption, precisionOption } from './engineOptions.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';
import { formatWgsl } from '../formatWgsl.ts';
import { clock } from './progress.ts';
import { trafficText } from './trafficText.ts';
import { readWeights } from './weights.ts';

/** What a plan is made for. */
interface Machine {
  maxBinding: number;
  /** The memory budget where none is given. */
  memoryBudget: number;
  target: Target;
  tuning: TuneResult | undefined;
}

export async function planCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, positionals, flags } = args;
  const sizes = [...positionals, ...(values.size === undefined ? [] : [values.size])];
  if (sizes.length !== 1)
    throw new UsageError(
      `${sizes.length === 0 ? 'no size given' : `${sizes.length} sizes given`}: \`deghost plan WIDTHxHEIGHT\`, such ` +
        'as 6000x4000',
    );
  const { width, height } = sizeArgument(sizes[0], MAX_PIXELS);
  const frames = integerOption(args, 'frames', MIN_FRAMES, MAX_FRAMES) ?? 3;
  const reference = (integerOption(args, 'reference', 1, frames) ?? middleFrame(frames) + 1) - 1;
  const givenBudget = budgetOption(args);
  const method = choiceOption(args, 'method', ['network', 'merge'] as const, 'network');
  const precision = precisionOption(args);
  const limits = choiceOption(args, 'limits', ['adapter', 'default'] as const, 'adapter');
  const software = adapterOption(args);
  const isHandHeld = flags.has('hand-held');
  const config = method === 'network' ? (await readWeights(values.weights, frames, reference)).config : undefined;
  const {
    maxBinding: offered,
    memoryBudget: usual,
    target,
    tuning,
  } = limits === 'adapter' ? await machine(precision, software, io, flags.has('json')) : bare(precision);
  throwIfCancelled(io.signal);
  const maxBinding = bytesOption(args, 'max-binding') ?? offered;
  const memoryBudget = givenBudget ?? usual;
  if (precision === 'f16' && !target.capabilities?.f16)
    throw new UsageError(
      '--precision is f16, which takes an adapter with the feature shader-f16: leave it out, or choose another ' +
        '--adapter',
    );
  const taus = Array.from({ length: frames }, (_, k) => 4 ** k); // the exposures' ratios change no size
  const planned = schedule({
    config,
    width,
    height,
    taus,
    reference,
    gamma: config?.gamma ?? 2.2,
    useResponse: true,
    motionGiven: false,
    covered: isHandHeld,
    otherBytes: isHandHeld ? resamplingBytes({ width, height }) : 0,
    limits: { memoryBudget, maxBinding, ...target },
  });
  if (values.wgsl !== undefined) {
    io.stdout.write(shaderText(planned, values.wgsl));
    return;
  }
  const traffic = trafficOf(planned);
  const alignment = planAlignment(planned);
  const predicted = tuning && useful(predict(planned, tuning));
  if (flags.has('json'))
    io.stdout.write(
      json({
        ...scheduleReport(planned),
        precision,
        traffic,
        alignment: { ...alignment, share: alignment.bytes / traffic.bytes },
        predicted:
          predicted && tuning
            ? { milliseconds: predicted.ms, ...predicted, ms: undefined, adapter: tuning.adapter, tuned: tuning.date }
            : null,
      }),
    );
  else
    io.stdout.write(
      `${scheduleText(planned)}\n\n${trafficText(traffic, alignment)}\n\n` +
        `${predictionText(predicted, tuning, limits)}\n`,
    );
}

/** The shader of a step, after a line that describes it. @throws UsageError if no step has this name. */
function shaderText({ stages }: Schedule, name: string): string {
  const steps = stages.flatMap(({ plan }) => plan.steps);
  const step = steps.find((other) => other.name === name);
  if (!step)
    throw new UsageError(
      `--wgsl ${name}: none of the plan's ${steps.length} steps has this name${suggestion(
        name,
        steps.map((other) => other.name),
      )}: \`deghost plan\` lists them`,
    );
  const { program, workgroups } = step.dispatch;
  return `// ${step.name}: ${program.label}, ${workgroups.join(' x ')} workgroups\n${formatWgsl(program.source)}`;
}

/** A GPU with what every WebGPU device has, and `shader-f16` where the precision takes it. */
function bare(precision: 'f32' | 'f16'): Machine {
  return {
    maxBinding: DEFAULT_MAX_BINDING,
    memoryBudget: DEFAULT_MEMORY_BUDGET,
    target: { precision, capabilities: precision === 'f16' ? { f16: true } : {} },
    tuning: undefined,
  };
}

/** This machine's adapter, or what every device has if there is no adapter. */
async function machine(
  precision: 'f32' | 'f16',
  software: SoftwareChoice,
  io: CommandIo,
  quiet: boolean,
): Promise<Machine> {
  try {
    const { adapter, info } = await requestAdapter({ software });
    if (!quiet) say(io, `limits of ${info.name}`);
    const target = { capabilities: adapterCapabilities(adapter), precision };
    const tuning = await readTuning(
      new FileTuneCache({ warn: (text) => say(io, text) }),
      tuneKey(adapter.info, target),
    );
    return {
      maxBinding: Math.min(adapter.limits.maxBufferSize, adapter.limits.maxStorageBufferBindingSize),
      memoryBudget: defaultMemoryBudget(target.capabilities, adapter.limits.maxBufferSize),
      target: { ...target, choices: tuning && choicesOf(tuning) },
      tuning,
    };
  } catch (error) {
    if (!(error instanceof NoAdapterError)) throw error;
    say(io, 'no adapter here: planned for the default WebGPU limits');
    return bare(precision);
  }
}

/** The prediction if at least one of its classes was measured. */
function useful(prediction: Prediction | undefined): Prediction | undefined {
  return prediction && prediction.unmeasured.length < prediction.classes ? prediction : undefined;
}

/** Milliseconds as readable text: `48 ms`, `5.2 s`, `12:04`. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : clock(ms / 1000);
}

function predictionText(
  prediction: Prediction | undefined,
  tuning: TuneResult | undefined,
  limits: 'adapter' | 'default',
): string {
  if (prediction && tuning) {
    const rest =
      prediction.unmeasured.length > 0
        ? `; ${prediction.unmeasured.length} of ${prediction.classes} kinds of steps were not timed and count as the ` +
          'mean of the others'
        : '';
    const date = tuning.date.slice(0, 10);
    return (
      `predicted time: ${duration(prediction.ms)} on ${shown(tuning.adapter)}, ` +
      `from \`deghost tune\` of ${date}${rest}`
    );
  }
  return limits === 'default'
    ? 'predicted time: none without an adapter (--limits default)'
    : 'predicted time: no figures for this adapter: run `deghost tune`';
}
