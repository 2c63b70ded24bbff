/**
 * The page's decoders in Chromium, bundled by themselves, so that samples can be looked at and not only previews.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
import { expect } from 'vitest';
import type { ColorSpace } from '../../src/image/colorSpace.ts';
import type { DecodedImage } from '../../src/image/picture.ts';
import { readFrame } from '../../src/node/readImage.ts';
import { launchBrowser } from './browser.ts';

/** A decoded picture, as far as tests compare it. */
export type Samples = Pick<
  DecodedImage,
  'data' | 'width' | 'height' | 'bits' | 'coverage' | 'linear' | 'clippedColors' | 'exif'
>;

export interface PageDecoders {
  /** The page's samples of a file. @throws the page's message about it. */
  decode(name: string, bytes: Uint8Array, colorSpace?: ColorSpace): Promise<Samples>;
  close(): Promise<void>;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Vite's `?url`: the file as a data: URL; and `?worker&url`: a program with all that it imports, as one. */
const urlImports: Plugin = {
  name: 'url-imports',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?worker&url$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\?.*$/, '')),
      namespace: 'worker-import',
    }));
    onLoad({ filter: /.*/, namespace: 'worker-import' }, async ({ path }) => {
      const { outputFiles } = await build({ ...BUNDLED, entryPoints: [path], format: 'esm' });
      const text = Buffer.from(outputFiles[0].contents).toString('base64');
      return { contents: `export default 'data:text/javascript;base64,${text}'`, loader: 'js' };
    });
    onResolve({ filter: /\?url$/ }, ({ path }) => {
      const name = path.replace(/\?url$/, '');
      // Its package names the file by another name.
      const file =
        name === 'jxl-oxide-wasm/module.wasm'
          ? join(
              dirname(createRequire(import.meta.url).resolve('jxl-oxide-wasm/package.json')),
              'jxl_oxide_wasm_bg.wasm',
            )
          : join(repository, 'node_modules', name);
      return { path: file, namespace: 'url-import' };
    });
    onLoad({ filter: /.*/, namespace: 'url-import' }, async ({ path }) => ({
      contents: await (await import('node:fs/promises')).readFile(path),
      loader: 'dataurl',
    }));
  },
};

const BUNDLED = {
  bundle: true,
  write: false,
  platform: 'browser',
  target: 'es2022',
  logLevel: 'error',
  external: ['fs', 'path', 'module', 'crypto'],
} as const satisfies BuildOptions;

/** Opens a browser with the decoders in an empty page. */
export async function openDecoders(): Promise<PageDecoders> {
  const { outputFiles } = await build({
    ...BUNDLED,
    entryPoints: [join(repository, 'app/src/worker/decode/index.ts')],
    format: 'iife',
    globalName: 'decoders',
    plugins: [urlImports],
    logOverride: { 'empty-import-meta': 'silent' },
  });
  const browser = await launchBrowser();
  const page = await browser.newPage();
  // Pages without an address start no workers from modules.
  await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto('http://localhost/');
  await page.addScriptTag({ content: outputFiles[0].text });
  return {
    async decode(name, bytes, colorSpace = 'srgb') {
      const answer = await page.evaluate(
        async ([fileName, base64, space]) => {
          const { decodeFile } = (
            globalThis as unknown as {
              decoders: { decodeFile(file: Blob, name: string, options: { colorSpace: string }): Promise<Samples> };
            }
          ).decoders;
          const textOf = (array: Uint8Array | Uint16Array | Float32Array): string => {
            let text = '';
            for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
              text += String.fromCharCode(byte);
            return btoa(text);
          };
          try {
            const file = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
            const { data, coverage, width, height, bits, linear, clippedColors, exif } = await decodeFile(
              file,
              fileName,
              { colorSpace: space },
            );
            const rest = { width, height, bits, linear, clippedColors, exif };
            return { ...rest, data: textOf(data), coverage: coverage && textOf(coverage) };
          } catch (error) {
            return { problem: (error as Error).message };
          }
        },
        [name, Buffer.from(bytes).toString('base64'), colorSpace] as const,
      );
      if ('problem' in answer) throw new Error(answer.problem);
      const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'));
      const raw = bytesOf(answer.data);
      const data =
        answer.bits === 32 ? new Float32Array(raw.buffer) : answer.bits === 16 ? new Uint16Array(raw.buffer) : raw;
      return { ...answer, data, coverage: answer.coverage === undefined ? undefined : bytesOf(answer.coverage) };
    },
    close: () => browser.close(),
  };
}

/** The command line's samples of a file. */
export async function inNode(name: string, bytes: Uint8Array, colorSpace?: ColorSpace): Promise<Samples> {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-test-'));
  try {
    writeFileSync(join(folder, name), bytes);
    return await readFrame(join(folder, name), { colorSpace });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Largest difference of two pictures' samples. All else must be equal. */
export function difference(a: Samples, b: Samples): number {
  const rest = ({ width, height, bits, data, linear, coverage }: Samples) => [
    width,
    height,
    bits,
    data.length,
    linear ?? false,
    coverage && Array.from(coverage),
  ];
  expect(rest(a)).toEqual(rest(b));
  let worst = 0;
  a.data.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - b.data[i]));
  });
  return worst;
}
