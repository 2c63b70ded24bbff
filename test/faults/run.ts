/**
 * `npm run faults`: every GPU call of small merges fails once and loses the device once, in a merge of its own. Exit
 * code 0: after each there was a typed error or the right picture, and a next merge that was right; 1: not so, and what
 * was wrong is printed.
 *
 * Options: --every N for each N-th call only, --merge KINDS, --what calls|losses for one half.
 */
import { parseArgs } from 'node:util';
import { testDevice } from '../gpu.ts';
import { GPU_FAULTS } from './gpu.ts';
import { Losses } from './losses.ts';
import { MERGES, MergeFaults } from './merges.ts';
import type { MergeKind } from './merges.ts';

const { values } = parseArgs({
  options: {
    every: { type: 'string', default: '1' },
    merge: { type: 'string', default: Object.keys(MERGES).join() },
    what: { type: 'string', default: 'calls,losses' },
  },
});
const every = Math.max(1, Number(values.every));
const kinds = values.merge.split(',') as MergeKind[];
const device = await testDevice();
let [points, wrong] = [0, 0];

/** Tries each of some calls, and prints what is wrong. */
async function tryAll(title: string, calls: number, attempt: (n: number) => Promise<string[]>): Promise<void> {
  const [pointsBefore, wrongBefore] = [points, wrong];
  for (let n = 1; n <= calls; n += every) {
    points++;
    const found = await attempt(n);
    for (const text of found) console.log(`  ${title}, call ${n} of ${calls}: ${text.split('\n')[0]}`);
    if (found.length > 0) wrong++;
  }
  console.log(`${title}: ${points - pointsBefore} of ${calls} calls, ${wrong - wrongBefore} not clean`);
}

if (values.what.includes('losses')) {
  const losses = new Losses(device);
  for (const kind of kinds) {
    const calls = (await losses.calls(kind)).length;
    await tryAll(`${kind}: an opened device is lost`, calls, (n) => losses.try(kind, n, true));
    await tryAll(`${kind}: a borrowed device is lost`, calls, (n) => losses.try(kind, n, false));
  }
  losses.dispose();
}
if (values.what.includes('calls')) {
  const faults = new MergeFaults(device);
  for (const kind of kinds)
    for (const fault of GPU_FAULTS)
      await tryAll(`${kind}: ${fault}`, await faults.count(kind, fault), (n) => faults.try(kind, fault, n));
  faults.dispose();
}
console.log(`${points} points, ${wrong} not clean`);
process.exit(wrong > 0 ? 1 : 0);
