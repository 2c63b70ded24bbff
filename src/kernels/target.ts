/** What a plan is made for. All of this is plain data: it can be compared, printed and sent to a worker. */
import type { DType } from './tensor.ts';

/**
 * Sizes of the matrices that a subgroup multiplies at once, halves with sums in f32: left m x k, right k x n, sums m x
 * n.
 */
export interface MatrixSize {
  m: number;
  n: number;
  k: number;
  /** Invocations that each subgroup must have, on devices whose subgroups vary in size; absent on others. */
  lanes?: number;
}

/** Makers of GPUs whose numbers of registers differ: kernels choose their tiles by them. */
export const VENDORS = ['nvidia', 'amd', 'intel', 'apple', 'qualcomm', 'arm'] as const;
export type Vendor = (typeof VENDORS)[number];

/** What a device offers beyond the features that all have. */
export interface Capabilities {
  /**
   * Whether the CPU does the work: subgroups are then the CPU's vectors, and drivers take seconds to compile a program.
   */
  cpu?: boolean;
  /** The GPU's maker; absent for others, and if a browser does not tell. */
  vendor?: Vendor;
  /** Invocations per subgroup, if the device has subgroups of one fixed size. */
  subgroupSize?: number;
  /** Whether shaders can read and write half floats (`shader-f16`). */
  f16?: boolean;
  /** The matrix size of the device's matrix units, if kernels can use them. */
  matrices?: MatrixSize;
}

/** A tuner's choices: the implementation for each shape class, both by the names that kernels give them. */
export type Choices = ReadonlyMap<string, string>;

export interface Target {
  /** What the device offers; without this a plan runs on every device. */
  capabilities?: Capabilities;
  /** How weights, and tensors between the network's layers, are stored: f32 by default. */
  precision?: DType;
  /** A class without a choice runs with its first implementation. */
  choices?: Choices;
}
