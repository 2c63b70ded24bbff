/**
 * The README's pictures, from the bundled example and what `npm run demo -- --full` made of it:
 * `docs/input.jpg`, the exposures side by side; `docs/plain.jpg`, their average; `docs/result.jpg`, the merge.
 */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { packageFolder } from '../src/node/package.ts';

/** Width of one exposure in the strip, and of a result, pixels. */
const INPUT_WIDTH = 384;
const RESULT_WIDTH = 768;
const GAP = 6;

const root = packageFolder();
const example = join(root, 'examples', 'balloons');
const docs = join(root, 'docs');
const results = [
  ['plain-merge.png', 'plain.jpg'],
  ['result.png', 'result.jpg'],
] as const;

const missing = results.map(([from]) => join(root, 'out', from)).find((path) => !existsSync(path));
if (missing) {
  console.error(`${missing} is not there: run npm run demo -- --full first`);
  process.exitCode = 1;
} else {
  await mkdir(docs, { recursive: true });
  await writeStrip();
  for (const [from, to] of results)
    await sharp(join(root, 'out', from))
      .resize(RESULT_WIDTH)
      .jpeg({ quality: 90 })
      .toFile(join(docs, to));
}

/** The exposures, darkest first, in one row. */
async function writeStrip(): Promise<void> {
  const names = readdirSync(example)
    .filter((name) => name.endsWith('.jpg'))
    .sort();
  const tiles = await Promise.all(
    names.map((name) => sharp(join(example, name)).resize(INPUT_WIDTH).toBuffer({ resolveWithObject: true })),
  );
  const { height } = tiles[0].info;
  await sharp({
    create: { width: names.length * (INPUT_WIDTH + GAP) - GAP, height, channels: 3, background: '#ffffff' },
  })
    .composite(tiles.map(({ data }, i) => ({ input: data, left: i * (INPUT_WIDTH + GAP), top: 0 })))
    .jpeg({ quality: 88 })
    .toFile(join(docs, 'input.jpg'));
}
