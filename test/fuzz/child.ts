/**
 * Reads mutations of one reader's files, one seed after another, in a process of its own: what hangs, dies or takes too
 * much is the parent's to find out.
 */
import { DeghostError } from '../../src/errors.ts';
import { mutation } from './mutate.ts';
import { READERS } from './readers.ts';

/** A reader takes at most so much more memory than before, and so long. */
export const MOST_BYTES = 200 * 2 ** 20;
export const MOST_MS = 2000;

/** What the child says. */
export type Word =
  | { kind: 'seed'; seed: number }
  | { kind: 'finding'; seed: number; what: 'untyped' | 'slow' | 'memory' | 'message'; text: string }
  | { kind: 'done'; read: number; refused: number };

/** Control characters but none of a line's own, and those that turn text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const say = (word: Word): void => void process.send!(word);

async function main(name: string, from: number, to: number): Promise<void> {
  const reader = READERS[name];
  const seeds = await reader.seeds();
  const counts = { read: 0, refused: 0 };
  let most = process.resourceUsage().maxRSS;
  let current = from;
  process.on('unhandledRejection', (error) =>
    say({
      kind: 'finding',
      seed: current,
      what: 'untyped',
      text: `not handled: ${String((error as Error)?.stack ?? error)}`,
    }),
  );
  for (let seed = from; seed < to; seed++) {
    current = seed;
    const bytes = mutation(seeds, seed);
    say({ kind: 'seed', seed });
    const begun = performance.now();
    try {
      await reader.read(bytes, seed);
      counts.read++;
    } catch (error) {
      counts.refused++;
      const text = String((error as Error)?.message ?? error);
      if (!(error instanceof DeghostError))
        say({ kind: 'finding', seed, what: 'untyped', text: String((error as Error)?.stack ?? error).slice(0, 600) });
      else if (CONTROL.test(text) || text.length > 2000)
        say({ kind: 'finding', seed, what: 'message', text: JSON.stringify(text).slice(0, 300) });
    }
    const ms = performance.now() - begun;
    if (ms > MOST_MS) say({ kind: 'finding', seed, what: 'slow', text: `${Math.round(ms)} ms` });
    const now = process.resourceUsage().maxRSS;
    if (1024 * (now - most) > MOST_BYTES)
      say({
        kind: 'finding',
        seed,
        what: 'memory',
        text: `${Math.round((now - most) / 1024)} MiB for ${bytes.length} bytes`,
      });
    most = Math.max(most, now);
  }
  say({ kind: 'done', ...counts });
  process.disconnect();
}

const [name, from, to] = process.argv.slice(2);
await main(name, Number(from), Number(to));
