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
import { deviceCapabilities } from '../../src/device.ts';
import { Deghoster } from '../../src/index.ts';
import type { Frame, MergeProfile, MergeResult } from '../../src/index.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { readShippedWeights } from '../../src/node/index.ts';
import { rng } from '../../test/reference/random.ts';
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

const GIB = 2 ** 30;
const BUDGETS = [
  { budget: '512 MiB', memoryBudget: GIB / 2 },
  { budget: '8 GiB', memoryBudget: 8 * GIB },
];
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

/** Smooth enough to be a picture, with noise, in 8 bits; brighter with each exposure. */
function frameOf(width: number, height: number, exposure: number): Frame {
  const data = new Uint8Array(width * height * 3);
  const noise = rng(exposure).floats(4099, 0, 32);
  for (let i = 0; i < data.length; i++) {
    const column = Math.floor(i / 3) % width;
    data[i] = Math.min(255, (column / width) * 120 * (exposure + 1) + noise[i % noise.length]);
  }
  return { data, width, height, exposure: 4 ** exposure };
}

interface Case {
  precision: DType;
  width: number;
  height: number;
  /** Tuned variants, or the defaults. */
  variants: 'tuned' | 'default';
  budget: string;
}

interface Timed {
  wallMs: number[];
  cpuMs: number[];
  profile: MergeProfile;
  peakBytes: number;
  result: MergeResult;
}

/** Merges once to compile, then to measure the wall time, then with a profile. */
async function timeMerges(deghoster: Deghoster, frames: readonly Frame[], runs: number): Promise<Timed> {
  const options = { reference: 1, response: 'gamma', align: 'none' } as const;
  let result = await deghoster.merge(frames, options);
  const [wallMs, cpuMs]: [number[], number[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    result = await deghoster.merge(frames, options);
    wallMs.push(performance.now() - wall);
    const { user, system } = process.cpuUsage(cpu);
    cpuMs.push((user + system) / 1000);
  }
  const { profile, peakBytes } = await deghoster.merge(frames, { ...options, profile: true });
  return { wallMs, cpuMs, profile: profile!, peakBytes, result };
}

/** Milliseconds of the compute passes, and multiply-adds, of all stages. */
function totals({ stages }: MergeProfile): { gpuMs: number; multiplyAdds: number } {
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
  return {
    gpuMs: sum(stages.map(({ computeMs, busyMs }) => computeMs ?? busyMs)),
    multiplyAdds: sum(stages.flatMap(({ programs }) => programs.map((program) => program.multiplyAdds))),
  };
}

function tell({ precision, width, height, variants, budget }: Case, { wallMs, cpuMs, profile }: Timed): void {
  const { gpuMs, multiplyAdds } = totals(profile);
  const [wall, cpu] = [wallMs, cpuMs].map((samples) => median(samples).toFixed(0));
  say(
    `${precision} ${width}x${height} ${variants}, ${budget}: ${wall} ms, CPU ${cpu}, GPU ${gpuMs.toFixed(1)} = ` +
      `${tflops(multiplyAdds, gpuMs).toFixed(2)} TFLOP/s`,
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
  { precision, width, height }: Case,
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
  const weights = await readShippedWeights(3);
  const precisions = (['f32', ...(deviceCapabilities(device).f16 ? ['f16'] : [])] as DType[]).filter(
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
      const frames = [0, 1, 2].map((exposure) => frameOf(width, height, exposure));
      for (const variants of ['tuned', 'default'] as const) {
        if (variants === 'tuned' ? !tuning : tuning && !isSmall) continue;
        for (const { budget, memoryBudget } of BUDGETS) {
          const merge: Case = { precision, width, height, variants, budget };
          const { width: _, height: __, ...named } = merge;
          const head = { toggles: process.env.DAWN_TOGGLES ?? null, ...named, size: `${width}x${height}` };
          try {
            const deghoster = await Deghoster.create({
              weights,
              device,
              precision,
              memoryBudget,
              tuning: variants === 'tuned' ? tuning : undefined,
            });
            const timed = await timeMerges(deghoster, frames, isSmall ? RUNS : 1);
            deghoster.dispose();
            const { wallMs, cpuMs, profile, peakBytes, result } = timed;
            const { gpuMs, multiplyAdds } = totals(profile);
            row({
              ...head,
              wallMs,
              cpuMs,
              gpuMs,
              tflops: tflops(multiplyAdds, gpuMs),
              teraMultiplyAdds: multiplyAdds / 1e12,
              peakBytes,
              profile,
            });
            tell(merge, timed);
            if (values.save && isSmall && memoryBudget === BUDGETS[0].memoryBudget)
              save(values.save, merge, frames, result.radiance);
          } catch (error) {
            row({ ...head, error: reasonOf(error) });
            say(`${precision} ${width}x${height} ${variants}, ${budget}: ${reasonOf(error)}`);
          }
        }
      }
    }
  }
});
