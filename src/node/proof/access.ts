/** What a proof finds wrong. */
import type { Range } from './terms.ts';

/** An access that may lie outside, or a division that may be by zero. */
export interface Refusal {
  /** As the program writes it. */
  what: string;
  /** Of the index, or the divisor. */
  range: Range;
  /** How many elements there are; undefined for a division. */
  length?: number;
}

/** Ends a proof. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusalText(refusal));
    this.refusal = refusal;
  }
}

/** A refusal in words. */
export function refusalText({ what, range: [low, high], length }: Refusal): string {
  const values = low === high ? `${low}` : `${low} to ${high}`;
  return length === undefined
    ? `the divisor of ${what} may be ${values}`
    : `the index of ${what} may be ${values}, of ${length} elements`;
}
