/** Plain merges of 8-bit frames at once, without a stack between. Loaded with the first. */
import { mergeSamples, mostSampleFrames, sampleTable } from './kernels/mergeSamples.ts';
import type { Core } from './kernels/mergeSamples.ts';
import type { PictureAttrs } from './kernels/picture.ts';
import type { Program } from './kernels/program.ts';
import type { FrameStore } from './graph/frameStore.ts';
import type { Take } from './graph/results.ts';
import type { CameraResponse } from './image/response.ts';
import type { Session } from './session.ts';

const programs = new Map<number, Program>();

/** The program for some number of frames; undefined where the device cannot bind so many. */
export function samplesProgram(core: Core, { gpu }: Session, frames: number): Program | undefined {
  if (frames > mostSampleFrames(gpu.device.limits)) return undefined;
  const program = programs.get(frames) ?? mergeSamples(core, frames);
  programs.set(frames, program);
  return program;
}

/** What makes parts of the picture as they are taken. */
export interface SamplesMerge {
  take: Take;
  dispose(): void;
}

/**
 * @param store holds the samples of every frame, where a part is taken.
 * @throws GpuError; DeviceLostError.
 */
export async function samplesMerge(
  { rowGrid }: Core,
  program: Program,
  { executor: { memory } }: Session,
  store: FrameStore,
  attrs: PictureAttrs,
  { r, g, b }: CameraResponse,
): Promise<SamplesMerge> {
  const table = new Uint8Array(sampleTable(attrs, [r, g, b]).buffer);
  const curves = await memory.attempt('allocating curves', () =>
    memory.create('curves', table.length, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST, table),
  );
  return {
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
        rowGrid(part.width, part.height),
      );
    },
    dispose: () => memory.destroy(curves),
  };
}
