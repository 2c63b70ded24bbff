/**
 * `npm run fuzz`: mutated files for every reader, for as long as one likes. Exit code 0: nothing was found; 1:
 * something was, and the command that shows it is printed; 2: wrong usage.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { mutation } from './mutate.ts';
import { READERS } from './readers.ts';

const USAGE = `npm run fuzz -- [options]

  --reader NAMES   of these, separated by commas; all by default: ${Object.keys(READERS).join(', ')}
  --count N        mutations of each, 1000 by default
  --seed N         the first seed; another in each run by default
  --seconds N      end after so long
  --show FILE      write the file of --reader and --seed there, and read nothing`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      reader: { type: 'string' },
      count: { type: 'string', default: '1000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      seconds: { type: 'string', default: 'Infinity' },
      show: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [count, from, seconds] = [values.count, values.seed, values.seconds].map(Number);
  if (!(count > 0) || !Number.isSafeInteger(from) || from < 0 || !(seconds > 0)) throw new Error('a number is none');
  const names = values.reader?.split(',').map((name) => name.trim()) ?? Object.keys(READERS);
  const unknown = names.find((name) => !Object.hasOwn(READERS, name));
  if (unknown !== undefined) throw new Error(`there is no reader "${unknown}": ${Object.keys(READERS).join(', ')}`);
  if (values.show !== undefined) {
    writeFileSync(values.show, mutation(await READERS[names[0]].seeds(), from));
    return 0;
  }
  const end = performance.now() + 1000 * seconds;
  let [all, found] = [0, 0];
  for (const reader of names) {
    const begun = performance.now();
    const { read, refused, findings } = await fuzz(reader, { from, count, isOver: () => performance.now() > end });
    const took = ((performance.now() - begun) / 1000).toFixed(1);
    console.log(`${reader}: ${read} read, ${refused} refused, ${findings.length} findings, ${took} s`);
    for (const { what, seed, text } of findings) {
      console.log(`  ${what}: ${text.split('\n').slice(0, 3).join(' | ')}`);
      if (typeof seed === 'number') console.log(`    npm run fuzz -- --reader '${reader}' --seed ${seed} --count 1`);
      else console.log(`    test/fuzz/corpus.ts: ${seed}`);
    }
    all += read + refused;
    found += findings.length;
  }
  console.log(`${all} files from seed ${from} on, ${found} findings`);
  return found > 0 ? 1 : 0;
}

main().then(
  (code) => (process.exitCode = code),
  (error: Error) => {
    console.error(`fuzz: ${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  },
);
