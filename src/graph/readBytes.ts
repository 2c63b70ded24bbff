/** Reads bytes of a buffer back, beside what a merge reads tile by tile. */
import type { Gpu } from '../device.ts';

/** @throws GpuError; DeviceLostError. */
export async function readBytes(gpu: Gpu, buffer: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
  const { device } = gpu;
  const readback = await gpu.guard('reading back', (own) => {
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const to = own(device.createBuffer({ label: 'readback', size: bytes, usage }));
    const encoder = device.createCommandEncoder({ label: 'readback' });
    encoder.copyBufferToBuffer(buffer, offset, to, 0, bytes);
    device.queue.submit([encoder.finish()]);
    return to;
  });
  try {
    return await gpu.read(readback, (range) => range.slice(0));
  } finally {
    readback.destroy();
  }
}
