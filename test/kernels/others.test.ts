/**
 * Every kernel but conv2d, and fused convolutions, against the CPU reference: at most 1e-5 of the case's scale
 * (checks.ts).
 */
import { describe, expect, it } from 'vitest';
import { testKernels } from '../gpu.ts';
import { KERNEL_CHECKS as CHECKS, USUAL, variantLike } from './checks.ts';
import { FUSED_CHECKS, fusedChecks } from './fusedChecks.ts';

const KERNEL_CHECKS = [...CHECKS, ...FUSED_CHECKS];

const kernels = new Set(KERNEL_CHECKS.map((check) => check.kernel));
kernels.delete('conv2d');

describe.each([...kernels])('%s', (kernel) => {
  it.for(KERNEL_CHECKS.filter((check) => check.kernel === kernel).map((check) => [check.name, check] as const))(
    '%s',
    async ([, check], context) => {
      const harness = await testKernels();
      context.skip(
        check.needs !== undefined && !harness.capabilities[check.needs],
        `the device does not support ${check.needs}`,
      );
      await check.run(harness);
    },
  );
});

/** Which method each fusion is tried in: another in each run. DEGHOST_EVERY=1 tries all, for minutes. */
const TURN = Number(process.env.DEGHOST_SEED ?? Math.floor(Math.random() * 4));
const isTurn = (method: number, what: string): boolean => {
  if (process.env.DEGHOST_EVERY) return true;
  const place = [...what].reduce((sum, letter) => sum + letter.charCodeAt(0), TURN);
  return place % Object.keys(OTHERS).length === method;
};

/**
 * Fused convolutions in variants that are no default, by the pattern of their names. Winograd's method is for 3x3: the
 * layer that ends in the base merge is 1x1. Spread over invocations it cannot pool.
 */
const OTHERS: Record<string, [RegExp, (what: string) => boolean]> = {
  // Several dilations at once, which only GPUs run, take a software adapter's driver minutes to compile.
  winograd: [/^subgroup winograd/, (what) => what !== 'and picture' && !what.includes('dilations')],
  'spread winograd': [/^winograd/, (what) => what !== 'and picture' && what !== 'and max-pool'],
  staged: [/^staged (apart )?\d/, () => true],
  'staged taps': [/^staged taps/, () => true],
};

describe.each(Object.entries(OTHERS))(`fused conv2d, %s (DEGHOST_SEED=${TURN})`, (name, [pattern, only]) => {
  const method = Object.keys(OTHERS).indexOf(name);
  const checks = fusedChecks({ ...USUAL, targets: variantLike(pattern) }, (what) => only(what) && isTurn(method, what));
  it.skipIf(checks.length === 0)('has its turn', () => expect(checks.length).toBeGreaterThan(0));
  for (const check of checks) it(check.name, async () => void (await check.run(await testKernels())));
});
