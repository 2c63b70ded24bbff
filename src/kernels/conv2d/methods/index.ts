/** The methods that every device may choose from. The order is the guess without a tuner: a layer runs with the first that offers something. */
import type { Method } from '../method.ts';
import { direct } from './direct.ts';
import { general } from './general.ts';
import { staged } from './staged.ts';
import { subgroup } from './subgroup.ts';
import { winograd } from './winograd.ts';

const METHODS: Method[] = [subgroup, direct, staged, winograd];

/** Adds a method for what not every runtime has, such as matrix units: where it is never added, it need not be loaded. */
export function addMethod(method: Method): void {
  if (!METHODS.includes(method)) METHODS.push(method);
}

/** What the methods offer for a layer: at least one, for `general` takes what no other does. */
export function implementations(layer: Parameters<Method['implementations']>[0]): ReturnType<Method['implementations']> {
  const offered = METHODS.flatMap((method) => method.implementations(layer));
  return offered.length > 0 ? offered : general.implementations(layer);
}
