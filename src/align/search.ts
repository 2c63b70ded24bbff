/**
 * One estimation on the GPU: from the coarsest level to the finest, from features of two frames to a homography with
 * its figures, without reading anything back in between.
 */
import type { Gpu } from '../device.ts';
import { throwIfCancelled } from '../errors.ts';
import { rowsOf } from '../kernels/program.ts';
import type { Commands } from '../graph/commands.ts';
import { CORRELATE, PICK, searchSize } from './coarsePrograms.ts';
import { ACCUMULATE, ADVANCE, SOLVE, SUMS, groupsOf, modelParams } from './gaussNewtonPrograms.ts';
import type { Model } from './gaussNewtonPrograms.ts';
import { normalization, scaled, toPixels } from './homography.ts';
import type { Level } from './levels.ts';
import { AT, HYPOTHESES, STATE_FLOATS } from './state.ts';

/** Most updates at a level, the coarsest first; the last number holds for all finer ones. */
const UPDATES = [12, 10, 8, 6, 4];
/** Errors of features that still count by a quarter: c of Geman and McClure's weights. */
const ROBUST = [0.5, 0.4, 0.3];
/** Levels with a shorter side than this have too few pixels for more than a similarity. */
const LEAST_FOR_HOMOGRAPHY = 100;
/** After this many levels the best hypothesis goes on alone. */
const LEVELS_OF_ALL = 2;

const at = <T>(list: readonly T[], i: number): T => list[Math.min(i, list.length - 1)];

/** An estimation's updates at its levels, the coarsest first. */
export function roundsOf(levels: readonly Level[]): { level: Level; hypotheses: number; updates: number }[] {
  return [...levels]
    .reverse()
    .map((level, k) => ({ level, hypotheses: k < LEVELS_OF_ALL ? HYPOTHESES : 1, updates: at(UPDATES, k) }));
}

/** What an estimation found. */
export interface Found {
  /** From the reference's pixels to the frame's, at full size. */
  matrix: number[];
  /** Share of the overlap's weight that fits. */
  inliers: number;
  /** Mean weight of pixels that both frames cover. */
  overlap: number;
  /** Correlation of features over the overlap. */
  correlation: number;
  /** Updates at the finest level. */
  updates: number;
}

/** Estimates homographies between pyramids of one size. It owns the buffers that it needs for that. */
export class Search {
  readonly #gpu: Gpu;
  readonly #commands: Commands;
  readonly #levels: readonly Level[];
  readonly #buffers: { scores: GPUBuffer; state: GPUBuffer; sums: GPUBuffer; readback: GPUBuffer };

  private constructor(gpu: Gpu, commands: Commands, levels: readonly Level[], buffers: GPUBuffer[]) {
    this.#gpu = gpu;
    this.#commands = commands;
    this.#levels = levels;
    const [scores, state, sums, readback] = buffers;
    this.#buffers = { scores, state, sums, readback };
  }

  static #sizes(levels: readonly Level[]): number[] {
    const { width, height } = levels.at(-1)!;
    const most = roundsOf(levels).map(
      ({ level, hypotheses }) => groupsOf(level.width, level.height).groups * hypotheses,
    );
    return [searchSize(width, height).count * 4, HYPOTHESES * STATE_FLOATS * 4, Math.max(...most) * SUMS * 4];
  }

  /** Bytes of the buffers. */
  static bytes(levels: readonly Level[]): number {
    return Search.#sizes(levels).reduce((a, b) => a + b, STATE_FLOATS * 4);
  }

  /** @throws GpuError; DeviceLostError. */
  static async create(gpu: Gpu, commands: Commands, levels: readonly Level[]): Promise<Search> {
    const buffers = await gpu.guard('allocating an alignment', (own) => [
      ...Search.#sizes(levels).map((size) =>
        own(
          gpu.device.createBuffer({
            label: 'alignment',
            size,
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
          }),
        ),
      ),
      own(
        gpu.device.createBuffer({
          label: 'alignment readback',
          size: STATE_FLOATS * 4,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        }),
      ),
    ]);
    return new Search(gpu, commands, levels, buffers);
  }

  /**
   * Aligns a frame to a reference.
   * @param model the most that may change.
   * @param finest the level to end at, 0 for the finest.
   * @throws CancelledError; GpuError; DeviceLostError.
   */
  async run(
    reference: GPUBuffer,
    frame: GPUBuffer,
    { model, finest: end, signal }: { model: Model; finest: number; signal?: AbortSignal },
  ): Promise<Found> {
    const { scores, state, sums, readback } = this.#buffers;
    const rounds = roundsOf(this.#levels.slice(end));
    const [{ level: top }] = rounds;
    const { count, reach, side } = searchSize(top.width, top.height);
    const size = { width: top.width, height: top.height, first: top.first, reach, side, count };
    this.#commands.add(CORRELATE, size, [reference, frame, scores], [...rowsOf(count), 1]);
    this.#commands.add(PICK, { ...size, unit: normalization(top).unit }, [scores, state], [1, 1, 1]);
    for (const [k, { level, hypotheses, updates }] of rounds.entries()) {
      throwIfCancelled(signal);
      const { width, height, first } = level;
      const { unit } = normalization(level);
      const { tilesX, tiles, each, groups } = groupsOf(width, height);
      const limited = model === 'homography' && Math.min(width, height) < LEAST_FOR_HOMOGRAPHY ? 'similarity' : model;
      const common = { width, height, groups, unit };
      for (let i = 0; i < updates; i++) {
        this.#commands.add(
          ACCUMULATE,
          { ...common, first, tiles_x: tilesX, tiles, each, robust: at(ROBUST, k) ** -2 },
          [reference, frame, state, sums],
          [groups, 1, hypotheses],
        );
        this.#commands.add(SOLVE, { ...common, ...modelParams(limited) }, [sums, state], [hypotheses, 1, 1]);
      }
      const next = rounds[k + 1]?.level;
      const isChosen = k === LEVELS_OF_ALL - 1 || (k < LEVELS_OF_ALL && next === undefined);
      if (next || isChosen) {
        const [from, to] = [normalization(level), normalization(next ?? level)];
        const factor = next ? 2 : 1;
        this.#commands.add(
          ADVANCE,
          {
            count: k + 1 < LEVELS_OF_ALL && !isChosen ? HYPOTHESES : 1,
            keep_best: isChosen ? 1 : 0,
            scale: (factor * from.unit) / to.unit,
            shift_x: (factor * from.cx - to.cx) / to.unit,
            shift_y: (factor * from.cy - to.cy) / to.unit,
          },
          [state],
          [1, 1, 1],
        );
      }
      if (next) await this.#commands.submit(`aligning at ${width}x${height}`);
    }
    await this.#commands.submit('aligning at the finest level', (encoder) =>
      encoder.copyBufferToBuffer(state, 0, readback, 0, STATE_FLOATS * 4),
    );
    const values = await this.#gpu.read(readback, (range) => [...new Float32Array(range)]);
    const finest = rounds.at(-1)!.level;
    return {
      matrix: scaled(toPixels(values.slice(0, 9), finest), 2 ** finest.halvings),
      inliers: values[AT.inliers],
      overlap: values[AT.overlap],
      correlation: values[AT.correlation],
      updates: values[AT.updates],
    };
  }

  dispose(): void {
    for (const buffer of Object.values(this.#buffers)) buffer.destroy();
  }
}
