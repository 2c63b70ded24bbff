/** What a plan is made for. All of it is plain data: it can be compared, printed and sent to a worker. */
import type { DType } from './tensor.ts';

/**
 * Matrices that a subgroup multiplies at once, of halves with sums in f32: left ones of m x k, right ones of k x n,
 * sums of m x n.
 */
export interface MatrixSize {
  m: number;
  n: number;
  k: number;
}

/** What a device offers beyond what all do. */
export interface Capabilities {
  /**
   * Whether the CPU does the work: its subgroups are its vectors, and its drivers take seconds to compile a program.
   */
  cpu?: boolean;
  /** Invocations of every subgroup, where the device has subgroups and they are of one size. */
  subgroupSize?: number;
  /** Whether shaders can read and write half floats (`shader-f16`). */
  f16?: boolean;
  /** The matrices that the device's matrix units multiply, where it has some that kernels can use. */
  matrices?: MatrixSize;
}

/** The implementation that each shape class runs with, by the names that kernels give both: what a tuner found. */
export type Choices = ReadonlyMap<string, string>;

export interface Target {
  /** What the device offers; without them a plan runs on every device. */
  capabilities?: Capabilities;
  /** How weights, and tensors between the network's layers, are stored: f32 by default. */
  precision?: DType;
  /** A class that is not among them runs with its first implementation. */
  choices?: Choices;
}
