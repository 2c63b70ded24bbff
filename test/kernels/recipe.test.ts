/**
 * Programs of convolutions are identified by their recipes: a change of any field changes the key, and where it changes
 * the code, the program.
 */
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../src/kernels/conv2d/methods/registerTile.ts';
import type { Recipe } from '../../src/kernels/conv2d/methods/registerTile.ts';

const RECIPE: Recipe = {
  method: 'direct',
  tile: { columns: 2, rows: 2, out: 4, workgroup: 64 },
  kernel: 3,
  dilations: 1,
  split: false,
  activation: 'slope',
  weights: 'f32',
  sources: [{ kind: 'tensor', dtype: 'f32', half: false }],
  store: { kind: 'pool', dtype: 'f32', pooled: 'f32' },
};

/** Every value within a recipe, by its path. */
function paths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, part]) => paths(part, [...path, key]));
}

function changed(recipe: Recipe, path: (string | number)[]): Recipe {
  const copy = structuredClone(recipe);
  const owner = path
    .slice(0, -1)
    .reduce(
      (at: Record<string | number, unknown>, key) => at[key] as Record<string | number, unknown>,
      copy as unknown as Record<string, unknown>,
    );
  const key = path.at(-1)!;
  const value = owner[key];
  owner[key] = typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${value as string}!`;
  return copy;
}

describe('the key of a recipe', () => {
  it.each(paths(RECIPE).map((path) => [path.join('.'), path] as const))('changes with %s', (_, path) => {
    expect(keyOf(changed(RECIPE, path))).not.toBe(keyOf(RECIPE));
  });

  it('is of plain data: nothing is lost in its text', () => {
    expect(JSON.parse(keyOf(RECIPE))).toEqual(RECIPE);
  });
});
