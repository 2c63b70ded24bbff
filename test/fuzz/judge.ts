/** Lets a reader read one file, and says what it did that no reader may do. */
import { DeghostError } from '../../src/errors.ts';
import type { Reader } from './readers.ts';

/** A reader takes at most so much more memory than before, and so long. */
const MOST_BYTES = 200 * 2 ** 20;
const MOST_MS = 2000;
/** So many times longer it may take where the machine has much else to do: what counts then is the processors' time. */
const BUSY = 5;
/** Arrays up to this are no matter: tables, buffers of inflate, WebAssembly's pages. */
const SMALL_BYTES = 2 ** 20;
/** What deflate makes of a byte at most. */
const DEFLATE = 1032;
/** What a picture may take of its own size in one array. */
const COPIES = 4;

export interface Fault {
  what: 'untyped' | 'slow' | 'memory' | 'message';
  text: string;
}

/** Control characters but none of a line's own, and those that turn text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

let largest = 0;
const note = (bytes: number): void => void (bytes > largest && (largest = bytes));

/**
 * Notes the bytes of every array that is made from now on by name. Those of native code are not seen: RSS tells.
 * @returns what ends that.
 */
export function watchArrays(): () => void {
  const restore: (() => void)[] = [];
  const all = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(globalThis)).filter((key) =>
    /Array(Buffer)?$/.test(key),
  )) {
    const own = all[name] as (new (...args: unknown[]) => object) & { BYTES_PER_ELEMENT?: number; prototype: object };
    const width = name === 'ArrayBuffer' || name === 'SharedArrayBuffer' ? 1 : own.BYTES_PER_ELEMENT;
    if (!width) continue;
    const watched: typeof own = new Proxy(own, {
      construct(target, args, newTarget): object {
        // Before it is made: what is too large is refused.
        if (typeof args[0] === 'number') note(args[0] * width);
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget);
      },
    });
    // Packages tell arrays by their constructor.
    const { prototype } = own;
    const set = (one: typeof own): void => {
      all[name] = one;
      Object.defineProperty(prototype, 'constructor', { value: one, writable: true, configurable: true });
    };
    set(watched);
    restore.push(() => set(own));
  }
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const own = Buffer[name];
    const make = own.bind(Buffer) as (size: number, ...rest: unknown[]) => Buffer;
    restore.push(() => Object.assign(Buffer, { [name]: own }));
    (Buffer as unknown as Record<string, unknown>)[name] = (size: number, ...rest: unknown[]) => {
      note(size);
      return make(size, ...rest);
    };
  }
  return () => restore.forEach((undo) => undo());
}

/** The largest array that a file allows: of a picture by its size, of anything else by the file's. */
function mostBytes(file: number, picture: unknown): number {
  const { data, width, height } = Object(picture) as { data?: ArrayBufferView; width?: number; height?: number };
  const isPicture = ArrayBuffer.isView(data) && width !== undefined && height !== undefined;
  return Math.max(SMALL_BYTES, isPicture ? Math.max(2 * file, COPIES * data.byteLength) : DEFLATE * file);
}

/** Reads a file. */
export async function judge(
  reader: Reader,
  bytes: Buffer,
  seed: number,
  mostMs = MOST_MS,
): Promise<{ isRead: boolean; faults: Fault[] }> {
  const faults: Fault[] = [];
  const before = process.resourceUsage().maxRSS;
  let isRead = true;
  let picture: unknown;
  const size = bytes.length;
  largest = 0;
  const begun = performance.now();
  const usedBefore = process.cpuUsage();
  try {
    picture = await reader.read(bytes, seed);
  } catch (error) {
    isRead = false;
    const text = String((error as Error)?.message ?? error);
    if (!(error instanceof DeghostError))
      faults.push({ what: 'untyped', text: String((error as Error)?.stack ?? error).slice(0, 600) });
    else if (CONTROL.test(text) || text.length > 2000)
      faults.push({ what: 'message', text: JSON.stringify(text).slice(0, 300) });
  }
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(usedBefore);
  if (ms > BUSY * mostMs || Math.min(ms, (user + system) / 1000) > mostMs)
    faults.push({ what: 'slow', text: `${Math.round(ms)} ms` });
  const most = mostBytes(size, picture);
  if (largest > most)
    faults.push({ what: 'memory', text: `an array of ${largest} bytes for ${size} bytes, at most ${most}` });
  const grown = 1024 * (process.resourceUsage().maxRSS - before);
  if (grown > MOST_BYTES)
    faults.push({ what: 'memory', text: `${Math.round(grown / 2 ** 20)} MiB more for ${size} bytes` });
  return { isRead, faults };
}
