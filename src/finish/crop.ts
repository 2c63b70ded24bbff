/**
 * Cropping and straightening: where a cut lies in the picture, and its light.
 *
 * Light between pixels is a bicubic mean of 4x4 (Catmull and Rom's spline; Keys, "Cubic convolution interpolation for
 * digital image processing", 1981), held within the 2x2 pixels around it, so that nothing rings beside bright lamps.
 * A cut that is not turned and lies on whole pixels is a copy.
 */
import { DEVICE, FINITE, SIDE, SIGNAL, expect, from, readOptions } from '../checks.ts';
import type { Rules } from '../checks.ts';
import { Gpu } from '../device.ts';
import { UsageError, throwIfCancelled } from '../errors.ts';
import { Commands } from '../graph/commands.ts';
import { Pipelines } from '../graph/pipelines.ts';
import { FLAT_ARGS, FLAT_INDEX, FLAT_WORKGROUP, flatGrid } from '../kernels/flat.ts';
import { Program } from '../kernels/program.ts';
import { readLight, readSize } from './finishChecks.ts';
import type { Crop } from './pictures.ts';

/** Where a pixel of a cut lies in the picture: `origin + column * right + row * down`, from their corners. */
export interface Placement {
  origin: readonly [number, number];
  right: readonly [number, number];
  down: readonly [number, number];
}

interface Size {
  width: number;
  height: number;
}

/** Most degrees. */
const ANGLE = /* @__PURE__ */ from(-45, 45);
/** Of a cut, either way. */
const ASPECT = /* @__PURE__ */ from(2 ** -31, 2 ** 31);
/** How far outside the picture corners may be, for rounding. */
const SLACK = 1e-3;
/** Long side of what is made at once. */
const TILE = 512;
/** Pixels around it that the spline reads. */
const REACH = 2;

/** Where a cut lies. */
export function placementOf({ angle, centerX, centerY, width, height }: Crop): Placement {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return {
    origin: [centerX - (cos * width + sin * height) / 2, centerY + (sin * width - cos * height) / 2],
    right: [cos, -sin],
    down: [sin, cos],
  };
}

/** Whether a cut lies in a picture. */
export function liesWithin(crop: Crop, { width, height }: Size): boolean {
  const { origin, right, down } = placementOf(crop);
  return [
    [0, 0],
    [crop.width, 0],
    [0, crop.height],
    [crop.width, crop.height],
  ].every(([u, v]) => {
    const [x, y] = [0, 1].map((i) => origin[i] + u * right[i] + v * down[i]);
    return x >= -SLACK && y >= -SLACK && x <= width + SLACK && y <= height + SLACK;
  });
}

/**
 * The largest cut of a picture with an angle and an aspect (width / height), about the picture's middle.
 * @throws UsageError
 */
export function largestCrop(size: Size, angle: number, aspect: number): Crop {
  const { width, height } = readSize('crop', size);
  expect('angle', angle, ANGLE);
  expect('aspect', aspect, ASPECT);
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.abs(Math.sin((angle * Math.PI) / 180))];
  // Half the cut's box in the picture is (cos w + sin h, sin w + cos h) / 2.
  const h = Math.min(width / (cos * aspect + sin), height / (sin * aspect + cos));
  return {
    angle,
    centerX: width / 2,
    centerY: height / 2,
    width: Math.max(1, Math.floor(h * aspect + 1e-6)),
    height: Math.max(1, Math.floor(h + 1e-6)),
  };
}

const RESAMPLE = new Program({
  label: 'crop',
  workgroup: [FLAT_WORKGROUP, 1, 1],
  params: { width: 'u32', count: 'u32', window_width: 'u32', window_height: 'u32', place: ['vec4f', 2] },
  bindings: {
    window: { access: 'read', type: 'array<f32>' },
    cut: { access: 'read_write', type: 'array<f32>' },
  },
  body: `${FLAT_INDEX}
fn pixel(x: i32, y: i32) -> vec3f {
  let column = u32(clamp(x, 0, i32(params.window_width) - 1));
  let row = u32(clamp(y, 0, i32(params.window_height) - 1));
  let at = 3u * (row * params.window_width + column);
  return vec3f(window[at], window[at + 1u], window[at + 2u]);
}

fn weights(t: f32) -> vec4f {
  let t2 = t * t;
  let t3 = t2 * t;
  return vec4f(-t3 + 2.0 * t2 - t, 3.0 * t3 - 5.0 * t2 + 2.0, -3.0 * t3 + 4.0 * t2 + t, t3 - t2) * 0.5;
}

@workgroup
fn main(${FLAT_ARGS}) {
  let index = flat_index(group, local, groups);
  if (index >= params.count) { return; }
  let uv = vec2f(vec2u(index % params.width, index / params.width));
  let point = params.place[1].xy + uv.x * params.place[0].xy + uv.y * params.place[0].zw;
  let low = floor(point);
  let at = vec2i(low);
  let columns = weights(point.x - low.x);
  let rows = weights(point.y - low.y);
  var sum = vec3f(0.0);
  for (var j = 0; j < 4; j++) {
    for (var i = 0; i < 4; i++) { sum += rows[j] * columns[i] * pixel(at.x + i - 1, at.y + j - 1); }
  }
  let a = pixel(at.x, at.y);
  let b = pixel(at.x + 1, at.y);
  let c = pixel(at.x, at.y + 1);
  let d = pixel(at.x + 1, at.y + 1);
  let color = clamp(sum, min(min(a, b), min(c, d)), max(max(a, b), max(c, d)));
  for (var i = 0u; i < 3u; i++) { cut[3u * index + i] = color[i]; }
}`,
});

/**
 * The light of a cut.
 * @param device stays open.
 * @param given where the cut lies.
 * @throws UsageError for a cut that is no part of the picture; InputError; CancelledError; GpuError; DeviceLostError.
 */
export async function cropPicture<P extends Size & { radiance: Float32Array }>(
  device: GPUDevice,
  picture: P,
  given: Crop,
  signal?: AbortSignal,
): Promise<P> {
  expect('crop: device', device, DEVICE);
  const { width, height } = readSize('crop', picture);
  const radiance = readLight('crop', picture.radiance, width, height);
  const crop = readCrop(given, { width, height });
  if (signal !== undefined) expect('crop: signal', signal, SIGNAL);
  const cut = new Float32Array(3 * crop.width * crop.height);
  const { origin } = placementOf(crop);
  if (crop.angle === 0 && origin.every(Number.isInteger)) {
    for (let y = 0; y < crop.height; y++) {
      const from = 3 * ((origin[1] + y) * width + origin[0]);
      cut.set(radiance.subarray(from, from + 3 * crop.width), 3 * y * crop.width);
    }
  } else await resample(Gpu.of(device), { radiance, width, height }, crop, cut, signal);
  return { ...picture, radiance: cut, width: crop.width, height: crop.height };
}

const CROP: Rules<Crop> = {
  angle: ANGLE,
  centerX: FINITE,
  centerY: FINITE,
  width: SIDE,
  height: SIDE,
};

/** Reads where a cut lies in a picture. @throws UsageError */
export function readCrop(given: Crop, size: Size): Crop {
  const crop = readOptions('crop', given, CROP, Object.keys(CROP) as (keyof Crop)[]);
  const { angle, centerX, centerY, width, height } = crop;
  if (!liesWithin(crop, size))
    throw new UsageError(
      `crop: ${width}x${height} about ${centerX}, ${centerY}, turned by ${angle} degrees, leaves the picture of ` +
        `${size.width}x${size.height}: make it smaller or move it`,
    );
  return crop;
}

/** In tiles, each from the window of the picture that it needs. */
async function resample(
  gpu: Gpu,
  { radiance, width, height }: Size & { radiance: Float32Array },
  crop: Crop,
  cut: Float32Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { device } = gpu;
  const commands = new Commands(gpu, new Pipelines(gpu));
  const { origin, right, down } = placementOf(crop);
  const tile = Math.min(TILE, Math.max(crop.width, crop.height));
  // A turned square reaches over its diagonal.
  const side = Math.ceil(tile * Math.SQRT2) + 2 * REACH + 2;
  const bytes = 12 * tile * tile;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const buffers = await gpu.guard('allocating a cut', (own) => {
    const make = (label: string, size: number, usage: number): GPUBuffer =>
      own(device.createBuffer({ label: `crop ${label}`, size, usage }));
    return {
      window: make('window', 12 * side * side, STORAGE | COPY_DST),
      cut: make('tile', bytes, STORAGE | COPY_SRC),
      readback: make('readback', bytes, MAP_READ | COPY_DST),
    };
  });
  try {
    for (let top = 0; top < crop.height; top += tile) {
      for (let left = 0; left < crop.width; left += tile) {
        throwIfCancelled(signal);
        const [columns, rows] = [Math.min(tile, crop.width - left), Math.min(tile, crop.height - top)];
        // Of pixels' middles, from the middle of the picture's first pixel.
        const pointOf = (u: number, v: number): number[] =>
          [0, 1].map((i) => origin[i] + (left + u + 0.5) * right[i] + (top + v + 0.5) * down[i] - 0.5);
        const corners = [pointOf(0, 0), pointOf(columns - 1, 0), pointOf(0, rows - 1), pointOf(columns - 1, rows - 1)];
        const bound = (i: number, most: number): [number, number] => {
          const values = corners.map((corner) => corner[i]);
          return [
            Math.min(most - 1, Math.max(0, Math.floor(Math.min(...values)) - REACH)),
            Math.min(most, Math.max(1, Math.ceil(Math.max(...values)) + REACH + 1)),
          ];
        };
        const [[x0, x1], [y0, y1]] = [bound(0, width), bound(1, height)];
        const [w, h] = [x1 - x0, y1 - y0];
        const window = new Float32Array(3 * w * h);
        for (let y = 0; y < h; y++) {
          const from = 3 * ((y0 + y) * width + x0);
          window.set(radiance.subarray(from, from + 3 * w), 3 * y * w);
        }
        const [x, y] = corners[0];
        const count = columns * rows;
        commands.add(
          RESAMPLE,
          {
            width: columns,
            count,
            window_width: w,
            window_height: h,
            place: [...right, ...down, x - x0, y - y0, 0, 0],
          },
          [buffers.window, buffers.cut],
          flatGrid(count),
        );
        await commands.submit('cropping', (encoder) => {
          device.queue.writeBuffer(buffers.window, 0, window);
          encoder.copyBufferToBuffer(buffers.cut, 0, buffers.readback, 0, 12 * count);
        });
        const take = (range: ArrayBuffer): void => {
          const taken = new Float32Array(range);
          for (let row = 0; row < rows; row++)
            cut.set(taken.subarray(3 * row * columns, 3 * (row + 1) * columns), 3 * ((top + row) * crop.width + left));
        };
        await gpu.read(buffers.readback, take, 12 * count);
      }
    }
  } finally {
    for (const buffer of Object.values(buffers)) buffer.destroy();
  }
}
