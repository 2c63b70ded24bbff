/** Which of the shipped networks a merge takes. */
import { expect, it } from 'vitest';
import { shippedWeightsPath } from '../../src/node/index.ts';
import { shippedVariant } from '../../src/weights/shipped.ts';

it(
  'is fixed for three frames with the middle one as the reference, which it was trained with, and any for the ' +
    'rest',
  () => {
    expect([shippedVariant(3), shippedVariant(3, 1)]).toEqual(['fixed', 'fixed']);
    expect([shippedVariant(3, 0), shippedVariant(3, 2)]).toEqual(['any', 'any']);
    expect([shippedVariant(2), shippedVariant(5, 2), shippedVariant(4, 1)]).toEqual(['any', 'any', 'any']);
    expect(shippedWeightsPath(3)).toMatch(/fixed\.safetensors$/);
    expect(shippedWeightsPath(3, 0)).toMatch(/any\.safetensors$/);
  },
);
