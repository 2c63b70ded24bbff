/** What runs is stopped by `dispose`, says so, and leaves nothing on the device. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDevice } from '../src/device.ts';
import { Deghoster, GpuError, UsageError } from '../src/index.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { testDevice } from './gpu.ts';
import { liveObjects } from './liveObjects.ts';
import { eightBit } from './reference/frames.ts';

const WEIGHTS = readFileSync(new URL('goldens/fixed-merge-r0.weights.safetensors', import.meta.url));
const FRAMES = eightBit(40, 24, [1, 4, 16]);
const LARGER = eightBit(160, 120, [1, 4, 16]);
const OPTIONS = { align: 'none', response: 'gamma' } as const;

let device: GPUDevice;
let live: ReturnType<typeof liveObjects>;

beforeEach(async () => {
  device = await testDevice();
  live = liveObjects(device);
});

afterEach(() => live.restore());

async function failureOf(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => {
      throw new Error('it went on to its end');
    },
    (error: Error) => error,
  );
}

describe('dispose on a borrowed device', () => {
  it.each([0, 1, 3, 6, 9])('during a merge, at report %i: it stops, says so, and all is freed', async (at) => {
    const deghoster = await Deghoster.create({ device, weights: WEIGHTS });
    let reports = 0;
    const onProgress = (): void => {
      if (reports++ === at) deghoster.dispose();
    };
    const calls = [
      deghoster.merge(FRAMES, { ...OPTIONS, onProgress }),
      deghoster.mergeToBuffer(FRAMES, OPTIONS),
      deghoster.prepare(3, { method: 'merge', width: 40, height: 24 }),
    ];
    const errors = await Promise.all(
      calls.map((call) =>
        call.then(
          () => undefined,
          (error: Error) => error,
        ),
      ),
    );
    expect(reports).toBeGreaterThan(at);
    const [merge, waiting] = errors;
    expect(merge).toBeInstanceOf(UsageError);
    expect(merge!.message).toBe('merge: this Deghoster was disposed meanwhile: create another');
    expect(waiting!.message).toBe('mergeToBuffer: this Deghoster was disposed meanwhile: create another');
    expect(live.labels()).toEqual([]);
    // Nothing more comes.
    const before = reports;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(reports).toBe(before);
    expect((await failureOf(deghoster.merge(FRAMES))).message).toContain('this Deghoster is disposed');
    deghoster.dispose();
  });

  it('while frames are aligned', async () => {
    const deghoster = await Deghoster.create({ device });
    const onProgress = ({ stage }: { stage: string }): void => void (stage === 'align' && deghoster.dispose());
    const error = await failureOf(deghoster.merge(LARGER, { method: 'merge', response: 'gamma', onProgress }));
    expect(error.message).toContain('was disposed meanwhile');
    expect(live.labels()).toEqual([]);
  });

  it('between merges frees all', async () => {
    const deghoster = await Deghoster.create({ device, weights: WEIGHTS });
    await deghoster.merge(FRAMES, OPTIONS);
    const { buffer } = await deghoster.mergeToBuffer(FRAMES, OPTIONS);
    expect(live.labels().length).toBeGreaterThan(10);
    deghoster.dispose();
    expect(live.labels()).toEqual(['radiance']);
    buffer.destroy();
  });
});

describe('dispose on a device of its own', () => {
  it('during a merge says that it was disposed, and blames no memory', async () => {
    const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    const deghoster = await Deghoster.create({ device: () => openDevice(adapter) });
    const onProgress = ({ stage }: { stage: string }): void => void (stage === 'merge' && deghoster.dispose());
    const error = await failureOf(deghoster.merge(FRAMES, { ...OPTIONS, method: 'merge', onProgress }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain('was disposed meanwhile');
  });
});

describe('a pipeline that failed', () => {
  it('is tried again, and the merge after it is right', async () => {
    const deghoster = await Deghoster.create({ device });
    const options = { ...OPTIONS, method: 'merge' } as const;
    const expected = await (async () => {
      const other = await Deghoster.create({ device });
      const { radiance } = await other.merge(FRAMES, options);
      other.dispose();
      return radiance;
    })();
    let calls = 0;
    Object.assign(device, {
      createComputePipelineAsync: () => {
        calls++;
        return Promise.reject(new DOMException('no memory for it', 'OperationError'));
      },
    });
    try {
      const error = await failureOf(deghoster.merge(FRAMES, options));
      expect(error).toBeInstanceOf(GpuError);
      expect(error.message).toMatch(/^compiling .*: no memory for it$/);
    } finally {
      delete (device as { createComputePipelineAsync?: unknown }).createComputePipelineAsync;
    }
    expect(calls).toBeGreaterThan(0);
    expect((await deghoster.merge(FRAMES, options)).radiance).toEqual(expected);
    deghoster.dispose();
    expect(live.labels()).toEqual([]);
  });
});
