/**
 * Waits for a software adapter without keeping a processor busy: a workaround for Dawn's Node binding.
 *
 * While a promise of WebGPU is pending, the binding calls `wgpuInstanceProcessEvents` from `setImmediate`, in every
 * round of the event loop, and the thread never rests (https://github.com/dawn-gpu/node-webgpu/issues/17; seen in
 * webgpu 0.6.2). With a GPU that does no harm. But a software adapter computes on all processors and loses one of them
 * to this loop: on two processors merges take nearly twice as long. So while a caller waits for a software adapter,
 * every round of the event loop pauses for a millisecond. Timers, files and other work of the thread come at most that
 * much later.
 *
 * Delete this file when the binding no longer polls. Today `performance.eventLoopUtilization` reports 1.000 during a
 * bare `onSubmittedWorkDone`.
 */

const PAUSE_MS = 1;

type Immediate = (callback: () => void) => unknown;

/**
 * Whether this is Node's or Bun's event loop. Browsers have none, even if a page defines `setImmediate`, and must not
 * block. Deno also claims to be Node, but does not poll.
 */
const {
  process,
  Deno: deno,
  document: page,
  setImmediate: onNextRound,
} = globalThis as {
  process?: { versions?: { node?: string } };
  Deno?: unknown;
  document?: unknown;
  setImmediate?: Immediate;
};

let waits = 0;
let isPausing = false;
/** Memory to wait on, which nothing ever notifies. */
let never: Int32Array | undefined;

function pause(): void {
  if (waits === 0) {
    isPausing = false;
    return;
  }
  Atomics.wait((never ??= new Int32Array(new SharedArrayBuffer(4))), 0, 0, PAUSE_MS);
  onNextRound!(pause);
}

/** Waits for a software adapter's work, with pauses in the event loop. */
export async function waitWithPauses<T>(work: Promise<T>): Promise<T> {
  if (!onNextRound || !process?.versions?.node || deno || page) return work;
  waits++;
  if (!isPausing) {
    isPausing = true;
    onNextRound(pause);
  }
  try {
    return await work;
  } finally {
    waits--;
  }
}
