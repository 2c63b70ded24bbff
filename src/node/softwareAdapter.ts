/**
 * Software Vulkan for a machine without a GPU driver.
 *
 * Two drivers exist in practice. Mesa's lavapipe comes with the system (apt: mesa-vulkan-drivers) and is found by the
 * Vulkan loader like any driver. SwiftShader is slower, but needs no system package: the npm package
 * `@sparticuz/chromium`, made for headless browsers, carries it with a Vulkan loader of its own. This file unpacks that
 * copy into a per-user cache once, and points the loader at it. It also checks which drivers the system registers, to
 * explain why none of them works.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** The npm package that carries SwiftShader. */
export const SWIFTSHADER_PACKAGE = '@sparticuz/chromium';

const LOADER = 'libvulkan.so.1';
const MANIFEST = 'vk_swiftshader_icd.json';
const WANTED = [LOADER, MANIFEST, 'libvk_swiftshader.so'];

/** Whether {@link SWIFTSHADER_PACKAGE}'s SwiftShader runs on this kind of machine. */
export function supportsSwiftShader(): boolean {
  return process.platform === 'linux' && process.arch === 'x64';
}

/** The installed SwiftShader of {@link SWIFTSHADER_PACKAGE}, if any. */
export function findSwiftShader(): { archive: string; version: string } | undefined {
  if (!supportsSwiftShader()) return undefined;
  // First next to deghost, then in the caller's project: deghost may be installed globally.
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    const root = packageRoot(from, SWIFTSHADER_PACKAGE);
    if (!root) continue;
    const archive = ['bin/swiftshader.tar.br', 'bin/x64/swiftshader.tar.br']
      .map((name) => join(root, name))
      .find((path) => existsSync(path));
    if (archive) return { archive, version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version };
  }
  return undefined;
}

/**
 * The folder of an installed package. Its `exports` may hide package.json from `require.resolve`, so walk up from its
 * entry.
 */
function packageRoot(from: string, name: string): string | undefined {
  let entry: string;
  try {
    entry = createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
  for (let dir = dirname(entry); dir !== dirname(dir); dir = dirname(dir)) {
    const manifest = join(dir, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === name) return dir;
  }
  return undefined;
}

/** A folder that only this user writes to: libraries are loaded from it. */
function cacheRoot(): string {
  const candidates = [
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    join(tmpdir(), `cache-${process.getuid?.() ?? 'user'}`),
  ];
  for (const base of candidates) {
    const dir = join(base, 'deghost');
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const { uid } = statSync(dir);
      if (uid !== process.getuid?.()) continue;
      rmSync(mkdtempSync(join(dir, '.probe-')), { recursive: true });
      return dir;
    } catch {
      // Read-only home, or no home at all: try the next.
    }
  }
  return mkdtempSync(join(tmpdir(), 'deghost-'));
}

/**
 * Unpacks SwiftShader, once per user and version, and returns the folder. Safe to run from several processes at once:
 * the folder is filled under another name and renamed, so it is either absent or complete.
 * @throws Error if the archive is damaged or nothing can be written.
 */
export function unpackSwiftShader(found: { archive: string; version: string }): string {
  const root = cacheRoot();
  const dir = join(root, `swiftshader-${found.version}`);
  const complete = () => WANTED.every((name) => existsSync(join(dir, name)) && statSync(join(dir, name)).size > 0);
  if (complete()) return dir;
  const partial = mkdtempSync(join(root, '.swiftshader-'));
  try {
    const files = untar(brotliDecompressSync(readFileSync(found.archive)), WANTED);
    for (const name of WANTED) {
      const bytes = files.get(name);
      if (!bytes) throw new Error(`${found.archive} has no ${name}`);
      const file = openSync(join(partial, name), 'wx', 0o755);
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    }
    try {
      renameSync(partial, dir);
    } catch (error) {
      if (complete()) throw error;
      // A damaged one is there. It goes only now: until then another process may have put a whole one in its place.
      rmSync(dir, { recursive: true, force: true });
      renameSync(partial, dir);
    }
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!complete()) throw error; // else another process was first
  }
  return dir;
}

/** The named regular files of a tar archive (ustar: 512-byte headers, size in octal at 124, type at 156). */
function untar(tar: Buffer, names: readonly string[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const text = (from: number, length: number) =>
      tar
        .toString('latin1', at + from, at + from + length)
        .replace(/\0.*$/s, '')
        .trim();
    const size = parseInt(text(124, 12) || '0', 8);
    const name = text(0, 100).replace(/^\.\//, '');
    if (!Number.isFinite(size) || at + 512 + size > tar.length)
      throw new Error(`tar archive is cut short at ${name || at}`);
    if (names.includes(name) && (text(156, 1) || '0') === '0') files.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/**
 * Makes this process's next Vulkan instance find only the SwiftShader in `dir`. If the system has no Vulkan loader,
 * WebGPU finds the copy loaded here by its name.
 */
export function useSwiftShader(dir: string): void {
  process.env.VK_DRIVER_FILES = join(dir, MANIFEST);
  process.env.VK_ICD_FILENAMES = join(dir, MANIFEST); // for loaders before 1.3.207
  const RTLD_NOW = 2;
  const RTLD_GLOBAL = 0x100;
  const RTLD_NODELETE = 0x1000; // it must outlive the failed load below
  try {
    process.dlopen({ exports: {} }, join(dir, LOADER), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // Expected: this is not a Node addon. But the library stays loaded, which is the purpose.
  }
}

/** Makes this process's next Vulkan instance find the drivers that it found before `useSwiftShader`. */
export function useSystemDrivers(): void {
  for (const [name, value] of Object.entries(OWN_DRIVERS)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}

/** As they were, read before useSwiftShader changes them. */
const OWN_DRIVERS = {
  VK_DRIVER_FILES: process.env.VK_DRIVER_FILES,
  VK_ICD_FILENAMES: process.env.VK_ICD_FILENAMES,
};

/** Drivers that the user chose instead of the registered ones; read before useSwiftShader changes the variable. */
const CHOSEN_DRIVERS = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;

/** A Vulkan driver as the system registers it. */
export interface VulkanDriver {
  /** The manifest's path. */
  manifest: string;
  /** The shared object it names. */
  object: string;
  /** The Vulkan version it states. */
  api: string;
}

/** The Vulkan drivers registered on a Linux system, in the loader's order of folders; empty elsewhere. */
export function vulkanDrivers(): VulkanDriver[] {
  if (process.platform !== 'linux') return [];
  const folders = [
    ...(process.env.XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/etc',
    join(homedir(), '.local/share'),
    ...(process.env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ];
  const manifests = CHOSEN_DRIVERS
    ? CHOSEN_DRIVERS.split(':')
    : folders.filter(Boolean).flatMap((folder) => list(join(folder, 'vulkan/icd.d')));
  const drivers: VulkanDriver[] = [];
  for (const manifest of new Set(manifests)) {
    try {
      if (!statSync(manifest).isFile()) continue;
      const {
        ICD: { library_path: object, api_version: api },
      } = JSON.parse(readFileSync(manifest, 'utf8'));
      drivers.push({ manifest, object: String(object), api: String(api) });
    } catch {
      // Missing or damaged: the loader skips it too.
    }
  }
  return drivers;
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(dir, name));
  } catch {
    return [];
  }
}

/**
 * The system's lavapipe, if WebGPU is known to refuse it: Mesa before 23 lacks features that Dawn requires. Debian 12
 * ships 22.3, whose manifest says Vulkan 1.1; the first that works says 1.3 or later.
 */
export function refusedLavapipe(drivers: readonly VulkanDriver[] = vulkanDrivers()): VulkanDriver | undefined {
  return drivers.find((driver) => {
    const [major, minor] = driver.api.split('.').map(Number);
    return /vulkan_lvp/.test(driver.object) && (major < 1 || (major === 1 && minor < 3));
  });
}

/** How to get a software adapter on this machine: one line each, fastest first. */
export function softwareRemedies(): string[] {
  if (process.platform !== 'linux') return [];
  const old = refusedLavapipe();
  const lines: string[] = [];
  if (old) {
    lines.push(
      `the installed lavapipe (Vulkan ${old.api}, ${old.manifest}) is too old for WebGPU: on Debian 12, \`apt-get ` +
        'install -t bookworm-backports mesa-vulkan-drivers`',
    );
  } else {
    lines.push('`apt-get install mesa-vulkan-drivers` (lavapipe; on Debian 12 add `-t bookworm-backports`)');
  }
  if (supportsSwiftShader() && !findSwiftShader())
    lines.push(`\`npm install ${SWIFTSHADER_PACKAGE}\` (SwiftShader: no system package needed, several times slower)`);
  return lines;
}
