/**
 * Waiting for a software adapter without taking its processor.
 *
 * While anything of WebGPU is awaited in Node, Dawn's binding asks for it in every round of the event loop, and the thread never rests. Beside a GPU that does no harm. A software adapter
 * computes on all processors, and loses one of them: on two processors merges take nearly twice the time. So for as long as something is awaited of one, every round of the event loop
 * also naps for a millisecond. The loop still turns: timers, files and other work of the thread come at most a nap later.
 */

const NAP_MS = 1;

type Immediate = (callback: () => void) => unknown;

/** Node's and Bun's loop. Browsers have none, even where a page is given a `setImmediate`, and may not nap; Deno names itself Node too, and its waits are its own. */
const { process, Deno: deno, document: page, setImmediate: onNextRound } = globalThis as { process?: { versions?: { node?: string } }; Deno?: unknown; document?: unknown; setImmediate?: Immediate };

let waits = 0;
let napping = false;
let bed: Int32Array | undefined;

function nap(): void {
  if (waits === 0) {
    napping = false;
    return;
  }
  Atomics.wait((bed ??= new Int32Array(new SharedArrayBuffer(4))), 0, 0, NAP_MS);
  onNextRound!(nap);
}

/** Waits for what a software adapter does. */
export async function napUntil<T>(work: Promise<T>): Promise<T> {
  if (!onNextRound || !process?.versions?.node || deno || page) return work;
  waits++;
  if (!napping) {
    napping = true;
    onNextRound(nap);
  }
  try {
    return await work;
  } finally {
    waits--;
  }
}
