/** Ranks of typed lists, without sorting them. */
import type { Frame } from './frame.ts';

type List = Frame['data'] | Uint32Array;

/** The median of values, which it puts in another order; of an even number, the mean of the middle two. */
export function median(list: List): number {
  const half = list.length >> 1;
  const upper = select(list, half);
  if (list.length % 2 === 1) return upper;
  let lower = -Infinity;
  for (let i = 0; i < half; i++) if (list[i] > lower) lower = list[i];
  return (lower + upper) / 2;
}

/** Hoare's selection: puts the value of a rank in its place, no larger ones before it, and returns it. */
export function select(list: List, rank: number): number {
  let left = 0;
  let right = list.length - 1;
  while (left < right) {
    const pivot = list[(left + right) >> 1];
    let i = left;
    let j = right;
    while (i <= j) {
      while (list[i] < pivot) i++;
      while (list[j] > pivot) j--;
      if (i > j) break;
      const swapped = list[i];
      list[i++] = list[j];
      list[j--] = swapped;
    }
    if (rank <= j) right = j;
    else if (rank >= i) left = i;
    else break;
  }
  return list[rank];
}
