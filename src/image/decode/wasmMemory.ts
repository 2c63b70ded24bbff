/**
 * A limit for the memory of decoders in WebAssembly. What a file's boxes say of its size is checked; the decoder goes
 * by what the coded picture says, which may be far larger. So its memory may grow only as far as a picture of the size
 * that was checked needs. Each file gets a decoder of its own: WebAssembly's memory never shrinks.
 */

const PAGE = 65536;
/** A decoder without a picture, and a few small ones. */
const LEAST_BYTES = 64 * 2 ** 20;
/** Planes of the coded picture, of those that it is predicted from, and RGB of 16 bit; measured: 12 to 30. */
const PIXEL_BYTES = 64;
/** Programs are compiled anew for each limit: sizes in such steps share one. */
const STEP = 64 * 2 ** 20;

/** The most memory that a decoder may take for a picture. */
export function decoderBytes(width: number, height: number): number {
  return LEAST_BYTES + Math.ceil((PIXEL_BYTES * width * height) / STEP) * STEP;
}

/** A number of WebAssembly's binary format (unsigned LEB128), and where the next thing is. */
function readNumber(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let k = 0; ; k++) {
    const byte = bytes[at + k];
    value += (byte & 127) * 2 ** (7 * k);
    if (byte < 128) return [value, at + k + 1];
    if (byte === undefined || k > 4) throw new Error('a WebAssembly program that is cut off');
  }
}

function numberBytes(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...numberBytes(value >>> 7)];
}

const MEMORY_SECTION = 5;
const HAS_MOST = 1;

/**
 * A program whose own memory grows to so many bytes at most.
 * @throws Error for a program that has none, or that starts with more.
 */
export function withMostMemory(program: Uint8Array, mostBytes: number): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < program.length; ) {
    const [size, body] = readNumber(program, at + 1);
    if (program[at] !== MEMORY_SECTION) {
      at = body + size;
      continue;
    }
    const [count, flagsAt] = readNumber(program, body);
    const [least, mostAt] = readNumber(program, flagsAt + 1);
    const flags = program[flagsAt];
    const given = flags & HAS_MOST ? readNumber(program, mostAt)[0] : 65536;
    const most = Math.min(given, Math.floor(mostBytes / PAGE));
    if (count !== 1 || flags > HAS_MOST || least > most)
      throw new Error(`a WebAssembly program with ${count} memories, of ${least} pages: ${most} are the most`);
    const section = [1, HAS_MOST, ...numberBytes(least), ...numberBytes(most)];
    const head = [MEMORY_SECTION, ...numberBytes(section.length), ...section];
    const rest = program.subarray(body + size);
    const limited = new Uint8Array(at + head.length + rest.length);
    limited.set(program.subarray(0, at));
    limited.set(head, at);
    limited.set(rest, at + head.length);
    return limited;
  }
  throw new Error('a WebAssembly program without memory of its own');
}

/** What emscripten's scripts take: a program instead of a file, and where they print. */
export interface EmscriptenOptions {
  print(text: string): void;
  printErr(text: string): void;
  instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void): object;
}

/**
 * Compiles a program whose memory is limited.
 * @param program its .wasm.
 * @returns a function that gives it for a limit. @throws whatever keeps it from being compiled.
 */
export function limitedProgram(program: () => Promise<Uint8Array>): (mostBytes: number) => Promise<WebAssembly.Module> {
  let last: { mostBytes: number; module: Promise<WebAssembly.Module> } | undefined;
  const compile = async (mostBytes: number): Promise<WebAssembly.Module> =>
    WebAssembly.compile(withMostMemory(await program(), mostBytes));
  return (mostBytes) => {
    // A stack's files are of one size.
    if (last?.mostBytes !== mostBytes) last = { mostBytes, module: compile(mostBytes) };
    const { module } = last;
    module.catch(() => (last = undefined));
    return module;
  };
}

/** Starts a program that emscripten built. @param script its script. */
export function startCompiled<T>(
  program: WebAssembly.Module,
  script: (options: EmscriptenOptions) => T | Promise<T>,
): T | Promise<T> {
  const ignore = (): void => undefined;
  return script({
    print: ignore,
    printErr: ignore,
    // Not awaited: some of the scripts need it at once.
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(program, imports);
      done(instance);
      return instance.exports;
    },
  });
}

/**
 * Starts decoders that emscripten built, each with memory of its own.
 * @param program its .wasm.
 * @param start its script.
 * @returns a function that starts one. @throws whatever keeps it from starting.
 */
export function limitedDecoder<T>(
  program: () => Promise<Uint8Array>,
  start: () => Promise<(options: EmscriptenOptions) => T | Promise<T>>,
): (mostBytes: number) => Promise<T> {
  const compiled = limitedProgram(program);
  return async (mostBytes) => startCompiled(await compiled(mostBytes), await start());
}
