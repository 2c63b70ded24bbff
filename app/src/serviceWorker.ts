/**
 * The service worker: it answers from what it has kept, so that the page opens without a network, and takes photos that
 * other programs share. It asks for nothing but the page's own files.
 *
 * Each version has a cache of its own for the page's files. Once they are all there, and each has its hash, the version
 * takes over: the next load gets it. A page that is open still finds the files of the version before. Weights and
 * decoders are in another cache, which versions share.
 */
import type { OfflineFiles } from '../build/offline.ts';

/** Written by the build: app/build/offline.ts. */
declare const DEGHOST_FILES: OfflineFiles;

/** An event whose work the browser waits for; TypeScript's declarations for pages lack it. */
interface WorkEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends WorkEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
/** `self` as a service worker sees it. */
const scope = self as unknown as {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate' | 'message', listener: (event: WorkEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
};

const files = DEGHOST_FILES;
const page = new Map(files.page);
const later = new Map(files.later);
const base = new URL(scope.registration.scope);
/** Other programs at this address have caches of their own. */
const PREFIX = `deghost ${base.pathname} `;
/** The version's name: a mix of the hashes. */
const version = files.page.reduce((sum, [, hash]) => (sum * 31 + Number.parseInt(hash.slice(0, 8), 16)) >>> 0, 7);
const PAGE_CACHE = `${PREFIX}page ${version.toString(16)}`;
const LATER_CACHE = `${PREFIX}later`;
/** app/src/offline/shared.ts reads it. */
const SHARED_CACHE = `${PREFIX}shared`;
/** Versions whose files are kept: this one, and the one that open pages may have. */
const VERSIONS = 2;

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('message', (event) => event.waitUntil(keepLater()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (!url.href.startsWith(base.href)) return;
  const path = url.pathname.slice(base.pathname.length);
  if (request.method === 'POST' && path === 'share') return event.respondWith(share(request));
  if (request.method !== 'GET') return;
  if (path === '' || page.has(path)) return event.respondWith(pageFile(path || 'index.html', request));
  if (later.has(path)) return event.respondWith(laterFile(path, request));
  // Of another version.
  if (path.startsWith('assets/')) event.respondWith(olderFile(request));
});

/** Under which a file of this version is kept. */
const keyOf = (path: string, hash: string | undefined): string => new URL(`${path}?${hash}`, base).href;

async function install(): Promise<void> {
  const cache = await caches.open(PAGE_CACHE);
  const older = await pageCaches();
  await Promise.all(
    files.page.map(async ([path, hash]) => {
      const key = keyOf(path, hash);
      const kept = (await Promise.all(older.map((one) => one.match(key)))).find((found) => found !== undefined);
      await cache.put(key, kept ?? (await fetched(path, hash)));
    }),
  );
  await scope.skipWaiting();
}

/** A file from the network, if it is this version's. @throws Error where it is not: the browser tries again later. */
async function fetched(path: string, hash: string): Promise<Response> {
  const response = await fetch(new URL(path, base), { cache: 'no-cache' });
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (!response.ok || !found.startsWith(hash)) throw new Error(`${path} is not of this version`);
  // A response that was redirected cannot be given for a page: a new one was not.
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(bytes, { headers });
}

async function activate(): Promise<void> {
  const old = (await pageCacheNames()).filter((name) => name !== PAGE_CACHE);
  await Promise.all(old.slice(0, old.length - (VERSIONS - 1)).map((name) => caches.delete(name)));
  const cache = await caches.open(LATER_CACHE);
  const current = new Set(files.later.map(([path, hash]) => keyOf(path, hash)));
  await Promise.all((await cache.keys()).map(({ url }) => current.has(url) || cache.delete(url)));
  await scope.clients.claim();
}

/** Oldest first. */
async function pageCacheNames(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(`${PREFIX}page `));
}

async function pageCaches(): Promise<Cache[]> {
  return Promise.all((await pageCacheNames()).map((name) => caches.open(name)));
}

/** Keeps what the page has fetched before this worker was there; mostly the browser still has it. */
async function keepLater(): Promise<void> {
  for (const [path] of files.later) await laterFile(path).catch(() => undefined);
}

async function pageFile(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(PAGE_CACHE);
  return (await cache.match(keyOf(path, page.get(path)))) ?? fetch(request);
}

async function laterFile(path: string, request: Request | URL = new URL(path, base)): Promise<Response> {
  const cache = await caches.open(LATER_CACHE);
  const key = keyOf(path, later.get(path));
  const kept = await cache.match(key);
  if (kept) return kept;
  const response = await fetch(request);
  // A full disk costs offline use, and nothing else.
  if (response.status === 200) await cache.put(key, response.clone()).catch(() => undefined);
  return response;
}

async function olderFile(request: Request): Promise<Response> {
  for (const cache of await pageCaches()) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
  }
  return fetch(request);
}

/** Keeps shared photos for the page, and opens it. */
async function share(request: Request): Promise<Response> {
  try {
    await caches.delete(SHARED_CACHE);
    const cache = await caches.open(SHARED_CACHE);
    const photos = (await request.formData()).getAll('photos').filter((part) => part instanceof File);
    await Promise.all(
      photos.map((file, k) => {
        const headers = { 'x-name': encodeURIComponent(file.name), 'x-modified': String(file.lastModified) };
        return cache.put(new URL(`shared/${k}`, base).href, new Response(file, { headers }));
      }),
    );
  } catch {
    // The page says that none came.
  }
  return Response.redirect(new URL('./?shared', base).href, 303);
}
