/**
 * All-pairs test design: a small set of rows in which every two values of every two factors meet.
 *
 * A mistake in a kernel nearly always needs one or two particular values (dilation 4 with an edge, a sigmoid with an
 * offset), so pairs find what the full product would, in a hundredth of its pipelines. Greedy and seeded.
 */
import { rng } from '../reference/random.ts';

export type Factors = Record<string, readonly (string | number | boolean)[]>;
export type Row<F extends Factors> = { [K in keyof F]: F[K][number] };

/**
 * Rows covering every pair of values that some valid row can hold.
 * @param valid whether a row is a case at all; pairs found in no valid row of many tried are left out.
 */
export function pairwise<F extends Factors>(
  factors: F,
  { seed, valid = () => true }: { seed: number; valid?: (row: Row<F>) => boolean },
): Row<F>[] {
  const random = rng(seed);
  const names = Object.keys(factors) as (keyof F & string)[];
  const pairKey = (a: string, x: unknown, b: string, y: unknown): string => JSON.stringify([a, x, b, y]);
  const pairsOf = (row: Row<F>): string[] =>
    names.flatMap((a, i) => names.slice(i + 1).map((b) => pairKey(a, row[a], b, row[b])));
  const open = new Map<string, Partial<Row<F>>>();
  names.forEach((a, i) => {
    for (const b of names.slice(i + 1)) {
      for (const x of factors[a])
        for (const y of factors[b]) open.set(pairKey(a, x, b, y), { [a]: x, [b]: y } as Partial<Row<F>>);
    }
  });

  const rows: Row<F>[] = [];
  while (open.size > 0) {
    const [key, pair] = open.entries().next().value!;
    let best: Row<F> | undefined;
    let most = 0;
    for (let attempt = 0; attempt < 200; attempt++) {
      const row = { ...Object.fromEntries(names.map((name) => [name, random.pick(factors[name])])), ...pair } as Row<F>;
      const covered = pairsOf(row).filter((k) => open.has(k)).length;
      if (covered > most && valid(row)) [best, most] = [row, covered];
    }
    open.delete(key); // covered, or impossible
    if (!best) continue;
    for (const k of pairsOf(best)) open.delete(k);
    rows.push(best);
  }
  return rows;
}
