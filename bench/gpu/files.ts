/**
 * From JPEG files to an EXR, by the command line as people run it, at 24 megapixels: where the time goes, start
 * included.
 *
 *     npx tsx bench/gpu/files.ts [--adapter gpu] [--tiny]
 *
 * The frames are the bundled example, enlarged, in a temporary folder. A row for each precision and budget.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { COMMON, main, row, say } from './program.ts';

const { values } = parseArgs({ options: COMMON });

const EXAMPLE = fileURLToPath(new URL('../../examples/balloons/', import.meta.url));
const CLI = fileURLToPath(new URL('cli.ts', import.meta.url));
const TIMES = '1/320,1/80,1/20';
const [width, height] = values.tiny ? [96, 64] : [6000, 4000];

/** What `deghost merge --profile --json` prints, as far as this program keeps it. */
interface Merged {
  profile: object;
  peakBytes: number;
}

await main('files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-files-'));
  try {
    const frames = [1, 2, 3].map((k) => join(folder, `${k}.jpg`));
    for (const [k, file] of frames.entries()) {
      await sharp(join(EXAMPLE, `${k + 1}.jpg`))
        .resize(width, height, { fit: 'fill' })
        .jpeg({ quality: 92 })
        .toFile(file);
    }
    for (const precision of ['f32', 'f16']) {
      for (const budget of ['512MiB', '8GiB']) {
        const options = [
          '--times',
          TIMES,
          '-o',
          join(folder, 'merged.exr'),
          '--precision',
          precision,
          '--memory-budget',
          budget,
          '--adapter',
          values.adapter,
          '--profile',
          '--json',
        ];
        const begun = performance.now();
        try {
          const answer = execFileSync(process.execPath, [...process.execArgv, CLI, 'merge', ...frames, ...options], {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'pipe'],
          });
          const { profile, peakBytes } = JSON.parse(answer) as Merged;
          row({
            precision,
            budget,
            size: `${width}x${height}`,
            processMs: performance.now() - begun,
            peakBytes,
            profile,
          });
          say(`${precision}, ${budget}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
        } catch (error) {
          const reason = String((error as { stderr?: string }).stderr || (error as Error).message)
            .trim()
            .split('\n')
            .at(-1)!;
          row({ precision, budget, size: `${width}x${height}`, error: reason });
          say(`${precision}, ${budget}: ${reason}`);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
