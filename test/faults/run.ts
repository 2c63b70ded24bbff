/**
 * `npm run faults`: every GPU call of small merges fails once, in a merge of its own. Exit code 0: after each there was
 * a typed error or the right picture, and a next merge that was right; 1: not so, and what was wrong is printed.
 */
import { parseArgs } from 'node:util';
import { testDevice } from '../gpu.ts';
import { GPU_FAULTS } from './gpu.ts';
import { MERGES, MergeFaults } from './merges.ts';
import type { MergeKind } from './merges.ts';

const { values } = parseArgs({
  options: { every: { type: 'string', default: '1' }, merge: { type: 'string', default: Object.keys(MERGES).join() } },
});
const every = Math.max(1, Number(values.every));
const faults = new MergeFaults(await testDevice());
let [points, wrong] = [0, 0];
for (const kind of values.merge.split(',') as MergeKind[]) {
  for (const fault of GPU_FAULTS) {
    const calls = await faults.count(kind, fault);
    const before = wrong;
    let tried = 0;
    for (let n = 1; n <= calls; n += every) {
      tried++;
      const found = await faults.try(kind, fault, n);
      for (const text of found) console.log(`  ${kind}, ${fault}, call ${n} of ${calls}: ${text.split('\n')[0]}`);
      if (found.length > 0) wrong++;
    }
    points += tried;
    console.log(`${kind}: ${fault}: ${tried} of ${calls} calls, ${wrong - before} not clean`);
  }
}
console.log(`${points} points, ${wrong} not clean`);
faults.dispose();
process.exit(wrong > 0 ? 1 : 0);
