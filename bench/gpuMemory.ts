/**
 * GPU memory of any engine, measured the same way for all: what its device holds in buffers and textures at once, seen
 * from outside. Call `watchGpuMemory` once, before any device makes a buffer.
 */

/** Bytes a texel, of the formats that compute engines use. */
const TEXEL: Record<string, number> = {
  r32float: 4,
  r32uint: 4,
  r32sint: 4,
  rgba8unorm: 4,
  rg32float: 8,
  rgba16float: 8,
  rgba32float: 16,
  rgba32uint: 16,
  rgba32sint: 16,
};

interface Held {
  now: number;
  peak: number;
}

const held = new WeakMap<object, Held>();

/** Most bytes a device held since the last `resetPeak`. */
export function peakBytes(device: GPUDevice): number {
  return held.get(device)?.peak ?? 0;
}

export function resetPeak(device: GPUDevice): void {
  const memory = held.get(device);
  if (memory) memory.peak = memory.now;
}

type Destroyable = { destroy(): undefined };

function count<T extends Destroyable>(device: object, resource: T, bytes: number): T {
  const memory = held.get(device) ?? { now: 0, peak: 0 };
  held.set(device, memory);
  memory.now += bytes;
  memory.peak = Math.max(memory.peak, memory.now);
  const destroy = resource.destroy;
  let alive = true;
  resource.destroy = () => {
    if (alive) memory.now -= bytes;
    alive = false;
    return destroy.call(resource);
  };
  return resource;
}

let watching = false;

/** Counts what every device of this process makes and destroys. */
export function watchGpuMemory(): void {
  if (watching) return;
  watching = true;
  const { createBuffer, createTexture } = GPUDevice.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    return count(this, createBuffer.call(this, descriptor), descriptor.size);
  };
  GPUDevice.prototype.createTexture = function (descriptor) {
    const texture = createTexture.call(this, descriptor);
    return count(
      this,
      texture,
      texture.width * texture.height * texture.depthOrArrayLayers * (TEXEL[texture.format] ?? 4),
    );
  };
}
