/**
 * Says which frame `--reference auto` takes of stacks, for references.py.
 *
 *   npx tsx chooseReferences.ts FOLDER [--linear]
 *
 * FOLDER holds stacks as `stacks.py` writes them. Prints a JSON object: by the stacks' names `reference`, from 0, and
 * the share of each frame that is burnt out or black.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { chooseReference, clippedShare } from '../src/image/chooseReference.ts';
import { readStack } from '../src/node/index.ts';

async function main(folder: string): Promise<void> {
  const chosen: Record<string, { reference: number; shares: number[] }> = {};
  for (const name of readdirSync(folder).sort()) {
    const files = readdirSync(join(folder, name))
      .filter((file) => /^input_\d+\.png$/.test(file))
      .sort((a, b) => parseInt(a.slice(6), 10) - parseInt(b.slice(6), 10));
    const { frames } = await readStack(
      files.map((file) => join(folder, name, file)),
      { exposures: files.map((_, k) => 2 ** k) },
    );
    const { reference, frames: counts } = chooseReference(frames, process.argv.includes('--linear'));
    chosen[name] = { reference, shares: counts.map(clippedShare) };
  }
  console.log(JSON.stringify(chosen));
}

const [, , folder] = process.argv;
if (!folder) throw new Error('chooseReferences.ts FOLDER [--linear]');
void main(folder);
