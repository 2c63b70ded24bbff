/**
 * `npm run demo`: merges the bundled example and says where the pictures are.
 *
 * On a GPU at full size; on a software adapter scaled down, so that it takes about a minute (`npm run demo -- --full`
 * for full size there too).
 */
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import sharp from 'sharp';
import { Finisher } from '../src/finish/index.ts';
import { Deghoster, DeghostError, openDevice } from '../src/index.ts';
import type { Frame, MergeResult } from '../src/index.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { packageFolder } from '../src/node/package.ts';
import { ProgressView, clock } from '../src/node/cli/progress.ts';
import { readWeights } from '../src/node/cli/weights.ts';
import { readStack, writeImage, writeMotionMaps } from '../src/node/index.ts';

/** Width that a software adapter merges in well under a minute, compiling included. */
const SOFTWARE_WIDTH = 192;

const root = packageFolder();
const out = join(root, 'out');
const show = (path: string): string => relative(process.cwd(), path) || '.';

try {
  await demo();
} catch (error) {
  if (!(error instanceof DeghostError)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = error.code === 'no-adapter' ? 3 : 1;
}

async function demo(): Promise<void> {
  const started = performance.now();
  const folder = exampleFolder();
  const paths = readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
    .map((name) => join(folder, name));
  const { frames: original } = await readStack(paths);
  const { adapter, info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  const isReduced = info.software && !process.argv.includes('--full');
  const frames = isReduced
    ? original.map((frame) => shrink(frame, Math.max(1, Math.floor(frame.width / SOFTWARE_WIDTH))))
    : original;
  const weights = await readWeights(undefined, frames.length);
  const { width, height } = frames[0];
  console.log(
    `${frames.length} exposures from ${show(folder)}, ` +
      `${width}x${height}${isReduced ? ' (reduced: this is a software adapter)' : ''}, on ${info.name}`,
  );

  const device = await openDevice(adapter);
  const deghoster = await Deghoster.create({ weights: weights.bytes, device });
  const view = new ProgressView(process.stderr);
  const plain = await deghoster.merge(frames, { method: 'merge' });
  const result = await deghoster.merge(frames, { onProgress: (progress) => view.update(progress) });
  view.clear();
  deghoster.dispose();
  const [plainShown, shown] = await finished(device, plain, result);
  device.destroy();

  const motion = join(out, 'motion');
  await mkdir(motion, { recursive: true });
  await writeImage(join(out, 'result.hdr'), result);
  for (const [name, codes] of [
    ['result.png', shown],
    ['plain-merge.png', plainShown],
  ] as const)
    await sharp(codes, { raw: { width, height, channels: 3 } }).toFile(join(out, name));
  await writeMotionMaps(motion, result.motion, width, height);
  await writeSheet(
    join(out, 'overview.png'),
    result.order.map((i) => frames[i]),
    plainShown,
    shown,
    result,
  );

  console.log(result.response.report.summary);
  console.log(`done in ${clock((performance.now() - started) / 1000)}; look at`);
  for (const [name, what] of [
    ['overview.png', 'the exposures (top); averaged with ghosts, what moved, and merged without ghosts (bottom)'],
    ['result.png', 'the merged picture, in the look `natural`'],
    ['result.hdr', 'the same as HDR, 1.0 being the white of the middle exposure'],
    ['plain-merge.png', 'the exposures averaged, for comparison: with ghosts'],
    ['motion/', 'what counts as moving, exposure by exposure'],
  ])
    console.log(`  ${show(join(out, name)).padEnd(24)} ${what}`);
}

function exampleFolder(): string {
  const examples = join(root, 'examples');
  const [first] = readdirSync(examples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  return join(examples, first);
}

/** The codes of both pictures, alike: in the look that suits the result. */
async function finished(device: GPUDevice, plain: MergeResult, result: MergeResult): Promise<Uint8Array[]> {
  const finishers = [await Finisher.create(device, plain), await Finisher.create(device, result)];
  const settings = finishers[1].settingsOf('natural');
  const codes = [];
  for (const finisher of finishers) {
    codes.push(await finisher.finish('codes', settings));
    finisher.dispose();
  }
  return codes;
}

/** A frame reduced by a whole factor, each pixel the mean of its block. */
function shrink(frame: Frame, factor: number): Frame {
  const width = Math.floor(frame.width / factor);
  const height = Math.floor(frame.height / factor);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < width * 3; i++) {
      let sum = 0;
      for (let dy = 0; dy < factor; dy++) {
        const row = (y * factor + dy) * frame.width * 3 + Math.floor(i / 3) * factor * 3 + (i % 3);
        for (let dx = 0; dx < factor; dx++) sum += frame.data[row + dx * 3];
      }
      data[y * width * 3 + i] = Math.round(sum / factor ** 2);
    }
  }
  return { ...frame, data, width, height };
}

/** The exposures above; plain merge, the union of the motion maps and the result below. */
async function writeSheet(
  path: string,
  frames: readonly Frame[],
  plain: Uint8Array,
  shown: Uint8Array,
  result: MergeResult,
): Promise<void> {
  const { width, height } = result;
  const gap = Math.max(2, Math.round(width / 96));
  const moving = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
    Math.round(255 * result.motion[result.reference][Math.floor(i / 3)]),
  );
  const rows = [frames.map(({ data }) => data as Uint8Array), [plain, moving, shown]];
  const columns = Math.max(...rows.map((row) => row.length));
  const tiles = await Promise.all(
    rows.flatMap((row, y) =>
      row.map(async (data, x) => ({
        input: await sharp(data, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer(),
        left: gap + x * (width + gap),
        top: gap + y * (height + gap),
      })),
    ),
  );
  const canvas = {
    width: gap + columns * (width + gap),
    height: gap + rows.length * (height + gap),
    channels: 3 as const,
    background: '#202020',
  };
  await sharp({ create: canvas }).composite(tiles).png().toFile(path);
}
