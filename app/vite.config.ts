/**
 * Builds the page to app/dist, a static folder that any file server can host under any path.
 *
 * The weights and the example keep their names beside the page, so that a host can replace them; everything else is
 * bundled.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Path beside the page, and where the file is in the repository. */
const SERVED: Record<string, string> = {
  'weights/fixed.safetensors': 'weights/fixed.safetensors',
  'weights/any.safetensors': 'weights/any.safetensors',
  'example/1.jpg': 'examples/balloons/1.jpg',
  'example/2.jpg': 'examples/balloons/2.jpg',
  'example/3.jpg': 'examples/balloons/3.jpg',
  // The LGPL asks for its text beside the library.
  'licenses/libheif.txt': 'node_modules/libheif-js/libheif-wasm/LICENSE',
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

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [besideThePage()],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill would be an inline script, which the page's policy forbids; browsers with WebGPU do not need it.
    modulePreload: { polyfill: false },
    // No asset becomes a data: URL.
    assetsInlineLimit: 0,
  },
});
