/**
 * The page as people get it: built by Vite into a temporary folder, and served from there by a server that knows
 * nothing but files.
 *
 * A test may serve other bytes in place of a file. That is how thin weights make merges fast, and how what the page's
 * worker does with the GPU is watched and disturbed, without any hook in the page's own code.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
};

/** Thin weights for three frames, of another training: merges take seconds instead of minutes. */
export const THIN_FIXED = join(repository, 'test/goldens/fixed-halo.weights.safetensors');
export const THIN_ANY = join(repository, 'test/goldens/any-2.weights.safetensors');

export interface Site {
  /** The page's address. */
  url: string;
  /** The built folder. */
  folder: string;
  /** Serves other bytes for a path that ends so, made from the file's own. */
  replace(path: RegExp, bytes: (original: Buffer) => Buffer | string): void;
  /** What was asked for, in that order: the path, and the bytes of the built file, whatever is served in its place. */
  requests: { path: string; bytes: Buffer }[];
  /** Serves the first half of files whose path ends so, and the rest when `release` is called. */
  hold(path: RegExp): { release(): void };
  close(): Promise<void>;
}

let built: Promise<string> | undefined;

/** Builds once a process. */
function builtFolder(): Promise<string> {
  built ??= (async () => {
    const outDir = mkdtempSync(join(tmpdir(), 'deghost-page-'));
    process.once('exit', () => rmSync(outDir, { recursive: true, force: true }));
    await build({
      configFile: join(repository, 'app/vite.config.ts'),
      logLevel: 'error',
      build: { outDir, emptyOutDir: true },
    });
    return outDir;
  })();
  return built;
}

/** Serves the built page on a free port, with thin weights. @param base the path that it is served under. */
export async function serveSite(base = '/'): Promise<Site> {
  const folder = await builtFolder();
  const replaced: [RegExp, (original: Buffer) => Buffer | string][] = [
    [/weights\/fixed\.safetensors$/, () => readFileSync(THIN_FIXED)],
    [/weights\/any\.safetensors$/, () => readFileSync(THIN_ANY)],
  ];
  const requests: Site['requests'] = [];
  const held: { path: RegExp; released: Promise<void> }[] = [];
  const server = createServer(async (request, response) => {
    const asked = new URL(request.url ?? '/', 'http://x').pathname.replace(/\/$/, '/index.html');
    try {
      if (!asked.startsWith(base)) throw new Error('outside');
      const path = asked.slice(base.length - 1);
      let bytes: Buffer | string = readFileSync(join(folder, path));
      requests.push({ path, bytes });
      for (const [pattern, make] of replaced) if (pattern.test(path)) bytes = make(Buffer.from(bytes));
      bytes = Buffer.from(bytes);
      response.writeHead(200, {
        'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        'content-length': bytes.length,
      });
      const hold = held.find((rule) => rule.path.test(path));
      if (hold) {
        response.write(bytes.subarray(0, bytes.length / 2));
        bytes = bytes.subarray(bytes.length / 2);
        await hold.released;
      }
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}${base}`,
    folder,
    requests,
    hold: (path) => {
      let release = (): void => undefined;
      held.push({ path, released: new Promise((resolve) => (release = resolve)) });
      return { release };
    },
    replace: (path, bytes) => void replaced.push([path, bytes]),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
