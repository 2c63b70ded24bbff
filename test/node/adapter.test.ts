/**
 * Adapters. Each case that depends on the machine's drivers runs in a process of its own, since the choice of a Vulkan
 * driver is made once a process.
 */
import { execFile } from 'node:child_process';
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { adapterChoice } from '../../src/node/adapter.ts';
import { findSwiftShader, refusedLavapipe, unpackSwiftShader } from '../../src/node/softwareAdapter.ts';
import { testGpu } from '../gpu.ts';
import { double } from './double.ts';

const folder = mkdtempSync(join(tmpdir(), 'deghost-adapter-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs double.ts in a child: prints the adapter's info and whether a dispatch computes, or the error. */
async function child(env: Record<string, string>): Promise<{
  info?: { name: string; source: string; software: boolean };
  sum?: number;
  code?: string;
  message?: string;
}> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/node/double.ts'], {
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout);
}

const onLinux = process.platform === 'linux' && process.arch === 'x64';

describe('adapter', () => {
  it('computes on the adapter that the tests use', async () => {
    const { device, info } = await testGpu();
    expect(info.name).not.toBe('');
    // 0..999, doubled and summed
    expect(await double(device)).toBe(999000);
  });

  it.runIf(onLinux)(
    'falls back to SwiftShader from npm where the system has no driver, unpacking it once',
    async () => {
      const env = {
        VK_DRIVER_FILES: '/nonexistent.json',
        XDG_CACHE_HOME: join(folder, 'cache'),
        DEGHOST_ADAPTER: 'auto',
      };
      // Two at once race for the same folder.
      const both = await Promise.all([child(env), child(env)]);
      for (const result of both) {
        expect(result.info).toMatchObject({ source: 'npm', software: true });
        expect(result.sum).toBe(999000);
      }
      const cached = readdirSync(join(folder, 'cache/deghost'));
      expect(cached).toEqual([expect.stringMatching(/^swiftshader-\d/)]); // nothing partial is left
    },
  );

  it.runIf(onLinux)('takes SwiftShader by name even where the system has another driver', async () => {
    const result = await child({ DEGHOST_ADAPTER: 'swiftshader' });
    expect(result.info?.name).toMatch(/SwiftShader/);
    expect(result.sum).toBe(999000);
  });

  it('says what to install where there is nothing', async () => {
    const result = await child({
      VK_DRIVER_FILES: '/nonexistent.json',
      DEGHOST_ADAPTER: 'auto',
      HIDE_SWIFTSHADER: '1',
    });
    if (!onLinux) return;
    expect(result.code).toBe('no-adapter');
    expect(result.message).toMatch(/mesa-vulkan-drivers/);
    expect(result.message).not.toMatch(/\n/);
  });

  it.runIf(onLinux)('refuses software where only a GPU will do', async () => {
    const result = await child({ VK_DRIVER_FILES: '/nonexistent.json', DEGHOST_ADAPTER: 'gpu' });
    expect(result.code).toBe('no-adapter');
    expect(result.message).toMatch(/^no GPU/);
  });

  it('names an unknown choice', () => {
    expect(adapterChoice(undefined)).toBe('auto');
    expect(adapterChoice('gpu')).toBe('never');
    expect(() => adapterChoice('metal')).toThrow(UsageError);
    expect(() => adapterChoice('metal')).toThrow(
      'unknown adapter "metal": choose one of auto, gpu, software, swiftshader',
    );
    expect(() => adapterChoice('toString')).toThrow(UsageError);
  });
});

describe('software adapters', () => {
  it('recognises the lavapipe that WebGPU refuses', () => {
    const driver = (object: string, api: string) => ({ manifest: `/m/${object}.json`, object, api });
    const old = driver('/usr/lib/libvulkan_lvp.so', '1.1.230'); // Mesa 22.3
    expect(refusedLavapipe([driver('libvulkan_intel.so', '1.1.0'), old])).toBe(old);
    expect(
      refusedLavapipe([driver('libvulkan_lvp.so', '1.4.305'), driver('libvulkan_lvp.so', '1.3.289')]),
    ).toBeUndefined();
  });

  it.runIf(onLinux)('is in the npm package', () => {
    const found = findSwiftShader();
    expect(found && existsSync(found.archive)).toBe(true);
  });

  it('refuses a damaged archive and leaves nothing behind', () => {
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(folder, 'damaged');
    try {
      const header = Buffer.alloc(512);
      header.write('libvulkan.so.1', 0);
      header.write('00001000000\0', 124); // 262144 bytes that do not follow
      const archive = join(folder, 'bad.tar.br');
      writeFileSync(archive, brotliCompressSync(Buffer.concat([header, Buffer.alloc(512, 1)])));
      expect(() => unpackSwiftShader({ archive, version: '0' })).toThrow('tar archive is cut short at libvulkan.so.1');
      writeFileSync(archive, brotliCompressSync(Buffer.alloc(1024)));
      expect(() => unpackSwiftShader({ archive, version: '0' })).toThrow('has no libvulkan.so.1');
      writeFileSync(archive, 'no brotli');
      expect(() => unpackSwiftShader({ archive, version: '0' })).toThrow();
      expect(readdirSync(join(folder, 'damaged/deghost'))).toEqual([]);
      // The disk is full.
      const files = ['libvulkan.so.1', 'vk_swiftshader_icd.json', 'libvk_swiftshader.so'].flatMap((name) => {
        const head = Buffer.alloc(512);
        head.write(name, 0);
        head.write('00000000001\0', 124);
        return [head, Buffer.alloc(512, 1)];
      });
      writeFileSync(archive, brotliCompressSync(Buffer.concat([...files, Buffer.alloc(1024)])));
      const { writeSync } = fs;
      const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0);
      const openBefore = open();
      const full = (): never => {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      };
      Object.assign(fs, { writeSync: full });
      syncBuiltinESMExports();
      try {
        expect(() => unpackSwiftShader({ archive, version: '0' })).toThrow('no space left on device');
        expect(open()).toBe(openBefore);
      } finally {
        Object.assign(fs, { writeSync });
        syncBuiltinESMExports();
      }
      expect(readdirSync(join(folder, 'damaged/deghost'))).toEqual([]);
      // Libraries are loaded from it: only ours to write.
      expect(statSync(join(folder, 'damaged/deghost')).mode & 0o077).toBe(0);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
    }
  });

  it.runIf(onLinux)('puts a whole copy in the place of a damaged one', () => {
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(folder, 'cut');
    try {
      const found = findSwiftShader()!;
      const copy = join(folder, `cut/deghost/swiftshader-${found.version}`);
      mkdirSync(copy, { recursive: true, mode: 0o700 });
      writeFileSync(join(copy, 'libvulkan.so.1'), '');
      expect(unpackSwiftShader(found)).toBe(copy);
      const made = statSync(join(copy, 'libvulkan.so.1'));
      expect(made.size).toBeGreaterThan(1e5);
      expect(readdirSync(join(folder, 'cut/deghost'))).toEqual([`swiftshader-${found.version}`]);
      // A whole one stays.
      unpackSwiftShader(found);
      expect(statSync(join(copy, 'libvulkan.so.1')).ino).toBe(made.ino);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
    }
  });
});
