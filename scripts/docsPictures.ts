/**
 * The pictures of the README and of the page's first screen, from the bundled example and what `npm run demo -- --full`
 * made of it: `docs/input.jpg`, the exposures side by side; `docs/plain.jpg`, their average; `docs/result.jpg`, the
 * merge; and a part of the last two in `app/pictures`, where they lie over each other.
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
/** The part with the balloons, for the page: both pictures together are small beside its programs. */
const PAGE_PART = { left: 64, top: 45, width: 528, height: 352 };
const PAGE_QUALITY = 80;

const root = packageFolder();
const example = join(root, 'examples', 'balloons');
const docs = join(root, 'docs');
const forPage = join(root, 'app', 'pictures');
/** What the demo made, its name in the documents, and on the page. */
const results = [
  ['plain-merge.png', 'plain.jpg', 'plain.webp'],
  ['result.png', 'result.jpg', 'deghosted.webp'],
] as const;

const missing = results.map(([from]) => join(root, 'out', from)).find((path) => !existsSync(path));
if (missing) {
  console.error(`${missing} is not there: run npm run demo -- --full first`);
  process.exitCode = 1;
} else {
  for (const folder of [docs, forPage]) await mkdir(folder, { recursive: true });
  await writeStrip();
  for (const [from, to, toPage] of results) {
    const picture = sharp(join(root, 'out', from)).resize(RESULT_WIDTH);
    await picture.clone().jpeg({ quality: 90 }).toFile(join(docs, to));
    await picture.clone().extract(PAGE_PART).webp({ quality: PAGE_QUALITY, effort: 6 }).toFile(join(forPage, toPage));
  }
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
