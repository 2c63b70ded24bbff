/**
 * A program for tests: it writes a file that never becomes complete, until a signal stops it. `held.ts FILE obedient`
 * stops at the first, `held.ts FILE busy` does not notice it.
 */
import { CancelledError } from '../../src/errors.ts';
import { SignalWatch } from '../../src/node/cli/signals.ts';
import { writeFileAtomic } from '../../src/node/writeFile.ts';

const [path, how] = process.argv.slice(2);
const watch = new SignalWatch();
const alive = setInterval(() => undefined, 1000);

async function* endless() {
  yield Buffer.from('x');
  console.log('writing');
  await new Promise((_, reject) => {
    watch.signal.addEventListener('abort', () => {
      console.log('signalled');
      if (how === 'obedient') reject(new CancelledError());
    });
  });
}

try {
  await writeFileAtomic(path, endless());
} catch {
  process.exitCode = watch.code;
} finally {
  clearInterval(alive);
  watch.close();
}
