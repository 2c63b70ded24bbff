/** Checks a weights file's tensors against those that a network reads. */
import { InputError } from '../errors.ts';
import type { WeightTensor } from './safetensors.ts';

/** Most names shown for each kind of mismatch. */
const SHOWN = 4;

/**
 * Checks all of a file's tensors against a network's before it throws.
 * @param name the file, for messages.
 * @throws InputError listing missing, unexpected and misshapen tensors, the first few of each.
 */
export function checkTensors(
  tensors: ReadonlyMap<string, Pick<WeightTensor, 'shape'>>,
  expected: ReadonlyMap<string, readonly number[]>,
  name = 'weights',
): void {
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const [tensor, shape] of expected) {
    const found = tensors.get(tensor)?.shape;
    if (!found) missing.push(`${JSON.stringify(tensor)} [${shape}]`);
    else if (found.length !== shape.length || found.some((side, i) => side !== shape[i]))
      misshapen.push(`${JSON.stringify(tensor)} [${found}] instead of [${shape}]`);
  }
  const extra = [...tensors]
    .filter(([tensor]) => !expected.has(tensor))
    .map(([tensor, { shape }]) => `${JSON.stringify(tensor)} [${shape}]`);
  const problems = [list('missing', missing), list('unexpected', extra), list('misshapen', misshapen)].filter(
    (text) => text !== '',
  );
  if (problems.length === 0) return;
  throw new InputError(
    `${name}: ${problems.join('; ')}: the file does not hold the network its config describes, export it again`,
  );
}

function list(kind: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const rest = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '';
  return `${items.length} tensor${items.length > 1 ? 's' : ''} ${kind}: ${items.slice(0, SHOWN).join(', ')}${rest}`;
}
