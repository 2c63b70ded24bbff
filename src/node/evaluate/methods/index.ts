/** The classical methods that `deghost evaluate --method` compares with; one a file. */
import { khan } from './khan.ts';
import type { Method } from './method.ts';

export const METHODS: readonly Method[] = [khan];
