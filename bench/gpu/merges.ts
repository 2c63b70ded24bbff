/**
 * Whole merges of three frames with a profile: f32 and, where the device has it, f16; 1500x1000 and 24 megapixels; the
 * default budget and a large one.
 *
 *     npx tsx bench/gpu/merges.ts [--adapter gpu] [--tiny] [--small] [--precision f16] [--save FOLDER]
 *
 * Variants are those that `deghost tune` found here, if it ran; `--small` leaves out 24 megapixels, `--precision` the
 * other precision. With `--save` the frames and the results of the small size are written as raw f32,
 * [height, width, 3], for torchBench.py, which says whether they are right.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Gpu } from '../../src/device.ts';
import type { Frame } from '../../src/index.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { readShippedWeights } from '../../src/node/index.ts';
import { mergeFrames, profileTotals, timeMerge } from '../merges.ts';
import type { MergeCase, MergeRun } from '../merges.ts';
import { mebibytes } from '../text.ts';
import { median } from '../timing.ts';
import { tuningOf } from '../tuning.ts';
import { COMMON, main, openGpu, reasonOf, row, say, tflops } from './program.ts';

const { values } = parseArgs({
  options: {
    ...COMMON,
    small: { type: 'boolean', default: false },
    precision: { type: 'string' },
    save: { type: 'string' },
  },
});

const BUDGETS = [2 ** 29, 2 ** 33];
/** A size above this is run once. */
const SMALL_PIXELS = 3e6;
const RUNS = 5;
/** How many programs of a stage are printed. */
const SHOWN = 6;

const SIZES = {
  tiny: [[48, 32]],
  small: [[1500, 1000]],
  all: [
    [1500, 1000],
    [6000, 4000],
  ],
} as const;
const sizes = values.tiny ? SIZES.tiny : values.small ? SIZES.small : SIZES.all;

function tell(
  { precision, width, height, variants, memoryBudget }: MergeCase,
  { wallMs, profile }: MergeRun,
  cpuMs: readonly number[],
): void {
  const { gpuMs, multiplyAdds } = profileTotals(profile);
  const [wall, cpu] = [wallMs, cpuMs].map((samples) => median(samples).toFixed(0));
  say(
    `${precision} ${width}x${height} ${variants}, ${mebibytes(memoryBudget)}: ${wall} ms, CPU ${cpu}, ` +
      `GPU ${gpuMs.toFixed(1)} = ${tflops(multiplyAdds, gpuMs).toFixed(2)} TFLOP/s`,
  );
  for (const { name, tiles, submissions, prepareMs, sendMs, pasteMs, programs } of profile.stages) {
    say(
      `  ${name}: ${tiles} tiles, ${submissions} submissions; prepare ${prepareMs.toFixed(0)}, cut ` +
        `${sendMs.toFixed(0)}, paste ${pasteMs.toFixed(0)} ms`,
    );
    for (const { program, ms, multiplyAdds: work } of programs.slice(0, SHOWN)) {
      const rate = ms ? tflops(work, ms).toFixed(2) : '-';
      say(`    ${(ms ?? 0).toFixed(2).padStart(9)} ms ${rate.padStart(7)} TFLOP/s  ${program}`);
    }
  }
}

/** Writes arrays as raw f32 with their size beside them. */
function save(
  folder: string,
  { precision, width, height }: MergeCase,
  frames: readonly Frame[],
  radiance: Float32Array,
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'size.json'),
    JSON.stringify({ width, height, frames: frames.length, taus: frames.map(({ exposure }) => exposure) }),
  );
  frames.forEach(({ data }, k) =>
    writeFileSync(
      join(folder, `frame-${k}.f32`),
      Float32Array.from(data as Uint8Array, (value) => value / 255),
    ),
  );
  writeFileSync(join(folder, `radiance-${precision}.f32`), radiance);
}

await main('merges', async () => {
  const { device } = await openGpu(values.adapter);
  const gpu = new Gpu(device);
  const weights = await readShippedWeights(3);
  const precisions = (['f32', ...(gpu.capabilities.f16 ? ['f16'] : [])] as DType[]).filter(
    (precision) => !values.precision || precision === values.precision,
  );
  for (const precision of precisions) {
    const tuning = await tuningOf(device, precision);
    if (!tuning)
      say(
        `${precision}: no tuning is kept for this device: run \`npx deghost ` +
          `tune${precision === 'f16' ? ' --precision f16' : ''}\` first to have one`,
      );
    for (const [width, height] of sizes) {
      const isSmall = width * height < SMALL_PIXELS;
      const frames = mergeFrames(width, height);
      for (const variants of ['tuned', 'default'] as const) {
        if (variants === 'tuned' ? !tuning : tuning && !isSmall) continue;
        for (const memoryBudget of BUDGETS) {
          const merge: MergeCase = { precision, width, height, variants, memoryBudget };
          const size = `${width}x${height}`;
          const head = { toggles: process.env.DAWN_TOGGLES ?? null, precision, variants, budget: memoryBudget, size };
          const cpuMs: number[] = [];
          let used = process.cpuUsage();
          try {
            const run = await timeMerge(gpu, weights, merge, frames, {
              runs: isSmall ? RUNS : 1,
              tuning,
              onRun: (moment) => {
                const { user, system } = process.cpuUsage(moment === 'end' ? used : undefined);
                if (moment === 'end') cpuMs.push((user + system) / 1000);
                else used = { user, system };
              },
            });
            const { wallMs, profile, result, row: figures } = run;
            const { gpuMs, multiplyAdds } = profileTotals(profile);
            row({
              ...head,
              wallMs,
              cpuMs,
              gpuMs,
              tflops: tflops(multiplyAdds, gpuMs),
              teraMultiplyAdds: multiplyAdds / 1e12,
              peakBytes: figures.peakBytes,
              profile,
            });
            tell(merge, run, cpuMs);
            if (values.save && isSmall && memoryBudget === BUDGETS[0])
              save(values.save, merge, frames, result.radiance);
          } catch (error) {
            row({ ...head, error: reasonOf(error) });
            say(`${precision} ${size} ${variants}, ${mebibytes(memoryBudget)}: ${reasonOf(error)}`);
          }
        }
      }
    }
  }
});
