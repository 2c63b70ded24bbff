/**
 * Tells the service worker which files the page is made of: a path and a hash each. Vite builds it like the page's
 * other programs, but to a fixed name, `serviceWorker.js`, and with the list in place of DEGHOST_FILES.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** What the service worker keeps, each `[path from the page, hash]`. */
export interface OfflineFiles {
  /** Kept as soon as the page is visited: programs, styles, icons. */
  page: [path: string, hash: string][];
  /** Large: kept when the page has fetched them. */
  later: [path: string, hash: string][];
}

/** Hex digits of SHA-256 that tell versions of a file apart. */
const DIGITS = 32;

const hashOf = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex').slice(0, DIGITS);

/** Where a file of the built folder belongs; undefined for what is fetched only from the network. */
export function kindOfFile(path: string): keyof OfflineFiles | undefined {
  if (/^(weights|example)\/|\.wasm$/.test(path)) return 'later';
  // The bench's goldens are many, licences are read once in a while.
  return /^(goldens|licenses)\/|^serviceWorker\.js$/.test(path) ? undefined : 'page';
}

/** @param publicFolder whose files are copied beside the page. */
export function offlineFiles(publicFolder: string): Plugin {
  return {
    name: 'offline-files',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files: OfflineFiles = { page: [], later: [] };
        const add = (path: string, bytes: string | Uint8Array): void => {
          const kind = kindOfFile(path);
          if (kind) files[kind].push([path, hashOf(bytes)]);
        };
        for (const [path, file] of Object.entries(bundle)) add(path, file.type === 'chunk' ? file.code : file.source);
        for (const path of readdirSync(publicFolder, { recursive: true, encoding: 'utf8' }))
          if (/\.\w+$/.test(path)) add(path.replaceAll('\\', '/'), readFileSync(join(publicFolder, path)));
        for (const list of [files.page, files.later]) list.sort(([a], [b]) => (a < b ? -1 : 1));
        const program = bundle['serviceWorker.js'];
        if (program?.type !== 'chunk' || !program.code.includes('DEGHOST_FILES'))
          throw new Error('serviceWorker.js has no place for the list of files: it must read DEGHOST_FILES once');
        program.code = program.code.replace('DEGHOST_FILES', () => JSON.stringify(files));
      },
    },
  };
}
