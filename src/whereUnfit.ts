/**
 * Where values that are NaN or infinite began, once a merge has found some in its result: runs a tile again, step by
 * step, and looks at what each makes. Loaded only then.
 */
import type { Executor, Prepared } from './graph/executor.ts';
import { InputError } from './errors.ts';
import { halfToFloat } from './float16.ts';
import { readBytes } from './graph/readBytes.ts';
import type { Tile } from './image/tile.ts';
import { start, tensorBytes, texelBytes } from './kernels/tensor.ts';
import type { View } from './kernels/tensor.ts';
import type { Stage } from './model/schedule.ts';

/** What a stage makes, in words. */
const MADE: Record<Stage['name'], string> = {
  segmentation: 'motion maps',
  fusion: 'the picture',
  merge: 'the picture',
};

function isFit(bytes: ArrayBuffer, { dtype }: View): boolean {
  return dtype === 'f16'
    ? new Uint16Array(bytes).every((half) => Number.isFinite(halfToFloat(half)))
    : new Float32Array(bytes).every(Number.isFinite);
}

/** The weights that a step reads, as the file names them. */
function weightsText(attrs: { weights?: string | readonly string[] }): string {
  const names = [attrs.weights ?? []].flat();
  return names.length === 0 ? '' : ` with the weights ${names.join(' and ')}`;
}

/** The first step of a tile that makes values that are not finite. */
async function unfitStep(executor: Executor, prepared: Prepared): Promise<string | undefined> {
  const { steps, graph } = prepared.plan;
  for (const [i, { node, name, output }] of steps.entries()) {
    await executor.submit(prepared, { from: i, to: i + 1 });
    await executor.submissions.idle();
    const at = start(output) * texelBytes(output.dtype);
    const bytes = tensorBytes(output.shape, output.dtype);
    if (!isFit(await readBytes(executor.gpu, prepared.buffers[output.buffer], at, bytes), output))
      return `"${name}"${weightsText(graph.nodes[node].attrs)}`;
  }
  return undefined;
}

/**
 * The error for a result that is not finite.
 * @param tiles those that may be to blame.
 * @param load sends a tile's inputs.
 * @throws GpuError; DeviceLostError.
 */
export async function unfitError(
  executor: Executor,
  { name, plan }: Stage,
  tiles: readonly Tile[],
  load: (prepared: Prepared, tile: Tile) => Promise<void>,
): Promise<InputError> {
  const prepared = await executor.prepare(plan);
  let step: string | undefined;
  try {
    for (const tile of tiles) {
      await load(prepared, tile);
      if ((step = await unfitStep(executor, prepared)) !== undefined) break;
    }
  } finally {
    executor.release(prepared);
  }
  const where = step === undefined ? '' : `, first after ${step}`;
  const isHalf = plan.graph.nodes.some(({ dtype }) => dtype === 'f16');
  return new InputError(`the merge made ${MADE[name]} of values that are NaN or infinite (${name}${where})`, {
    remedy: isHalf
      ? 'halves end at 65504, use the precision "f32"'
      : 'the weights are too large for 32-bit floats, use others or train them again',
  });
}
