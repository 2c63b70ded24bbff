/**
 * Watching and disturbing the page's worker from outside: its GPU, and its memory.
 *
 * The program below is put in front of the worker's own when it is served. It counts the bytes of buffers and textures
 * between their creation and `destroy`, destroys a device on request, and makes memory run out: instead of what the
 * page asked for, it asks for far more than there is, so that the browser itself reports the error in its own words. It
 * communicates over a BroadcastChannel, which worker and page share.
 */
import type { Page } from 'playwright-core';
import type { Site } from './site.ts';

const CHANNEL = 'gpu-watch';

const PROGRAM = `
(() => {
  const live = new Map(); // resource: [device, bytes]
  const devices = new Set();
  const bytesOf = { rgb9e5ufloat: 4, r8unorm: 1, rgba16float: 8, rgba32float: 16, rgba8unorm: 4 };
  const wrap = (type, name, after) => {
    const original = type.prototype[name];
    type.prototype[name] = function (...args) {
      const result = original.apply(this, args);
      after(this, result, args);
      return result;
    };
  };
  // What is left: [label of the device, bytes, times that more is asked for].
  let shortage = ['', Infinity, 0];
  const runOut = (device, size) => {
    const [label, bytes, times] = shortage;
    if (device.label !== label || size <= bytes || times === 0) return;
    shortage[2]--;
    const { maxTextureDimension2D: side, maxTextureArrayLayers: layers } = device.limits;
    // Hundreds of GiB.
    const size3 = [side, side, layers];
    const size3d = [side, side, layers];
    createTexture.call(device, { size: size3d, format: 'rgba32float', usage: GPUTextureUsage.COPY_DST });
  };
  const { createTexture } = GPUDevice.prototype;
  for (const name of ['Float32Array', 'Uint8Array', 'Uint16Array']) {
    const original = globalThis[name];
    globalThis[name] = new Proxy(original, {
      construct(type, [first, ...rest], target) {
        if (typeof first === 'number' && first * type.BYTES_PER_ELEMENT > arrays)
          for (const hoard = []; ; ) hoard.push(new ArrayBuffer(2 ** 34));
        return Reflect.construct(type, [first, ...rest], target);
      },
    });
  }
  let arrays = Infinity;
  wrap(GPUDevice, 'createBuffer', (device, buffer, [{ size }]) => {
    live.set(buffer, [device, size]);
    runOut(device, size);
  });
  wrap(GPUDevice, 'createTexture', (device, texture, [{ format, mipLevelCount = 1 }]) => {
    const top = texture.width * texture.height * texture.depthOrArrayLayers * bytesOf[format];
    live.set(texture, [device, mipLevelCount > 1 ? Math.ceil((top * 4) / 3) : top]);
    runOut(device, top);
  });
  for (const type of [GPUBuffer, GPUTexture]) wrap(type, 'destroy', (resource) => live.delete(resource));
  const destroy = GPUDevice.prototype.destroy;
  wrap(GPUDevice, 'destroy', (device) => {
    devices.delete(device);
    for (const [resource, [owner]] of live) if (owner === device) live.delete(resource);
  });
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    devices.add(device);
    return device;
  };
  const channel = new BroadcastChannel('${CHANNEL}');
  channel.onmessage = ({ data }) => {
    if (data.ask === 'bytes') {
      const sum = (label) =>
        [...live.values()].reduce((total, [device, bytes]) => total + (device.label === label ? bytes : 0), 0);
      const value = { merging: sum('deghost'), viewing: sum('viewer'), devices: devices.size };
      channel.postMessage({ answer: data.id, value });
    }
    if (data.ask === 'shorten') {
      if (data.label === 'tab') arrays = data.bytes;
      else shortage = [data.label, data.bytes, data.times];
      channel.postMessage({ answer: data.id, value: true });
    }
    if (data.ask === 'lose') {
      const lost = [...devices].filter(({ label }) => label === data.label).at(-1);
      // Not the same one again while another is being opened.
      devices.delete(lost);
      if (lost) destroy.call(lost);
      channel.postMessage({ answer: data.id, value: lost !== undefined });
    }
  };
})();
`;

/** Puts the program in front of the worker's. Call it before the page is opened. */
export function watchGpu(site: Site): void {
  site.replace(/assets\/main-[^/]+\.js$/, (original) => `${PROGRAM}${original.toString('utf8')}`);
}

function ask<T>(page: Page, question: { ask: string; label?: string; bytes?: number; times?: number }): Promise<T> {
  return page.evaluate(
    ([name, message]) =>
      new Promise<unknown>((resolve) => {
        const channel = new BroadcastChannel(name);
        const id = Math.random();
        channel.onmessage = ({ data }) => {
          if (data.answer !== id) return;
          channel.close();
          resolve(data.value);
        };
        channel.postMessage({ ...message, id });
      }),
    [CHANNEL, question] as const,
  ) as Promise<T>;
}

/** Bytes of buffers and textures alive, for merging and for viewing, and devices open. */
export function gpuBytes(page: Page): Promise<{ merging: number; viewing: number; devices: number }> {
  return ask(page, { ask: 'bytes' });
}

/** Destroys the newest device of a label that is not lost yet. @returns whether there was one. */
export function loseDevice(page: Page, label: 'deghost' | 'viewer'): Promise<boolean> {
  return ask(page, { ask: 'lose', label });
}

/**
 * Leaves a device, or the tab, with little memory: single buffers, textures or arrays of more bytes cannot be
 * allocated.
 * @param times how often an allocation on a device fails.
 */
export function shortenMemory(
  page: Page,
  of: 'deghost' | 'viewer' | 'tab',
  bytes: number,
  times = 1e9,
): Promise<boolean> {
  return ask(page, { ask: 'shorten', label: of, bytes, times });
}

/** Gives memory back. */
export async function restoreMemory(page: Page): Promise<void> {
  await shortenMemory(page, 'tab', 1e15);
  await shortenMemory(page, 'deghost', 1e15);
}
