/** The command line's remedies for problems that the engine names (`InputError.problem`): its options. */
import type { InputProblem } from '../../errors.ts';

export type Remedies = Partial<Record<InputProblem, string>>;

const SHARED: Remedies = {
  'response-file': '`deghost merge --save-response FILE` writes such a file',
  'frame-count': 'pass weights of the variant "any", or leave --weights out',
  'memory-budget': 'raise --memory-budget',
};

export const MERGE_REMEDIES: Remedies = {
  ...SHARED,
  exposure: 'give the exposures with --ev or --times',
  'equal-exposures': 'pass brackets of different exposure, or give the true ones with --ev or --times',
};

export const CONVERT_REMEDIES: Remedies = {
  'unknown-network':
    'give the network with --variant and --config, or write a map of names (--map); docs/convert.md says which ' +
    'networks there are',
};

export const EVALUATE_REMEDIES: Remedies = {
  ...SHARED,
  exposure: 'write the exposures to exposure.txt, in stops',
  'equal-exposures': 'a stack has brackets of different exposure: write the true ones to exposure.txt, in stops',
};
