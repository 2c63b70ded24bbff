/**
 * Reads pickles (https://docs.python.org/3/library/pickletools.html, protocols 0 to 5) without running anything.
 *
 * A pickle is a program for a stack machine that may call any function of Python. Here it can make plain values:
 * numbers, texts, bytes, lists, tuples, dictionaries. Whatever else it wants by name, `resolve` must know; the
 * machine itself knows no name at all. What is unknown is refused by its name.
 */
import { InputError } from '../../errors.ts';
import { damaged, quoted } from './checkpoint.ts';

/** A tuple: an array that no opcode can change. */
export class Tuple {
  readonly items: readonly PickleValue[];
  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A named thing that the pickle may call or refer to. */
export interface PickleGlobal {
  /** What a call gives; absent where it cannot be called. */
  call?(args: readonly PickleValue[]): PickleValue;
  /** Its value to the caller of the unpickler. */
  readonly value: unknown;
}

/** A value that the caller made: a storage, a tensor. */
export class Opaque<T = unknown> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}

export type PickleKey = string | number | bigint | boolean | null;
export type PickleDict = Map<PickleKey | PickleValue, PickleValue>;
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Tuple
  | PickleDict
  | GlobalReference
  | Opaque;

/** A named thing on the stack. */
export class GlobalReference {
  readonly path: string;
  readonly global: PickleGlobal;
  constructor(path: string, global: PickleGlobal) {
    this.path = path;
    this.global = global;
  }
}

/** What a pickle may use beyond plain values. */
export interface PickleEnvironment {
  /** The named thing, or undefined if it is refused. */
  resolve(path: string): PickleGlobal | undefined;
  /** What a persistent id stands for: PyTorch's storages. */
  persistent?(id: PickleValue): PickleValue;
}

/** Most steps of one pickle. */
const MAX_STEPS = 20_000_000;
/** Longest integer, in bytes. */
const MAX_LONG = 64;

const MARK = Symbol('mark');

/** A value and where the pickle ends. */
export interface Unpickled {
  value: PickleValue;
  end: number;
}

/**
 * Reads the pickle that begins at `start`.
 * @param name the file, for messages.
 * @throws InputError naming the file and what the pickle wanted.
 */
export function unpickle(bytes: Uint8Array, name: string, environment: PickleEnvironment, start = 0): Unpickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: (PickleValue | typeof MARK)[] = [];
  const memo = new Map<number, PickleValue>();
  let at = start;

  function fail(what: string): never {
    damaged(name, `pickle: ${what} at byte ${at}`);
  }
  /** Steps over `count` bytes. @returns where they begin. */
  const skip = (count: number): number => {
    if (!(count <= bytes.length - at)) fail(`${count} bytes are wanted, ${bytes.length - at} are left`);
    at += count;
    return at - count;
  };
  const take = (count: number): Uint8Array => bytes.subarray(skip(count), at);
  const u8 = (): number => bytes[skip(1)];
  const u16 = (): number => view.getUint16(skip(2), true);
  const u32 = (): number => view.getUint32(skip(4), true);
  const u64 = (): number => Number(view.getBigUint64(skip(8), true));
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) fail('a line without an end');
    const text = latin1(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  const utf8 = (count: number): string => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(count));
    } catch (error) {
      if (error instanceof InputError) throw error;
      return fail('a text that is not UTF-8');
    }
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    if (value === undefined || value === MARK) return fail('a value is missing');
    return value;
  };
  const peek = (): PickleValue => {
    const value = stack.at(-1);
    if (value === undefined || value === MARK) return fail('a value is missing');
    return value;
  };
  const popMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(MARK);
    if (from < 0) fail('a mark is missing');
    const items = stack.splice(from) as PickleValue[];
    return items.slice(1);
  };
  const popTuple = (count: number): void => {
    const items = Array.from({ length: count }, pop).reverse();
    stack.push(new Tuple(items));
  };
  const remembered = (key: number): PickleValue => memo.get(key) ?? (memo.has(key) ? null : fail('an unknown memo'));
  const numbered = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : fail('an unknown memo'));
  const long = (count: number): number | bigint => {
    if (count > MAX_LONG) fail(`an integer of ${count} bytes`);
    let value = 0n;
    take(count).forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    value = BigInt.asIntN(8 * count, value);
    return plain(value);
  };
  const decimal = (text: string): number | bigint =>
    /^[-+]?\d{1,150}L?$/.test(text) ? plain(BigInt(text.replace(/^\+|L$/g, ''))) : fail('a number that is none');
  const setItems = (items: readonly PickleValue[]): void => {
    const dict = peek();
    if (!(dict instanceof Map)) fail('items for what is not a dictionary');
    if (items.length % 2) fail('a key without a value');
    for (let i = 0; i < items.length; i += 2) (dict as PickleDict).set(items[i], items[i + 1]);
  };
  const append = (items: readonly PickleValue[]): void => {
    const list = peek();
    if (!Array.isArray(list)) return fail('items for what is not a list');
    for (const item of items) list.push(item);
  };
  const global = (path: string): void => {
    const found = environment.resolve(path);
    if (!found) refuse(name, path);
    stack.push(new GlobalReference(path, found));
  };
  const persistent = (id: PickleValue): void => {
    if (!environment.persistent) fail('a persistent id, which nothing here has');
    stack.push(environment.persistent!(id));
  };

  for (let steps = 0; ; steps++) {
    if (steps > MAX_STEPS) fail(`more than ${MAX_STEPS} steps`);
    const opcode = u8();
    switch (String.fromCharCode(opcode)) {
      case '\x80': {
        const protocol = u8();
        if (protocol > 5)
          throw new InputError(
            `${name}: its pickle has protocol ${protocol}, 5 is the latest that is read: save it with an earlier one`,
          );
        break;
      }
      case '\x95': // FRAME
        skip(8);
        break;
      case '.':
        return { value: pop(), end: at };
      case '(':
        stack.push(MARK);
        break;
      case '0':
        if (stack.pop() === undefined) fail('a value is missing');
        break;
      case '1':
        popMark();
        break;
      case '2':
        stack.push(peek());
        break;
      case 'N':
        stack.push(null);
        break;
      case '\x88':
        stack.push(true);
        break;
      case '\x89':
        stack.push(false);
        break;
      case 'I': {
        const text = line();
        stack.push(text === '00' ? false : text === '01' ? true : decimal(text));
        break;
      }
      case 'L':
        stack.push(decimal(line()));
        break;
      case 'J':
        stack.push(view.getInt32(skip(4), true));
        break;
      case 'K':
        stack.push(u8());
        break;
      case 'M':
        stack.push(u16());
        break;
      case '\x8a':
        stack.push(long(u8()));
        break;
      case '\x8b':
        stack.push(long(u32()));
        break;
      case 'F': {
        const text = line();
        stack.push(
          /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)
            ? Number(text)
            : (nonFinite(text) ?? fail('a number that is none')),
        );
        break;
      }
      case 'G':
        stack.push(view.getFloat64(skip(8), false));
        break;
      case 'S': {
        const text = line();
        if (!/^(["']).*\1$/.test(text)) fail('a text without quotes');
        stack.push(text.slice(1, -1));
        break;
      }
      case 'T':
        stack.push(latin1(take(u32())));
        break;
      case 'U':
        stack.push(latin1(take(u8())));
        break;
      case 'V':
        stack.push(line());
        break;
      case 'X':
        stack.push(utf8(u32()));
        break;
      case '\x8c':
        stack.push(utf8(u8()));
        break;
      case '\x8d':
        stack.push(utf8(u64()));
        break;
      case 'B':
        stack.push(take(u32()));
        break;
      case 'C':
        stack.push(take(u8()));
        break;
      case '\x8e':
      case '\x96':
        stack.push(take(u64()));
        break;
      case ']':
        stack.push([]);
        break;
      case 'a':
        append([pop()]);
        break;
      case 'e':
        append(popMark());
        break;
      case 'l':
        stack.push(popMark());
        break;
      case ')':
        stack.push(new Tuple([]));
        break;
      case 't':
        stack.push(new Tuple(popMark()));
        break;
      case '\x85':
        popTuple(1);
        break;
      case '\x86':
        popTuple(2);
        break;
      case '\x87':
        popTuple(3);
        break;
      case '}':
        stack.push(new Map());
        break;
      case 'd': {
        const items = popMark();
        stack.push(new Map());
        setItems(items);
        break;
      }
      case 's': {
        const value = pop();
        const key = pop();
        setItems([key, value]);
        break;
      }
      case 'u':
        setItems(popMark());
        break;
      case 'g':
        stack.push(remembered(numbered(line())));
        break;
      case 'h':
        stack.push(remembered(u8()));
        break;
      case 'j':
        stack.push(remembered(u32()));
        break;
      case 'p':
        memo.set(numbered(line()), peek());
        break;
      case 'q':
        memo.set(u8(), peek());
        break;
      case 'r':
        memo.set(u32(), peek());
        break;
      case '\x94':
        memo.set(memo.size, peek());
        break;
      case 'c':
        global(`${line()}.${line()}`);
        break;
      case '\x93': {
        const attribute = pop();
        const module = pop();
        if (typeof module !== 'string' || typeof attribute !== 'string') return fail('a name that is not a text');
        global(`${module}.${attribute}`);
        break;
      }
      case 'R': {
        const args = pop();
        const callee = pop();
        if (!(callee instanceof GlobalReference) || !(args instanceof Tuple)) return fail('a call of what has no name');
        if (!callee.global.call) refuse(name, `${callee.path}()`);
        stack.push(callee.global.call(args.items));
        break;
      }
      case 'b': {
        // The attributes of an object: those of a dictionary (a state_dict's `_metadata`) are of no use here.
        pop();
        if (!(peek() instanceof Map)) fail('attributes for what has none');
        break;
      }
      case 'P':
        persistent(line());
        break;
      case 'Q':
        persistent(pop());
        break;
      case '\x81': {
        pop();
        const type = pop();
        refuse(name, type instanceof GlobalReference ? `an object of ${type.path}` : 'an object');
        break;
      }
      case 'i':
        refuse(name, `an object of ${line()}.${line()}`);
        break;
      case 'o':
      case '\x92':
        refuse(name, 'an object');
        break;
      case '\x8f':
      case '\x90':
      case '\x91':
        refuse(name, 'a set');
        break;
      case '\x82':
      case '\x83':
      case '\x84':
        refuse(name, 'an object of the extension registry');
        break;
      default:
        at--;
        fail(`unknown opcode ${opcode}`);
    }
  }
}

function refuse(name: string, what: string): never {
  const isScript = what.includes('__torch__');
  throw new InputError(
    `${name}: its pickle wants ${quoted(what)}; only tensors, dictionaries and numbers are read, and nothing is run: ` +
      (isScript
        ? 'this is TorchScript, save the state_dict of the module that it was made from'
        : 'save the tensors alone, torch.save(model.state_dict(), file)'),
  );
}

/** An integer as a number where that is exact. */
function plain(value: bigint): number | bigint {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : value;
}

function nonFinite(text: string): number | undefined {
  return { nan: NaN, inf: Infinity, '-inf': -Infinity }[text.toLowerCase()];
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
