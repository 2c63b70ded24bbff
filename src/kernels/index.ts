/** Every kernel, by the op name of its nodes. */
import { conv2d } from './conv2d/index.ts';
import { coveredMasks, coveredStack } from './coverage.ts';
import { copy } from './copy.ts';
import { dilatedMerge } from './dilatedMerge.ts';
import { alignedPair, encoderInput } from './exposure.ts';
import { gateEvidence, gateMasks, gateWindow } from './gate.ts';
import { groupedRead } from './groupedRead.ts';
import { blend, collectMask, maskMultiply, meanMax } from './masks.ts';
import { memoryRead } from './memoryRead.ts';
import { picture } from './picture.ts';
import { maxPool, upsample } from './resample.ts';

import type { differenceMasks } from '../model/ablations/differenceMasks.ts';
import type { residual } from '../model/ablations/residual.ts';

/** Kernels that ablations of the network add when they are loaded. */
interface AddedKernels {
  differenceMasks: typeof differenceMasks;
  residual: typeof residual;
}

const NETWORK_KERNELS = {
  conv2d,
  maxPool,
  upsample,
  encoderInput,
  alignedPair,
  collectMask,
  gateEvidence,
  gateWindow,
  gateMasks,
  coveredMasks,
  coveredStack,
  maskMultiply,
  meanMax,
  blend,
  groupedRead,
  memoryRead,
  dilatedMerge,
  picture,
  copy,
};

export const KERNELS = NETWORK_KERNELS as typeof NETWORK_KERNELS & AddedKernels;

/** Adds kernels that only some networks need. */
export function addKernels(kernels: AddedKernels): void {
  Object.assign(KERNELS, kernels);
}

export type KernelName = keyof typeof KERNELS;

/** Attributes of a kernel's nodes. */
export type AttrsOf<K extends KernelName> = (typeof KERNELS)[K] extends {
  shape(attrs: infer A, inputs: never): unknown;
}
  ? A
  : never;
