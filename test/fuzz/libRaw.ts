/**
 * LibRaw in this thread, kept from file to file: a thread for each, as src/node/readRaw.ts has it, takes a hundred
 * times as long as a small file. What its answers are checked by is the same.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../src/errors.ts';
import { checkDeveloped, rawHead, rawProblem, rawSettings } from '../../src/image/decode/raw.ts';
import type { RawPicture } from '../../src/image/decode/raw.ts';
import { readRawAnswer } from '../../src/image/decode/rawWorker.ts';

interface LibRaw {
  open(bytes: Uint8Array, settings: Record<string, unknown>): void;
  metadata(all: boolean): unknown;
  imageData(): RawPicture;
  delete(): void;
}

type Library = { LibRaw: new () => LibRaw };

/** After so many files, another: its memory never shrinks. */
const MOST_FILES = 200;

let kept: { library: Library; said: string[] } | undefined;
let files = 0;
let loaded: Promise<{ module: WebAssembly.Module; start: (options: object) => Promise<Library> }> | undefined;

async function started(): Promise<NonNullable<typeof kept>> {
  if (kept && files++ < MOST_FILES) return kept;
  files = 0;
  loaded ??= (async () => {
    const folder = join(dirname(createRequire(import.meta.url).resolve('libraw-wasm/package.json')), 'dist');
    const module = await WebAssembly.compile(await readFile(join(folder, 'libraw.wasm')));
    return { module, start: (await import(pathToFileURL(join(folder, 'libraw.js')).href)).default };
  })();
  const { module, start } = await loaded;
  const said: string[] = [];
  const note = (text: unknown): void => void said.push(String(text));
  const instantiateWasm = (imports: WebAssembly.Imports, done: (...made: unknown[]) => void): void =>
    void WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
  return (kept = { library: await start({ instantiateWasm, print: note, printErr: note }), said });
}

/** Develops a file as the worker's program does. @throws InputError. */
export async function developInPlace(bytes: Uint8Array): Promise<RawPicture> {
  const name = 'f.dng';
  const { library, said } = await started();
  said.length = 0;
  const ask = (settings?: Record<string, unknown>): unknown => {
    let raw: LibRaw | undefined;
    try {
      raw = new library.LibRaw();
      raw.open(bytes, settings ?? {});
      const metadata = raw.metadata(true);
      if (!settings) return { metadata };
      const { width, height, colors, bits, data } = raw.imageData();
      const damage = said.find((text) => /end of file|corrupted/i.test(text));
      return damage ? { problem: damage } : { metadata, picture: { width, height, colors, bits, data: data.slice() } };
    } catch (error) {
      // A fault of WebAssembly leaves it unusable.
      if (error instanceof WebAssembly.RuntimeError) kept = undefined;
      return { problem: [error instanceof Error ? error.message : '', ...said.slice(-1)].filter(Boolean).join('; ') };
    } finally {
      if (kept) raw?.delete();
    }
  };
  const answered = (message: unknown) => {
    const answer = readRawAnswer(message);
    if ('problem' in answer) throw rawProblem(name, answer);
    return answer;
  };
  const head = rawHead(answered(ask()).metadata, name);
  const { picture } = answered(ask(rawSettings(head.camera.whiteBalance)));
  if (!picture) throw new InputError(`${name} was not developed`);
  checkDeveloped(picture, name);
  return picture;
}
