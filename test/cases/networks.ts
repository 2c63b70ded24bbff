/** Networks of the shapes that ship, without weights, for tests of graphs and plans. */
import type { NetworkConfig } from '../../src/weights/config.ts';

/** For three frames. */
export const FIXED: NetworkConfig = {
  variant: 'fixed',
  width: 32,
  segWidths: [16, 32, 64, 128],
  slope: 0.2,
  gamma: 2.2,
  maskMode: 'soft',
  base: 'merge',
  hat: 'channel',
  extra: {},
};

/** For any number of frames, with the paper's head. */
export const ANY: NetworkConfig = { ...FIXED, variant: 'any', base: 'none' };
