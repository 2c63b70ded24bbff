/**
 * Reads what one reader once got wrong, and mutations of its files, one seed after another, in a process of its own:
 * what hangs or dies is the parent's to find out.
 */
import { corpusOf } from './corpus.ts';
import { judge, watchArrays } from './judge.ts';
import type { Fault } from './judge.ts';
import { mutation } from './mutate.ts';
import { READERS } from './readers.ts';

/** What the child says. `seed` is a seed, or the name of a file of the corpus. */
export type Word =
  | { kind: 'seed'; seed: number | string }
  | ({ kind: 'finding'; seed: number | string } & Fault)
  | { kind: 'done'; read: number; refused: number };

const say = (word: Word): void => void process.send!(word);

async function main(name: string, from: number, to: number, isFirst: boolean): Promise<void> {
  const reader = READERS[name];
  const seeds = await reader.seeds();
  const corpus = isFirst ? corpusOf(name) : [];
  const counts = { read: 0, refused: 0 };
  let current: number | string = from;
  process.on('unhandledRejection', (error) =>
    say({
      kind: 'finding',
      seed: current,
      what: 'untyped',
      text: `not handled: ${String((error as Error)?.stack ?? error)}`,
    }),
  );
  // One after another: they may share a file.
  const areRead = async (): Promise<string> => {
    const outcomes: string[] = [];
    for (const [seed, file] of seeds.entries())
      outcomes.push(
        await (async () => reader.read(Buffer.from(file), seed))().then(
          () => 'read',
          () => 'refused',
        ),
      );
    return outcomes.join();
  };
  // What is loaded at first use is no file's fault.
  const before = await areRead();
  watchArrays();
  const after = await areRead();
  if (after !== before) throw new Error(`watched, files are read as ${after}, before as ${before}`);
  const attempt = async (seed: number | string, bytes: Buffer, number: number): Promise<void> => {
    current = seed;
    say({ kind: 'seed', seed });
    const { isRead, faults } = await judge(reader, bytes, number);
    counts[isRead ? 'read' : 'refused']++;
    for (const fault of faults) say({ kind: 'finding', seed, ...fault });
  };
  for (const [file, bytes] of corpus) await attempt(file, bytes, 0);
  for (let seed = from; seed < to; seed++) await attempt(seed, mutation(seeds, seed), seed);
  // What waits to be sent would be lost.
  process.send!({ kind: 'done', ...counts } satisfies Word, () => process.disconnect());
}

const [name, from, to, isFirst] = process.argv.slice(2);
await main(name, Number(from), Number(to), isFirst === 'true');
