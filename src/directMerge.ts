/**
 * Plain merges straight from samples: which merges can be done so. What does them, mergeSamples.ts, is loaded with the
 * first.
 */
import type { FrameStore } from './graph/frameStore.ts';
import type { ChosenResponse } from './image/chooseResponse.ts';
import { isEightBit } from './image/frame.ts';
import type { Core } from './kernels/mergeSamples.ts';
import type { PictureAttrs } from './kernels/picture.ts';
import { Program } from './kernels/program.ts';
import { ROW_WORKGROUP, rowGrid } from './kernels/rows.ts';
import type { SamplesMerge } from './mergeSamples.ts';
import type { Stage } from './model/schedule.ts';
import type { Session } from './session.ts';
import type { TileFrames } from './tileFrames.ts';

/** What mergeSamples.ts takes from the core. */
const CORE: Core = { Program, ROW_WORKGROUP, rowGrid };

/** The program for some number of frames; undefined where the device cannot bind so many. */
export async function samplesProgram(session: Session, frames: number): Promise<Program | undefined> {
  return (await import('./mergeSamples.ts')).samplesProgram(CORE, session, frames);
}

/**
 * The program that makes a plain merge's picture from samples at once; undefined where it takes the plan. Only arrays
 * of 8 bits that have all pixels and lie as they are can be merged so.
 */
export async function directProgram(
  session: Session,
  { list, warps }: TileFrames,
  { name, plan }: Stage,
  motion: unknown,
): Promise<Program | undefined> {
  if (name !== 'merge' || motion) return undefined;
  const { nodes, outputs } = plan.graph;
  const areSamples = list.every((frame, k) => 'data' in frame && isEightBit(frame) && !frame.coverage && !warps[k]);
  if (!areSamples || nodes[outputs[0]].op !== 'picture') return undefined;
  return samplesProgram(session, list.length);
}

/** Starts the program. @param store holds the samples of every frame. */
export async function directMerge(
  session: Session,
  program: Program,
  { plan: { graph } }: Stage,
  store: FrameStore,
  { response }: ChosenResponse,
): Promise<SamplesMerge> {
  const { samplesMerge } = await import('./mergeSamples.ts');
  const { attrs } = graph.nodes[graph.outputs[0]];
  return samplesMerge(CORE, program, session, store, attrs as unknown as PictureAttrs, response);
}
