/**
 * The methods that layers choose from. `subgroup` and `direct` are always there, and a layer runs with the first that
 * offers something. The others are added by who needs them, so that nobody else loads them: those that only a tuner
 * takes by `deghost/tune` (tune/methods.ts), matrix units by Node (node/matrices.ts).
 */
import type { Implementation } from '../../kernel.ts';
import type { Layer, Method } from '../method.ts';
import { direct } from './direct.ts';
import { general } from './general.ts';
import { subgroup } from './subgroup.ts';

const METHODS: Method[] = [subgroup, direct];

/** Adds a method. What it offers comes after what is there. */
export function addMethod(method: Method): void {
  if (!METHODS.includes(method)) METHODS.push(method);
}

/** What the methods offer for a layer: at least one, for `general` takes what no other does. */
export function implementations(layer: Layer): Implementation[] {
  const offered = METHODS.flatMap((method) => method.implementations(layer));
  return offered.length > 0 ? offered : general.implementations(layer);
}
