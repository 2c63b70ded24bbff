/**
 * Builds the page, and the bench beside it, to app/dist, a static folder that any file server can host under any path.
 *
 * The weights and the example keep their names beside the page, so that a host can replace them; everything else is
 * bundled.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { GOLDENS } from '../bench/goldenNames.ts';
import { goldenFiles } from '../test/reference/golden.ts';
import { aboutOf } from './build/about.ts';
import { offlineFiles } from './build/offline.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const packageJson = JSON.parse(readFileSync(`${repository}package.json`, 'utf8'));

/** Path beside the page, and where the file is in the repository. */
const SERVED: Record<string, string> = {
  'weights/fixed.safetensors': 'weights/fixed.safetensors',
  'weights/any.safetensors': 'weights/any.safetensors',
  'example/1.jpg': 'examples/balloons/1.jpg',
  'example/2.jpg': 'examples/balloons/2.jpg',
  'example/3.jpg': 'examples/balloons/3.jpg',
  // What the bench checks a GPU with.
  ...Object.fromEntries(GOLDENS.flatMap(goldenFiles).map((file) => [`goldens/${file}`, `test/goldens/${file}`])),
  // Licences. The LGPL asks for its text beside the libraries.
  'licenses/libheif.txt': 'node_modules/libheif-js/libheif-wasm/LICENSE',
  'licenses/deghost.txt': 'LICENSE',
  'licenses/libraw.txt': 'app/licenses/libraw.txt',
};

/** Serves the files above in development, and writes them into the built folder. */
function besideThePage(): Plugin {
  return {
    name: 'beside-the-page',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = SERVED[(request.url ?? '').split('?')[0].slice(1)];
        if (!path) return next();
        response.setHeader('content-type', path.endsWith('.jpg') ? 'image/jpeg' : 'application/octet-stream');
        response.end(readFileSync(repository + path));
      });
    },
    generateBundle() {
      for (const [fileName, path] of Object.entries(SERVED))
        this.emitFile({ type: 'asset', fileName, source: readFileSync(repository + path) });
    },
  };
}

const LIBRAW_SCRIPT = 'libraw-wasm/dist/libraw.js';

/**
 * What stands in place of `new Function` in libraw-wasm's script, which the page's policy forbids. Emscripten's embind
 * makes functions from text there; these do the same by closures, like Emscripten's own -sDYNAMIC_EXECUTION=0.
 */
const CLOSURES = `
function embindInvoker(types, isMethod, returns, destroys) {
  const count = types.length - 2;
  return (name, fail, invoke, fn, runDestructors, fromWire, thisToWire, ...rest) =>
    function (...given) {
      const destructors = destroys ? [] : null;
      const wired = isMethod ? [thisToWire(destructors, this)] : [];
      for (let i = 0; i < count; i++) wired.push(rest[i](destructors, given[i]));
      const value = invoke(fn, ...wired);
      if (destroys) runDestructors(destructors);
      else {
        let next = count;
        for (let i = isMethod ? 1 : 2; i < types.length; i++)
          if (types[i].destructorFunction !== null) rest[next++](wired[isMethod ? i - 1 : i - 2]);
      }
      return returns ? fromWire(value) : undefined;
    };
}
function embindMethod(tools, kind, readers, isVoid) {
  return (handle, methodName, destructors, at) => {
    const given = readers.map((read, i) => read(at + 8 * i));
    let value;
    if (kind === 0) value = tools.toValue(handle)(...given);
    else if (kind === 2) value = new (tools.toValue(handle))(...given);
    else if (kind === 3) value = given.at(-1);
    else value = tools.toValue(handle)[tools.getStringOrSymbol(methodName)](...given);
    return isVoid ? undefined : tools.emval_returnValue(tools.toReturnWire, destructors, value);
  };
}
`;

/** @throws Error for a version of the script that looks otherwise. */
function withoutEval(script: string): string {
  const changed = script
    .replace('new Function(_,d)', 'embindInvoker(e,r,t,i)')
    .replace('new Function(Object.keys(u),v)(...Object.values(u))', 'embindMethod(u,t,l,i.isVoid)')
    .replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
  if (changed.includes('new Function') || !changed.includes('embindInvoker(') || !changed.includes('embindMethod('))
    throw new Error(`${LIBRAW_SCRIPT} has changed: see which functions its embind makes from text, and adapt CLOSURES`);
  return changed + CLOSURES;
}

/** Writes LibRaw's script so that it runs under the page's policy, as a file of its own. */
function librawWithoutEval(): Plugin {
  return {
    name: 'libraw-without-eval',
    transform(code, id) {
      return id.split('?')[0].endsWith(LIBRAW_SCRIPT) && !id.includes('?url') ? withoutEval(code) : undefined;
    },
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle))
        if (file.type === 'asset' && file.originalFileNames.some((name) => name.endsWith(LIBRAW_SCRIPT)))
          file.source = withoutEval(Buffer.from(file.source).toString());
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  define: { DEGHOST_ABOUT: JSON.stringify(aboutOf(packageJson, process.env.DEGHOST_REPOSITORY)) },
  plugins: [besideThePage(), librawWithoutEval(), offlineFiles(`${repository}app/public`)],
  worker: { format: 'es', plugins: () => [librawWithoutEval()] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill would be an inline script, which the page's policy forbids; browsers with WebGPU do not need it.
    modulePreload: { polyfill: false },
    // No asset becomes a data: URL.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ['index.html', 'bench.html', 'src/serviceWorker.ts'].map((page) => `${repository}app/${page}`),
      output: {
        // The browser looks for a new service worker under the name of the old one.
        entryFileNames: ({ name }) => (name === 'serviceWorker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
