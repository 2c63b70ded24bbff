/** Every dispatch of the networks' plans is proved: with a device's defaults, and at sizes that fill no tile. */
import { describe, expect, it } from 'vitest';
import { schedule } from '../../../src/model/schedule.ts';
import type { ScheduleRequest } from '../../../src/model/schedule.ts';
import { addMethod } from '../../../src/kernels/conv2d/methods/index.ts';
import { matrix } from '../../../src/kernels/conv2d/methods/matrix.ts';
import { VENDORS } from '../../../src/kernels/target.ts';
import type { Target } from '../../../src/kernels/target.ts';
import { refusalOf } from '../../../src/node/proof/prove.ts';
import { ANY, FIXED } from '../../cases/networks.ts';
import { provedSteps } from './steps.ts';

addMethod(matrix);

const GATE = { codes: 2, relative: 0.06, low: 0.01, high: 0.5 };

/** What was proved: vendors' plans have most dispatches in common. */
const proved = new Set<string>();

/** Proves a merge's plans. @returns the number of its dispatches, and why some are refused. */
function prove(request: Partial<ScheduleRequest>, target: Target): { count: number; refused: string[] } {
  const { stages } = schedule({
    config: FIXED,
    width: 75,
    height: 43,
    taus: [1, 4, 16],
    reference: 1,
    gamma: 2.2,
    useResponse: true,
    motionGiven: false,
    ...request,
    limits: { memoryBudget: 2 ** 29, maxBinding: 2 ** 27, ...target },
  });
  const steps = stages.flatMap(({ plan }) => provedSteps(plan, target.capabilities));
  const refused = steps.flatMap((step) => {
    const { program, params, workgroups, sizes } = step;
    const key = JSON.stringify([program.source, params, workgroups, sizes]);
    if (proved.has(key)) return [];
    proved.add(key);
    const why = refusalOf(step);
    return why === undefined ? [] : [`${step.name} (${program.label}): ${why}`];
  });
  return { count: steps.length, refused };
}

describe("a merge's plans are proved", () => {
  it.each<[string, Target]>([
    ['software with subgroups of 8', { capabilities: { cpu: true, subgroupSize: 8 } }],
    ['software without subgroups', { capabilities: { cpu: true } }],
    ['any device', {}],
    ['a device in halves', { precision: 'f16', capabilities: { f16: true } }],
    ['a GPU in packed halves', { precision: 'f16', capabilities: { f16: true, vendor: 'amd' } }],
    ...VENDORS.map((vendor): [string, Target] => [vendor, { capabilities: { vendor, subgroupSize: 32 } }]),
  ])('on %s', (_, target) => {
    const { count, refused } = prove({}, target);
    expect(refused).toEqual([]);
    expect(count).toBeGreaterThan(60);
  });

  // The layers of least size have fewer pixels than a workgroup's tile.
  it('of few pixels, on matrix units', () => {
    const capabilities = { f16: true, subgroupSize: 32, matrices: { m: 16, n: 16, k: 16 } };
    const { count, refused } = prove({ width: 64, height: 64 }, { precision: 'f16', capabilities });
    expect(refused).toEqual([]);
    expect(count).toBeGreaterThan(60);
  });

  it.each<[string, Partial<ScheduleRequest>]>([
    ['one pixel', { width: 1, height: 1 }],
    ['several tiles', { width: 700, height: 500 }],
    ['five frames, some without data', { config: ANY, taus: [1, 2, 4, 8, 16], reference: 2, covered: true }],
    ['a gate', { config: { ...FIXED, gate: GATE } }],
    ['motion that is given', { motionGiven: true, covered: true }],
    ['no network', { config: undefined }],
    ['no network, 16 frames', { config: undefined, taus: Array.from({ length: 16 }, (_, k) => 1.5 ** k) }],
  ])('of %s', (_, request) => {
    const { count, refused } = prove(request, { capabilities: { cpu: true, subgroupSize: 4 } });
    expect(refused).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });
});
