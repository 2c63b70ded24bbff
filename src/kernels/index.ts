/** Every kernel, by the op name of its nodes. */
import { conv2d } from './conv2d/index.ts';
import { coveredMasks, coveredStack } from './coverage.ts';
import { copy } from './copy.ts';
import { alignedPair, encoderInput } from './exposure.ts';
import { gateEvidence, gateMasks, gateWindow } from './gate.ts';
import { groupedRead } from './groupedRead.ts';
import { blend, collectMask, maskMultiply, meanMax } from './masks.ts';
import { picture } from './picture.ts';
import { maxPool, upsample } from './resample.ts';

export const KERNELS = {
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
  picture,
  copy,
};

export type KernelName = keyof typeof KERNELS;

/** Attributes of a kernel's nodes. */
export type AttrsOf<K extends KernelName> = (typeof KERNELS)[K] extends {
  shape(attrs: infer A, inputs: never): unknown;
}
  ? A
  : never;
