/** Asks the worker for exposures from the pixels, where neither the files nor the person say anything. */
import { exposureBiases } from '../../src/image/exif.ts';
import type { Exposed } from './exposures.ts';
import type { FromWorker, ToWorker } from './messages.ts';

type Estimate = Extract<FromWorker, { type: 'exposuresEstimated' }>;

/** What is known of the estimate for the frames that are shown. */
export type EstimateState =
  | { state: 'unneeded' | 'waiting' }
  /** Each step may be off by this many stops. */
  | { state: 'used'; uncertainty: number }
  /** The names of two frames with too little in common. */
  | { state: 'impossible'; between: readonly [string, string] };

function hasTime({ exif }: Exposed): boolean {
  return exif.time !== undefined && exif.time > 0;
}

export class ExposureEstimate {
  readonly #send: (request: ToWorker) => void;
  #asked = '';
  #answer: Estimate | undefined;

  constructor(send: (request: ToWorker) => void) {
    this.#send = send;
  }

  receive(message: Estimate): void {
    if (message.key === this.#asked) this.#answer = message;
  }

  /**
   * Fills in the estimate where it is needed and known, and asks for it where it is not known yet.
   * @param frames those that are loaded.
   * @param isSettled whether no file is being read; the next file may say something.
   */
  apply(frames: readonly Exposed[], isSettled: boolean, linear: boolean): EstimateState {
    if (frames.some(hasTime) || exposureBiases(frames)) {
      for (const frame of frames) if (frame.estimated) Object.assign(frame, { ev: undefined, estimated: false });
      return { state: 'unneeded' };
    }
    if (!isSettled || frames.length < 2) return { state: 'unneeded' };
    const ids = frames.map(({ id }) => id);
    const key = JSON.stringify([ids, linear]);
    // Estimates stay beside what the person typed.
    const isKept = frames.some(({ typed }) => typed);
    if (!isKept && key !== this.#asked) {
      this.#asked = key;
      this.#answer = undefined;
      this.#send({ type: 'estimateExposures', key, ids, linear });
    }
    const answer = this.#answer;
    if (!answer) return { state: isKept ? 'unneeded' : 'waiting' };
    if (!isKept && !answer.incomparable)
      for (const frame of frames) {
        const at = answer.ids.indexOf(frame.id);
        if (at >= 0) Object.assign(frame, { ev: Math.log2(answer.exposures[at]), estimated: true });
      }
    if (frames.some(({ estimated }) => estimated)) return { state: 'used', uncertainty: answer.uncertainty };
    if (isKept || !answer.incomparable) return { state: 'unneeded' };
    const nameOf = (id: number): string => frames.find((frame) => frame.id === id)?.name ?? '';
    return { state: 'impossible', between: [nameOf(answer.incomparable[0]), nameOf(answer.incomparable[1])] };
  }
}
