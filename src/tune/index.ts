/**
 * `deghost/tune`: finds the fastest implementations for a device, and keeps them. A separate entry, so that a page that
 * does not tune loads none of this code.
 * @module deghost/tune
 */
export { readTuning, writeTuning } from './cache.ts';
export type { TuneCache } from './cache.ts';
export type { TuneControl, TuneProgress } from './control.ts';
export { indexedDbCache } from './indexedDb.ts';
export { deviceTuneKey } from './key.ts';
export { choicesOf, isTuneResult } from './result.ts';
export type { Candidate, TuneResult, TunedClass } from './result.ts';
export { tune } from './tune.ts';
export type { TuneOptions } from './tune.ts';
