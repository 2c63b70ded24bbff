/** The classical methods that `deghost evaluate --method` compares with; one a file. */
import { khan } from './khan.ts';
import { mertens } from './mertens.ts';
import type { Method } from './method.ts';
import { pece } from './pece.ts';

export const METHODS: readonly Method[] = [khan, pece, mertens];
