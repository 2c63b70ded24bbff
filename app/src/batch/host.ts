/** What the page does for the plan of many brackets. */
import type { BracketSettings, NamedFile, ToWorker } from '../messages.ts';
import type { GpuState } from '../obstacle.ts';

export interface BatchHost {
  send(message: ToWorker): void;
  /** Adds files to the stack that is open. */
  add(files: readonly NamedFile[]): void;
  /** Closes the stack that is open, and frees its memory. */
  close(): void;
  /** Whether the open stack has a result that nobody has saved. */
  hasUnsaved(): boolean;
  /** What became of the stack that is open. */
  stackState(): 'open' | 'merging' | 'merged' | 'saved';
  settings(): Omit<BracketSettings, 'format'>;
  gpu(): GpuState;
  /** Brings the page up to date, and the plan with it. */
  update(): void;
}
