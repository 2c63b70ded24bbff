/**
 * The methods that layers choose from. `subgroup` and `direct` are always there, and a layer runs with the first method
 * that offers an implementation. The others are added only where they are used, so that other programs do not load
 * them: `deghost/tune` adds those that only a tuner chooses (tune/methods.ts), Node adds the matrix units
 * (node/matrices.ts).
 */
import type { Implementation } from '../../kernel.ts';
import type { Layer, Method } from '../method.ts';
import { direct } from './direct.ts';
import { general } from './general.ts';
import { halves } from './halves.ts';
import { subgroup } from './subgroup.ts';

const METHODS: Method[] = [subgroup, halves, direct];

/** Adds a method. Its implementations come after those of earlier methods, except where it is the best. */
export function addMethod(method: Method): void {
  if (!METHODS.includes(method)) METHODS.push(method);
}

/** All implementations for a layer: at least one, because `general` takes the layers that no other method does. */
export function implementations(layer: Layer): Implementation[] {
  const all = METHODS.map((method) => ({ method, found: method.implementations(layer) }));
  const best = all.find(({ method, found }) => found.length > 0 && method.isBest?.(layer.target));
  const offered = all.flatMap(({ found }) => found);
  // The others are not worth a tuner's time; one stays for drivers with which the best gives wrong results.
  if (best) return [...best.found, offered.find((implementation) => !best.found.includes(implementation))!];
  return offered.length > 0 ? offered : general.implementations(layer);
}
