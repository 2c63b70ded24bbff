/** Options of every command that uses the engine: adapter, storage precision, memory limit. */
import { adapterChoice } from '../adapter.ts';
import type { SoftwareChoice } from '../adapter.ts';
import { bytesOption, choiceOption } from './args.ts';
import type { ParsedArgs } from './args.ts';

/** `--adapter`, or else the environment variable. */
export function adapterOption({ values }: ParsedArgs): SoftwareChoice {
  return adapterChoice(values.adapter ?? process.env.DEGHOST_ADAPTER);
}

/** `--precision`. */
export function precisionOption(args: ParsedArgs): 'f32' | 'f16' {
  return choiceOption(args, 'precision', ['f32', 'f16'] as const, 'f32');
}

/** `--memory-budget`, in bytes; by default the engine chooses. */
export function budgetOption(args: ParsedArgs): number | undefined {
  return bytesOption(args, 'memory-budget');
}
