/** A merge's picture, in an array or in a buffer of the device: parts of it are read and written. */
import type { Session } from '../session.ts';
import type { Rectangle } from './areas.ts';
import type { Layer } from './layer.ts';

export interface Shown {
  read(area: Rectangle): Promise<Float32Array>;
  write(area: Rectangle, radiance: Float32Array): Promise<void>;
}

/** A layer as a picture. */
export function layerShown(layer: Layer): Shown {
  return {
    read: async (area) => layer.below(area)[0],
    write: async (area, radiance) => layer.show(area, [radiance]),
  };
}

/** A buffer `[height, width, 3]` as a picture. */
export function bufferShown(buffer: GPUBuffer, session: Session, pictureWidth: number): Shown {
  const { gpu } = session;
  const { device } = gpu;
  const start = ({ x, y }: Rectangle, row: number): number => 12 * ((y + row) * pictureWidth + x);
  return {
    async read(area) {
      const row = 12 * area.width;
      const readback = await gpu.guard('reading back', (own) => {
        const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
        const to = own(device.createBuffer({ label: 'readback', size: row * area.height, usage }));
        const encoder = device.createCommandEncoder({ label: 'readback' });
        for (let j = 0; j < area.height; j++) encoder.copyBufferToBuffer(buffer, start(area, j), to, j * row, row);
        device.queue.submit([encoder.finish()]);
        return to;
      });
      try {
        return await gpu.read(readback, (range) => new Float32Array(range.slice(0)));
      } finally {
        readback.destroy();
      }
    },
    write: (area, radiance) =>
      gpu.guard('storing a part', () => {
        for (let j = 0; j < area.height; j++)
          device.queue.writeBuffer(
            buffer,
            start(area, j),
            radiance.buffer as ArrayBuffer,
            12 * area.width * j,
            12 * area.width,
          );
      }),
  };
}
