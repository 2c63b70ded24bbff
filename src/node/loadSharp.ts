/**
 * Loads sharp when a picture is read or written.
 *
 * The function has its own file because its type is sharp's: in a module that `deghost/node` exports from, the
 * declarations would need sharp to be installed.
 */
import { optional } from './problems.ts';

/** Loads sharp. @throws MissingPackageError naming the purpose, if sharp is not installed. */
export async function loadSharp(purpose: string) {
  return (await optional(() => import('sharp'), 'sharp', purpose)).default;
}
