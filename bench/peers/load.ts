/**
 * Loads the peers, which are installed beside this file and nowhere else (`npm ci --prefix bench/peers`), and gives
 * them what a browser would: `navigator.gpu`, here Dawn's, with one adapter, the one that deghost takes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { requestAdapter } from '../../src/node/adapter.ts';
import type { SoftwareChoice } from '../../src/node/adapter.ts';
import { NotInstalled } from '../engine.ts';

const require = createRequire(import.meta.url);

/** The version of a peer's package. @throws NotInstalled */
export function peerVersion(name: string): string {
  try {
    const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
  } catch {
    throw new NotInstalled('npm ci --prefix bench/peers');
  }
}

/** A CommonJS module of a peer's. Peers are typed by what is used of them. */
export function requirePeer<T>(name: string): T {
  return require(name) as T;
}

/** An ES module by its path under node_modules. */
export async function importPeer<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(require.resolve(`./node_modules/${path}`)).href)) as T;
}

/**
 * Dawn refuses views of shared memory, which a WebAssembly module with threads has; browsers take them. So they are
 * copied first.
 */
function acceptSharedMemory(): void {
  const { writeBuffer } = GPUQueue.prototype;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, from = 0, size) {
    const view = ArrayBuffer.isView(data) ? (data as Uint8Array) : new Uint8Array(data as ArrayBuffer);
    const unit = view.BYTES_PER_ELEMENT ?? 1;
    const bytes = size === undefined ? view.byteLength - from * unit : size * unit;
    const source = new Uint8Array(view.buffer, view.byteOffset + from * unit, bytes);
    return writeBuffer.call(
      this,
      buffer,
      offset,
      view.buffer instanceof SharedArrayBuffer ? source.slice() : (source as Uint8Array<ArrayBuffer>),
    );
  };
}

/** Whether a device's memory is the host's. */
export function onHost({ adapterInfo: { architecture, isFallbackAdapter } }: GPUDevice): boolean {
  return isFallbackAdapter || architecture === 'software' || architecture === 'swiftshader';
}

let ready = false;

/** Makes `navigator.gpu` the chosen adapter's, once. */
export async function provideWebGpu(software: SoftwareChoice): Promise<void> {
  if (ready) return;
  ready = true;
  const { gpu } = await requestAdapter({ software });
  acceptSharedMemory();
  const chosen = {
    requestAdapter: async () => (await requestAdapter({ software })).adapter,
    getPreferredCanvasFormat: () => gpu.getPreferredCanvasFormat(),
    wgslLanguageFeatures: gpu.wgslLanguageFeatures,
  };
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: chosen, userAgent: `Node ${process.version}`, language: 'en' },
    configurable: true,
    writable: true,
  });
}
