/**
 * Waiting for a software adapter without taking its processor: a workaround for Dawn's Node binding.
 *
 * While a promise of WebGPU is pending, the binding calls `wgpuInstanceProcessEvents` from `setImmediate`, in every
 * round of the event loop, and the thread never rests (https://github.com/dawn-gpu/node-webgpu/issues/17; seen in
 * webgpu 0.6.2). Beside a GPU that does no harm. A software adapter computes on all processors and loses one of them:
 * on two processors merges take nearly twice the time. So while something is awaited of one, every round of the event
 * loop pauses for a millisecond. Timers, files and other work of the thread come at most that much later.
 *
 * To be deleted when the binding no longer polls: today `performance.eventLoopUtilization` says 1.000 during a bare
 * `onSubmittedWorkDone`.
 */

const PAUSE_MS = 1;

type Immediate = (callback: () => void) => unknown;

/**
 * Node's and Bun's loop. Browsers have none, even where a page is given a `setImmediate`, and may not block; Deno names
 * itself Node too, and does not poll.
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
/** Something to wait on that nobody wakes. */
let never: Int32Array | undefined;

function pause(): void {
  if (waits === 0) {
    isPausing = false;
    return;
  }
  Atomics.wait((never ??= new Int32Array(new SharedArrayBuffer(4))), 0, 0, PAUSE_MS);
  onNextRound!(pause);
}

/** Waits for what a software adapter does, with pauses in the event loop. */
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
