/**
 * Inflates what somebody else deflated, and no more of it than is expected: a megabyte of deflated zeros becomes a
 * gigabyte. On every platform, by its own decompressor.
 */
import { InputError } from '../errors.ts';

/** Thrown instead of inflating more than is expected. */
export class TooMuchError extends InputError {
  constructor(name: string, what: string, most: number) {
    super(`${name}: ${what} unpacks to more than ${most} bytes, which is what is expected: save it again`);
  }
}

/**
 * Inflates (zlib, RFC 1950) in pieces, each of which `take` gets.
 * @param most the most bytes that may come out.
 * @param what it is, for the message.
 * @throws InputError naming the file where more comes out; whatever the decompressor throws for damaged data.
 */
async function inflatePieces(
  bytes: Uint8Array,
  most: number,
  name: string,
  what: string,
  take: (piece: Uint8Array, at: number) => void,
): Promise<number> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  let end = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return end;
      if (end + value.length > most) throw new TooMuchError(name, what, most);
      take(value, end);
      end += value.length;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** Inflates at most `most` bytes. @returns what came out. @throws as `inflatePieces`. */
export async function inflate(bytes: Uint8Array, most: number, name: string, what: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const size = await inflatePieces(bytes, most, name, what, (piece) => pieces.push(piece));
  const out = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** Inflates into an array of the size that is expected. @returns the part that was filled. @throws as `inflate`. */
export async function inflateInto(out: Uint8Array, bytes: Uint8Array, name: string, what: string): Promise<Uint8Array> {
  return out.subarray(0, await inflatePieces(bytes, out.length, name, what, (piece, at) => out.set(piece, at)));
}

/** Checks that no more than `most` bytes come out, and keeps none of them. @throws as `inflatePieces`. */
export async function checkInflated(bytes: Uint8Array, most: number, name: string, what: string): Promise<void> {
  await inflatePieces(bytes, most, name, what, () => undefined);
}
