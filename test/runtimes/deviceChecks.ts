/**
 * What goldens do not reach: frames and results that stay on the device, its loss, and a device with default limits and
 * no features. All of it depends on the WebGPU implementation as much as the kernels do.
 */
import { Deghoster } from '../../src/index.ts';
import type { FrameSource, Homography, MergeOptions } from '../../src/index.ts';
import type { Golden } from '../reference/golden.ts';
import { asBuffer, asTexture, eightBit, readBuffer } from '../reference/frames.ts';
import { expectClose } from '../reference/random.ts';
import { SHOTS, align, handHeld, meanDistance } from '../align/estimateChecks.ts';
import { GOLDEN_TOLERANCE, checkGolden } from './goldenCheck.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

/**
 * How the frames of estimateChecks.ts lie on the reference, as lavapipe found it. Every runtime must find the same, to
 * a hundredth of a pixel; SwiftShader is within 1e-4.
 */
const HOMOGRAPHIES: readonly Homography[] = [
  [
    1.00732070417, 0.02363701946, 2.42934993425, -0.02291758487, 1.00464668441, -4.47591742838, 2.79470728918e-5,
    -1.2851332354e-5, 1,
  ],
  [1, 0, 0, 0, 1, 0, 0, 0, 1],
  [
    0.99107219655, -0.04671894973, -5.72189223644, 0.04490723445, 0.99086727368, 0.37540349341, -8.18757094019e-6,
    -1.98606607406e-5, 1,
  ],
];

/** An implementation's unorm8 may be off by a rounding, which the network carries on. */
const DEVICE_TOLERANCE = 1e-5;

/**
 * What device checks need: a thin network, a device, and a way to open others; without one the library's own way is
 * checked.
 */
export interface DeviceSetting {
  golden: Golden;
  device: GPUDevice;
  open?: () => Promise<GPUDevice>;
  requestAdapter: () => Promise<GPUAdapter>;
}

export interface DeviceCheck {
  name: string;
  /** Most a value may differ. */
  tolerance: number;
  /** Whether the runtime has what it needs; ImageBitmaps are the browsers'. */
  applies(device: GPUDevice): boolean;
  /** @returns the worst absolute difference of values in [0,1]. */
  run(setting: DeviceSetting): Promise<number>;
}

const WIDTH = 150;
const HEIGHT = 40;
const OPTIONS: MergeOptions = { response: 'gamma' };

const frames = () => eightBit(WIDTH, HEIGHT, [1, 4, 16]);

function close(actual: ArrayLike<number>, expected: ArrayLike<number>, label: string): number {
  return expectClose(actual, expected, { tol: DEVICE_TOLERANCE, scale: 1, label });
}

/**
 * Merges frames that `place` puts on the device, and compares with what arrays give: the picture, and the reference
 * that is chosen.
 */
async function checkFrames(
  { golden, device }: DeviceSetting,
  place: () => Promise<FrameSource[]>,
  label: string,
): Promise<number> {
  const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device });
  try {
    const options: MergeOptions = { ...OPTIONS, reference: 'auto' };
    const expected = await deghoster.merge(frames(), { ...AS_IS, ...options });
    const { radiance, referenceChoice } = await deghoster.merge(await place(), { ...AS_IS, ...options });
    const [got, wanted] = [referenceChoice, expected.referenceChoice].map((choice) => JSON.stringify(choice));
    if (!wanted || got !== wanted) throw new Error(`${label}: the reference is ${got}, of arrays it is ${wanted}`);
    return close(radiance, expected.radiance, label);
  } finally {
    deghoster.dispose();
  }
}

const DEVICE_CHECKS: readonly DeviceCheck[] = [
  {
    name: 'homographies of frames by hand',
    tolerance: 0.01,
    applies: () => true,
    async run({ device }) {
      const found = await align(device, handHeld(1, SHOTS));
      return Math.max(...HOMOGRAPHIES.map((expected, k) => meanDistance(found[k].matrix, expected)));
    },
  },
  {
    name: 'frames in a texture and a buffer',
    tolerance: DEVICE_TOLERANCE,
    applies: () => true,
    run(setting) {
      const [a, b, c] = frames();
      const { device } = setting;
      return checkFrames(
        setting,
        async () => [asTexture(device, a), asTexture(device, b, 'bgra8unorm'), asBuffer(device, c)],
        'radiance',
      );
    },
  },
  {
    name: 'frames as ImageBitmap',
    tolerance: DEVICE_TOLERANCE,
    applies: ({ queue }) =>
      typeof createImageBitmap === 'function' && typeof queue.copyExternalImageToTexture === 'function',
    run: (setting) => checkFrames(setting, () => Promise.all(frames().map(asImage)), 'radiance'),
  },
  {
    name: 'the result in a buffer, tiled',
    tolerance: DEVICE_TOLERANCE,
    applies: () => true,
    async run({ golden, device }) {
      const deghoster = await createTiled(golden, device);
      try {
        const expected = await deghoster.merge(frames(), { ...AS_IS, ...OPTIONS });
        const { buffer } = await deghoster.mergeToBuffer(frames(), { ...AS_IS, ...OPTIONS });
        const error = close(await readBuffer(device, buffer), expected.radiance, 'radiance');
        buffer.destroy();
        return error;
      } finally {
        deghoster.dispose();
      }
    },
  },
  {
    name: 'a device lost in the middle of a merge',
    tolerance: DEVICE_TOLERANCE,
    applies: () => true,
    async run({ golden, open }) {
      const deghoster = await Deghoster.create({ weights: golden.weightsBytes, device: open });
      try {
        const expected = await deghoster.merge(frames(), { ...AS_IS, ...OPTIONS });
        const first = deghoster.device;
        let losses = 0;
        const { radiance } = await deghoster.merge(frames(), {
          ...AS_IS,
          ...OPTIONS,
          onProgress: ({ stage }) => stage === 'fusion' && losses === 0 && first.destroy(),
          onDeviceLost: () => losses++,
        });
        if (losses !== 1 || deghoster.device === first)
          throw new Error(`the device was destroyed once, and lost ${losses} times`);
        return close(radiance, expected.radiance, 'radiance');
      } finally {
        deghoster.dispose();
      }
    },
  },
  {
    // Anything that the engine uses without requesting it is a validation error here.
    name: 'a golden on a device of default limits without features',
    tolerance: GOLDEN_TOLERANCE,
    applies: () => true,
    async run({ golden, requestAdapter }) {
      const device = await (await requestAdapter()).requestDevice();
      try {
        return await checkGolden(golden, device);
      } finally {
        device.destroy();
      }
    },
  },
];

/** A Deghoster of so small a budget that it merges the frames in several tiles. */
async function createTiled({ weightsBytes }: Golden, device: GPUDevice): Promise<Deghoster> {
  for (let memoryBudget = 2 ** 20; memoryBudget < 2 ** 26; memoryBudget *= 1.25) {
    const deghoster = await Deghoster.create({ weights: weightsBytes, device, memoryBudget });
    let tiles: number[];
    try {
      tiles = deghoster.plan({ width: WIDTH, height: HEIGHT, frames: 3 }).stages.map((stage) => stage.tiles);
    } catch {
      deghoster.dispose(); // too small for any tile
      continue;
    }
    if (Math.max(...tiles) < 2)
      throw new Error(`${WIDTH}x${HEIGHT} is one tile in the smallest budget, ${memoryBudget} bytes: make it larger`);
    return deghoster;
  }
  throw new Error(`${WIDTH}x${HEIGHT} cannot be planned in any budget below 64 MiB`);
}

/** The device checks that a runtime can do. */
export function deviceChecks(device: GPUDevice): DeviceCheck[] {
  return DEVICE_CHECKS.filter((check) => check.applies(device));
}

async function asImage({ data, width, height, exposure }: ReturnType<typeof eightBit>[number]): Promise<FrameSource> {
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let p = 0; p < width * height; p++) for (let c = 0; c < 3; c++) pixels[4 * p + c] = data[3 * p + c];
  return { image: await createImageBitmap(new ImageData(pixels, width, height)), exposure };
}
