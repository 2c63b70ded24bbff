/** Made-up frames of a camera, as arrays and on a device, for tests in any runtime. */
import type { Frame } from '../../src/index.ts';
import { rng } from './random.ts';

/** Smooth 8-bit frames of a camera with an S-curve, with something that moved in the last. */
export function eightBit(width: number, height: number, exposures: readonly number[]): Frame[] {
  const random = rng(width);
  const waves = Array.from({ length: 6 }, () => ({
    fx: random.next() * 0.2,
    fy: random.next() * 0.2,
    phase: random.next() * 6,
  }));
  return exposures.map((exposure, k) => {
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      const x = Math.floor(i / 3) % width;
      const y = Math.floor(i / 3 / width);
      const moved = k === exposures.length - 1 && x < width / 4 && y < height / 3 ? 0.3 : 1;
      const sum = waves.reduce((total, { fx, fy, phase }) => total + Math.sin(fx * x + fy * y + phase + (i % 3)), 0);
      const light = Math.min(1, moved * exposure * Math.exp(sum / 2 - 3)) ** (1 / 2.2);
      data[i] = Math.round(255 * (0.6 * light + 0.4 * light * light * (3 - 2 * light)));
    }
    return { data, width, height, exposure, name: `frame ${k + 1}` };
  });
}

/** Writes a frame into a texture of 8 bits a channel, its alpha full of other values. */
export function asTexture(
  device: GPUDevice,
  { data, width, height, exposure }: Frame,
  format: 'rgba8unorm' | 'bgra8unorm' = 'rgba8unorm',
): { texture: GPUTexture; exposure: number } {
  const texture = device.createTexture({
    label: 'test frame',
    size: [width, height],
    format,
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  const order = format === 'rgba8unorm' ? [0, 1, 2] : [2, 1, 0];
  const pixels = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? i % 251 : data[3 * Math.floor(i / 4) + order[i % 4]],
  );
  device.queue.writeTexture({ texture }, pixels, { bytesPerRow: 4 * width }, [width, height]);
  return { texture, exposure };
}

/** Writes a frame into a buffer of float32. */
export function asBuffer(
  device: GPUDevice,
  { data, width, height, exposure }: Frame,
): { buffer: GPUBuffer; width: number; height: number; exposure: number } {
  const buffer = device.createBuffer({
    label: 'test frame',
    size: width * height * 12,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(
    buffer,
    0,
    Float32Array.from(data, (x) => x / 255),
  );
  return { buffer, width, height, exposure };
}

/** The values of a buffer of float32, of usage COPY_SRC. */
export async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array> {
  const readback = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, readback, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const values = new Float32Array(readback.getMappedRange().slice(0));
  readback.destroy();
  return values;
}
