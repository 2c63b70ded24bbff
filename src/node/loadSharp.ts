/**
 * sharp, loaded when a picture is read or written.
 *
 * It has a file of its own because its type is sharp's: in a module that `deghost/node` exports from, the declarations
 * would need sharp to be installed.
 */
import { optional } from './problems.ts';

/** Loads sharp. @throws MissingPackageError saying what for, when it is not installed. */
export async function loadSharp(purpose: string) {
  return (await optional(() => import('sharp'), 'sharp', purpose)).default;
}
