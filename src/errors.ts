/**
 * Every error that deghost throws on purpose.
 *
 * A message is one line: it names the thing, both values, and the remedy. `code` is for programs: a command line maps
 * it to an exit status. A program may know a better remedy than the library (an option to add, a field to fill in). So
 * the error names its `problem` and keeps the finding apart from the remedy; `messageWith` joins a finding and a
 * remedy.
 */

import { shown } from './shown.ts';

/** What went wrong, for programs. */
export type DeghostErrorCode =
  | 'input' // a picture, weights file, response or map that cannot be used
  | 'usage' // a call or command line that makes no sense
  | 'no-adapter' // WebGPU is absent or offers no adapter
  | 'device-lost' // the GPU went away
  | 'gpu' // a validation, internal or out-of-memory error from WebGPU
  | 'missing-package' // an optional npm package that this operation needs
  | 'cancelled'; // the caller's AbortSignal fired

/**
 * Each error's `name`. Written out, because a minifier renames the classes themselves. A cancelled call has the web
 * platform's own name.
 */
const NAMES: Record<DeghostErrorCode, string> = {
  input: 'InputError',
  usage: 'UsageError',
  'no-adapter': 'NoAdapterError',
  'device-lost': 'DeviceLostError',
  gpu: 'GpuError',
  'missing-package': 'MissingPackageError',
  cancelled: 'AbortError',
};

/** Text as it is; of anything else, which callers without types may give, its kind. */
export const plainText = (value: unknown): string =>
  typeof value === 'string' ? value : Object.prototype.toString.call(value).slice(1, -1);

/** Base of all errors thrown on purpose. Names and headers in its message are escaped (shown.ts). */
export class DeghostError extends Error {
  readonly code: DeghostErrorCode;
  constructor(code: DeghostErrorCode, message: string, options?: ErrorOptions) {
    super(shown(plainText(message)), options);
    this.code = code;
    this.name = NAMES[plainText(code) as DeghostErrorCode] ?? 'DeghostError';
  }
}

/** Problems with the input for which programs have their own remedies. */
export type InputProblem =
  | 'exposure' // a frame's exposure is unknown, or cannot be right
  | 'equal-exposures' // all frames have the same exposure
  | 'response-file' // a file holds no response
  | 'frame-count' // the weights are for another number of frames
  | 'memory-budget' // not even the smallest tile fits into it
  | 'unknown-network' // the tensors of a checkpoint fit no network
  | 'misfits'; // without the frames that do not belong together, too few are left

/** What an `InputError` says besides its message. */
export interface InputErrorOptions extends ErrorOptions {
  problem?: InputProblem;
  /** What to do about the problem: the end of the message. */
  remedy?: string;
}

/** A picture, weights file, response or motion map that cannot be used. */
export class InputError extends DeghostError {
  /** Which problem this is, if programs may have their own remedy for it. */
  readonly problem?: InputProblem;
  /** The message without the remedy. */
  readonly finding: string;

  constructor(finding: string, options: InputErrorOptions = {}) {
    const { problem, remedy }: InputErrorOptions = Object(options);
    super('input', remedy ? `${plainText(finding)}: ${plainText(remedy)}` : finding, options);
    this.problem = problem;
    this.finding = shown(plainText(finding));
  }
}

/** The message of an error, with the program's own remedy for its problem if there is one. */
export function messageWith(remedies: Partial<Record<InputProblem, string>>, error: unknown): string {
  const remedy = error instanceof InputError && error.problem && remedies[error.problem];
  if (remedy) return `${error.finding}: ${remedy}`;
  return shown(error instanceof Error ? error.message : String(error));
}

/** A call or command line that makes no sense. */
export class UsageError extends DeghostError {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
  }
}

/** WebGPU is absent, or offers no adapter that can run deghost. */
export class NoAdapterError extends DeghostError {
  constructor(message: string, options?: ErrorOptions) {
    super('no-adapter', message, options);
  }
}

/** The GPU went away (driver reset, unplugged, destroyed) while it was needed. */
export class DeviceLostError extends DeghostError {
  constructor(message: string, options?: ErrorOptions) {
    super('device-lost', message, options);
  }
}

/** WebGPU reported a validation, internal or out-of-memory error. */
export class GpuError extends DeghostError {
  /** Whether the GPU's memory was too small. */
  readonly isOutOfMemory: boolean;

  constructor(message: string, options?: ErrorOptions & { isOutOfMemory?: boolean }) {
    super('gpu', message, options);
    this.isOutOfMemory = Object(options).isOutOfMemory ?? false;
  }
}

/** An optional npm package that this operation needs is not installed. */
export class MissingPackageError extends DeghostError {
  constructor(name: string, purpose: string, options?: ErrorOptions) {
    const [called, needs] = [plainText(name), plainText(purpose)];
    super(
      'missing-package',
      `${needs} needs the npm package "${called}", which is not installed: run \`npm install ${called}\``,
      options,
    );
  }
}

/** The caller's AbortSignal fired. Its name is `AbortError`, as the web platform's is. */
export class CancelledError extends DeghostError {
  constructor(message = 'cancelled') {
    super('cancelled', message);
  }
}

/** The first line of anything thrown, with each run of white space as one space. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (
    text
      .split(/[\r\n]/)
      .find((line) => line.trim() !== '')
      ?.replace(/\s+/g, ' ')
      .trim() ?? 'unknown error'
  );
}

/** @throws CancelledError if the signal has fired. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}
