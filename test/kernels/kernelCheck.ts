/** What a check of a kernel is. */
import type { KernelHarness } from './harness.ts';

/** Most a value may differ, as a share of the case's scale. */
export const KERNEL_TOLERANCE = 1e-5;

/** One case of one kernel. */
export interface KernelCheck {
  /** The kernel or kernels it checks. */
  kernel: string;
  name: string;
  /** What the device must have. */
  needs?: 'f16';
  /** Most that a value may differ, where it is not `KERNEL_TOLERANCE`. */
  tolerance?: number;
  /**
   * Runs it. @returns the worst difference as a share of the scale. @throws TooFarError with the case, the index and
   * both values.
   */
  run(kernels: KernelHarness): Promise<number>;
}
