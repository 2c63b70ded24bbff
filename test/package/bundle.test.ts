/**
 * The package in bundlers: how much of it a page has to load, that unused code is left out, and how the weights are
 * found.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build as esbuild } from 'esbuild';
import type { BuildResult } from 'esbuild';
import { build as vite } from 'vite';
import { describe, expect, it } from 'vitest';
import { ROOT, installed, succeed } from './installed.ts';

/**
 * Most bytes of the core that a page loads at once, minified and compressed with Brotli, as servers send text to
 * browsers, without weights. Checks of what callers give are 2.2 kB of it: JavaScript has no types. What stops and
 * frees whatever runs, types what WebGPU throws, and finds results that are not finite is 1.7 kB.
 */
const MOST_BYTES = 62_200;

/**
 * Most bytes that the core loads when a merge aligns its frames (11.2 kB), when it tries meshes (2.6 kB), when frames
 * or results are on the device (2 kB), when a result is not finite (0.7 kB), when it shows other moments or stays open
 * for changes (5.5 kB), when 8-bit frames are merged without a network (1.3 kB), and what these share. A bundler that
 * does not split adds them.
 */
const MOST_LATER = 27_300;

/** Most bytes that each other entry adds to a page with the core, alike. */
const ENTRIES: [entry: string, most: number][] = [
  ['deghost/finish', 11_000],
  ['deghost/tune', 7_900],
  ['deghost/warnings', 2_000],
];

/** Bundles a module's text as a page's; everything that it imports must exist, because nothing is external. */
async function bundle(contents: string, options: object = {}): Promise<BuildResult<{ metafile: true; write: false }>> {
  const resolveDir = await installed();
  return esbuild({
    stdin: { contents, resolveDir },
    // Chunks are named after a hash of their paths: relative ones give the same bytes in every folder.
    absWorkingDir: resolveDir,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    write: false,
    logLevel: 'silent',
    outdir: join(resolveDir, 'out'),
    ...options,
  }) as never;
}

/** The same through Vite. @returns each file's content by name. */
async function viteBundle(contents: string): Promise<Map<string, Buffer>> {
  const root = join(await installed(), 'vite');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(join(root, 'main.js'), contents);
  await vite({
    root,
    configFile: false,
    logLevel: 'error',
    build: { emptyOutDir: true, target: 'es2022', modulePreload: { polyfill: false } },
  });
  const assets = join(root, 'dist/assets');
  return new Map(existsSync(assets) ? readdirSync(assets).map((name) => [name, readFileSync(join(assets, name))]) : []);
}

/** Bytes with Brotli of what a page loads at once, and of what it may load later, where the bundler splits. */
async function splitSizes(contents: string): Promise<[atOnce: number, later: number]> {
  const split = await bundle(contents, { splitting: true });
  const outputs = Object.entries(split.metafile.outputs);
  const main = outputs.find(([, { entryPoint }]) => entryPoint === '<stdin>')!;
  const loaded = new Set([main[0]]);
  for (const name of loaded) {
    for (const { path, kind } of split.metafile.outputs[name].imports) {
      if (kind === 'import-statement') loaded.add(path);
    }
  }
  const total = (isLoaded: boolean): number =>
    outputs
      .filter(([name]) => loaded.has(name) === isLoaded)
      .map(([name]) => split.outputFiles.find(({ path }) => path.endsWith(name.split('/').at(-1)!))!.contents)
      .reduce((sum, bytes) => sum + brotliCompressSync(bytes).length, 0);
  return [total(true), total(false)];
}

const code = (files: Map<string, Buffer>): string =>
  [...files]
    .filter(([name]) => name.endsWith('.js'))
    .map(([, bytes]) => bytes.toString('utf8'))
    .join('');
const USES = "import * as deghost from 'deghost'; globalThis.deghost = deghost;";
const DEGHOSTER = "import { Deghoster } from 'deghost'; globalThis.it = Deghoster;";

describe('the core in a bundle', () => {
  it(`is less than ${(MOST_BYTES + MOST_LATER) / 1000} kB in one file, minified and compressed`, async () => {
    const figures: string[] = [];
    for (const [name, contents] of [
      ['all exports', USES],
      ['Deghoster alone', DEGHOSTER],
      ['encodeRgbe alone', "import { encodeRgbe } from 'deghost'; globalThis.it = encodeRgbe;"],
    ]) {
      const [{ contents: bytes }] = (await bundle(contents)).outputFiles;
      const compressed = brotliCompressSync(bytes).length;
      figures.push(
        `${name}: ${bytes.length} bytes minified, ${gzipSync(bytes, { level: 9 }).length} with gzip, ${compressed} ` +
          'with Brotli',
      );
      expect(compressed, name).toBeLessThan(MOST_BYTES + MOST_LATER);
      expect(compressed, name).toBeGreaterThan(100);
    }
    const text = code(await viteBundle(USES));
    figures.push(
      `all exports through Vite: ${text.length} bytes minified, ${brotliCompressSync(text).length} with Brotli`,
    );
    expect(brotliCompressSync(text).length).toBeLessThan(MOST_BYTES + MOST_LATER);
    console.log(figures.join('\n'));
  });

  it.each(ENTRIES)('and %s beside it stay within their limits, in one file and split', async (entry, most) => {
    const size = (bytes: Uint8Array): number => brotliCompressSync(bytes).length;
    const [core] = (await bundle(USES)).outputFiles;
    const [both] = (await bundle(`${USES} import * as more from '${entry}'; globalThis.more = more;`)).outputFiles;
    const added = size(both.contents) - size(core.contents);
    expect(added).toBeGreaterThan(100);
    expect(added).toBeLessThan(most);

    // Split, the page loads Deghoster at once, in more than one file, and the entry when it is used.
    const page = `${DEGHOSTER} globalThis.more = () => import('${entry}');`;
    const [atOnce, later] = await splitSizes(page);
    const [, aligning] = await splitSizes(DEGHOSTER);
    expect(atOnce).toBeLessThan(MOST_BYTES);
    console.log(`${entry}: ${added} bytes with Brotli in one file, ${later - aligning} split`);
    expect(later - aligning).toBeGreaterThan(100);
    expect(later - aligning).toBeLessThan(most);
  });

  it('splits into what a page loads at once and what it loads when it needs it', async () => {
    const [atOnce, later] = await splitSizes(USES);
    console.log(`split: ${atOnce} bytes with Brotli at once, ${later} later`);
    expect(atOnce).toBeLessThan(MOST_BYTES);
    expect(later).toBeLessThan(MOST_LATER);
    expect(later).toBeGreaterThan(1000);
  });

  it('has its own files alone: nothing of Node and no package', async () => {
    const { metafile } = await bundle(USES, { platform: 'neutral' });
    const inputs = Object.entries(metafile.inputs).filter(([name]) => name !== '<stdin>');
    expect(inputs.length).toBeGreaterThan(30);
    // What Node's entry and the tuner's bring.
    expect(inputs.filter(([name]) => /conv2d\/methods\/(matrix(Tiles)?|staged|winograd)\.js$/.test(name))).toEqual([]);
    for (const [name, { imports }] of inputs) {
      expect(name).toMatch(/node_modules\/deghost\/dist\/(?!node\/)/);
      for (const { path, original = path } of imports) expect(original, name).toMatch(/^\.\.?\//);
    }
  });

  it.each(["import 'deghost';", "import { Deghoster } from 'deghost';", "import * as deghost from 'deghost';"])(
    'vanishes where nothing is used: %s',
    async (contents) => {
      expect((await bundle(contents)).outputFiles[0].text.trim()).toBe('');
    },
  );

  it('vanishes in Vite too, where nothing is used', async () => {
    expect(
      code(await viteBundle("import { Deghoster } from 'deghost'; import 'deghost'; console.log('alone');")),
    ).toMatch(/^console\.log\([`"']alone[`"']\);?\s*$/);
  });
});

describe('a minified core', () => {
  it('touches nothing global when it is loaded, and its errors have their names', async () => {
    const folder = await installed();
    const contents =
      "import { Deghoster } from 'deghost'; export const create = (options) => Deghoster.create(options);";
    writeFileSync(join(folder, 'bundle.js'), (await bundle(contents)).outputFiles[0].contents);
    writeFileSync(
      join(folder, 'load.js'),
      `
      const globals = Object.getOwnPropertyNames(globalThis).map((name) => globalThis[name]?.prototype).filter(Boolean);
      const snapshot = () => JSON.stringify([globalThis, ...globals].map((host) => Reflect.ownKeys(host).map(String)));
      const before = snapshot();
      const { create } = await import('./bundle.js');
      const same = snapshot() === before;
      const names = [];
      for (const options of [{ precision: 'f64' }, { weights: new Uint8Array(4) }, {}])
        await create(options).catch(({ name }) => names.push(name));
      console.log(JSON.stringify({ same, names }));`,
    );
    expect(JSON.parse(await succeed(process.execPath, ['load.js'], { cwd: folder }))).toEqual({
      same: true,
      names: ['UsageError', 'InputError', 'NoAdapterError'],
    });
  });
});

describe('the weights in a bundle', () => {
  const shipped = (name: string): Buffer => readFileSync(join(ROOT, 'weights', name));

  it('are a URL in Vite: import with ?url, and new URL', async () => {
    const files = await viteBundle(
      "import fixed from 'deghost/weights/fixed.safetensors?url'; const any = new " +
        "URL('deghost/weights/any.safetensors', import.meta.url); console.log(fixed, any.href);",
    );
    for (const name of ['fixed', 'any']) {
      const [file, bytes] = [...files].find(([file]) => file.startsWith(`${name}-`)) ?? [];
      expect(bytes?.equals(shipped(`${name}.safetensors`)), name).toBe(true);
      expect(code(files)).toContain(`/assets/${file}`);
    }
  });

  it('are a file in esbuild: loader .safetensors=file', async () => {
    const { outputFiles } = await bundle("import url from 'deghost/weights/fixed.safetensors'; console.log(url);", {
      loader: { '.safetensors': 'file' },
    });
    const file = outputFiles.find(({ path }) => path.endsWith('.safetensors'));
    expect(file && shipped('fixed.safetensors').equals(file.contents)).toBe(true);
    expect(outputFiles.find(({ path }) => path.endsWith('.js'))?.text).toContain(file?.path.split('/').pop());
  });
});
