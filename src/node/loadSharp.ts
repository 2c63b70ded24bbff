/**
 * Loads sharp when a picture is read or written.
 *
 * The function has its own file because its type is sharp's: in a module that `deghost/node` exports from, the
 * declarations would need sharp to be installed.
 */
import { createRequire } from 'node:module';
import { optional } from './problems.ts';

const require = createRequire(import.meta.url);

/** Loads sharp. @throws MissingPackageError naming the purpose, if sharp is not installed. */
export async function loadSharp(purpose: string) {
  // Half as much work as `import`, which looks through the packages below for what they export.
  return optional(async () => require('sharp') as typeof import('sharp')['default'], 'sharp', purpose);
}
