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
import { subgroup } from './subgroup.ts';

const METHODS: Method[] = [subgroup, direct];

/** Adds a method. Its implementations come after those of earlier methods. */
export function addMethod(method: Method): void {
  if (!METHODS.includes(method)) METHODS.push(method);
}

/** All implementations for a layer: at least one, because `general` takes the layers that no other method does. */
export function implementations(layer: Layer): Implementation[] {
  const offered = METHODS.flatMap((method) => method.implementations(layer));
  return offered.length > 0 ? offered : general.implementations(layer);
}
