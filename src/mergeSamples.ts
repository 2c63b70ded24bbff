/** Plain merges of 8-bit frames at once, without a stack between. Loaded with the first. */
import type { rowGrid } from './kernels/rows.ts';
import type { Program } from './kernels/program.ts';
import { mergeSamples, mostSampleFrames, sampleTable } from './kernels/mergeSamples.ts';
import type { PictureAttrs } from './kernels/picture.ts';
import type { FrameStore } from './graph/frameStore.ts';
import type { Take } from './graph/results.ts';
import type { CameraResponse } from './image/response.ts';
import type { Session } from './session.ts';

/** What makes parts of the picture as they are taken. */
export interface SamplesMerge {
  take: Take;
  /** The program's name. */
  label: string;
  dispose(): void;
}

/** What the core has: a bundler would cut it in two where this imported from its middle. */
interface Means {
  Program: typeof Program;
  rowGrid: typeof rowGrid;
}

/** Programs by their numbers of frames: a device compiles each once. */
const programs = new Map<number, Program>();

/** The program for some number of frames; none where the device cannot bind so many. */
export function samplesPrograms(means: Means, { gpu }: Session, frames: number): Program[] {
  if (frames > mostSampleFrames(gpu.device.limits)) return [];
  const program = programs.get(frames) ?? mergeSamples(means.Program, frames);
  programs.set(frames, program);
  return [program];
}

/**
 * @param store holds the samples of every frame, where a part is taken.
 * @returns undefined for more frames than the device can bind.
 * @throws GpuError; DeviceLostError.
 */
export async function samplesMerge(
  means: Means,
  session: Session,
  store: FrameStore,
  attrs: PictureAttrs,
  { r, g, b }: CameraResponse,
): Promise<SamplesMerge | undefined> {
  const [program] = samplesPrograms(means, session, attrs.taus.length);
  if (!program) return undefined;
  const { memory } = session.executor;
  const table = new Uint8Array(sampleTable(attrs, [r, g, b]).buffer);
  const curves = await memory.attempt('allocating curves', () =>
    memory.create('curves', table.length, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST, table),
  );
  return {
    label: program.label,
    take(commands, part, _, to, unfit, { base, rowStep }) {
      const { buffers, box } = store.samples();
      commands.add(
        program,
        {
          x: part.x - box.x,
          y: part.y - box.y,
          box_width: box.width,
          width: part.width,
          base,
          row_step: rowStep,
        },
        [curves, ...buffers, to, unfit],
        means.rowGrid(part.width, part.height),
      );
    },
    dispose: () => memory.destroy(curves),
  };
}
