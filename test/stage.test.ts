/**
 * Tiles in flight: that they overlap, and that a merge that stops in the middle frees everything.
 */
import { describe, expect, it } from 'vitest';
import { CancelledError, Deghoster, InputError } from '../src/index.ts';
import type { MergeOptions } from '../src/index.ts';
import { Gpu, openDevice } from '../src/device.ts';
import { Executor } from '../src/graph/executor.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { runTiles } from '../src/stage.ts';
import { loadWeights } from '../src/model/loadWeights.ts';
import { testDevice } from './gpu.ts';
import { eightBit } from './reference/frames.ts';
import { readGolden } from './reference/goldens.ts';
import { expectClose } from './reference/random.ts';

/** Tests of other things take the pixels as they are. */
const AS_IS = { align: 'none' } as const;

const MiB = 1024 ** 2;
const golden = () => readGolden('fixed-halo');
const options: MergeOptions = { response: 'gamma' };

async function openAnother(): Promise<GPUDevice> {
  const { adapter } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  return openDevice(adapter);
}

/** Smallest budget, to a few per cent, that a picture of this size can be merged in: it has the most tiles. */
async function smallestBudget(width: number, height: number): Promise<number> {
  const deghoster = (memoryBudget: number) =>
    testDevice().then((device) => Deghoster.create({ weights: golden().weightsBytes, device, memoryBudget }));
  for (let budget = MiB; ; budget *= 1.05) {
    const engine = await deghoster(budget);
    try {
      expect(engine.plan({ width, height, frames: 3 }).stages.at(-1)!.tiles).toBeGreaterThan(3);
      return budget;
    } catch (error) {
      if (!(error instanceof InputError)) throw error; // too small yet
    } finally {
      engine.dispose();
    }
  }
}

/** Counts the bytes of a device's buffers between their making and their destruction, and the pipelines made on it. */
function watch(device: GPUDevice): { bytes: () => number; pipelines: () => number } {
  const live = new Map<GPUBuffer, number>();
  let pipelines = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    live.set(buffer, descriptor.size);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  const compile = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    pipelines++;
    return compile(descriptor);
  };
  return { bytes: () => [...live.values()].reduce((a, b) => a + b, 0), pipelines: () => pipelines };
}

describe('a preparation that fails', () => {
  it('leaves nothing on the device, and the next uploads its weights again', async () => {
    const device = await openAnother();
    const create = device.createBuffer.bind(device);
    let isBroken = true;
    // The last of the buffers to be made: one without a use is invalid.
    device.createBuffer = (descriptor) =>
      create(isBroken && descriptor.label === 'params' ? { ...descriptor, usage: 0 } : descriptor);
    const gpu = watch(device);
    const { weightsBytes } = golden();
    const deghoster = await Deghoster.create({ weights: weightsBytes, device });
    const { plan } = deghoster.schedule({ width: 64, height: 48, frames: 3 }).stages[1];
    const { tensors } = await loadWeights(weightsBytes);
    const executor = new Executor(new Gpu(device), (name) => tensors.get(name)!.data);
    await expect(executor.prepare(plan)).rejects.toThrow('allocating buffers: WebGPU validation error');
    expect([executor.memory.bytes, gpu.bytes()]).toEqual([0, 0]);
    isBroken = false;
    const prepared = await executor.prepare(plan);
    const other = new Executor(new Gpu(device), (name) => tensors.get(name)!.data);
    const fresh = await other.prepare(plan);
    expect(executor.memory.bytes).toBe(other.memory.bytes);
    executor.release(prepared);
    other.release(fresh);
    for (const item of [executor, other, deghoster]) item.dispose();
    expect(gpu.bytes()).toBe(0);
    device.destroy();
  });
});

describe('tiles', () => {
  it('overlap: the next is submitted before the last is pasted, and each is pasted once, in order', async () => {
    const device = await testDevice();
    const { weightsBytes } = golden();
    const deghoster = await Deghoster.create({
      weights: weightsBytes,
      device,
      memoryBudget: await smallestBudget(213, 131),
    });
    const stage = deghoster.schedule({ width: 213, height: 131, frames: 3 }).stages[1];
    deghoster.dispose();
    const { tensors } = await loadWeights(weightsBytes);
    const executor = new Executor(new Gpu(device), (name) => tensors.get(name)!.data);
    const { tiles } = stage.tiling;
    expect(tiles.length).toBeGreaterThan(3);
    const events: string[] = [];
    const placed: number[] = [];
    const reports: number[] = [];
    const first = 1; // as after a loss
    await runTiles(
      executor,
      stage,
      {
        load: (_, tile) => {
          events.push(`load ${tiles.indexOf(tile)}`);
          return Promise.resolve();
        },
        target: {
          width: 213,
          height: 131,
          layout: 'pixels',
          paste: (part, values) => {
            expect(values.length).toBe(3 * part.width * part.height);
            const at = tiles.findIndex(({ x, y }) => x.coreStart === part.x && y.coreStart === part.y);
            events.push(`paste ${at}`);
          },
        },
      },
      { report: (done) => reports.push(done) },
      first,
      (n) => placed.push(n),
    );
    const order = tiles.map((_, n) => n).slice(first);
    expect(placed).toEqual(order);
    expect(events.filter((event) => event.startsWith('load'))).toEqual(order.map((n) => `load ${n}`));
    expect(events.filter((event) => event.startsWith('paste'))).toEqual(order.map((n) => `paste ${n}`));
    for (const n of order.slice(0, -1))
      expect(events.indexOf(`load ${n + 1}`)).toBeLessThan(events.indexOf(`paste ${n}`));
    // Two in flight, not more.
    for (const n of order.slice(0, -2))
      expect(events.indexOf(`load ${n + 2}`)).toBeGreaterThan(events.indexOf(`paste ${n - 1}`));
    expect(reports).toEqual([...reports].sort((a, b) => a - b));
    expect(reports[0]).toBe(first);
    expect(reports.at(-1)).toBe(tiles.length);
    executor.dispose();
    expect(executor.memory.bytes).toBe(0);
  });

  it.each([
    ['once, and motion maps stay there, where they take a quarter of the budget', false],
    ['in each tile where they take more', true],
  ])('get their frames %s', async (_, isTight) => {
    const device = await openAnother();
    const written = new Map<string, number>();
    const count = (label: string, size: number): void => void written.set(label, (written.get(label) ?? 0) + size);
    const [create, encode] = [device.createBuffer.bind(device), device.createCommandEncoder.bind(device)];
    device.createBuffer = (descriptor) => {
      if (descriptor.mappedAtCreation) count(descriptor.label!, descriptor.size);
      return create(descriptor);
    };
    device.createCommandEncoder = (descriptor) => {
      const encoder = encode(descriptor);
      const copy = encoder.copyBufferToBuffer.bind(encoder) as (...args: unknown[]) => undefined;
      encoder.copyBufferToBuffer = (...args: unknown[]) => {
        count((args[2] as GPUBuffer).label, Number(args[4]));
        return copy(...args);
      };
      return encoder;
    };
    const [width, height] = isTight ? [333, 231] : [213, 131];
    const frames = eightBit(width, height, [1, 4, 16]).map((frame) =>
      isTight ? { ...frame, data: Float32Array.from(frame.data, (value) => value / 255) } : frame,
    );
    const memoryBudget = (isTight ? 1.2 : 1) * (await smallestBudget(width, height));
    const deghoster = await Deghoster.create({ weights: golden().weightsBytes, device, memoryBudget });
    const got = await deghoster.merge(frames, { ...AS_IS, ...options });
    const roomy = await Deghoster.create({ weights: golden().weightsBytes, device });
    const expected = await roomy.merge(frames, { ...AS_IS, ...options });
    roomy.dispose();
    deghoster.dispose();
    device.destroy();
    expectClose(got.radiance, expected.radiance, { tol: 5e-6, scale: 1, label: 'radiance' });
    // The roomy merge sent them once, too.
    const bytes = width * height * 3 * (isTight ? 4 : 1);
    for (const k of [1, 2, 3]) {
      const sent = written.get(`frame ${k}`)! - bytes;
      if (isTight) expect(sent).toBeGreaterThan(2 * bytes);
      else expect(Math.abs(sent - bytes)).toBeLessThan(8); // whole words
      expect(written.has(`map ${k}`)).toBe(isTight);
    }
  });

  it('that are cancelled leave the GPU as it was, tell nothing more, and the next merge is right', async () => {
    const device = await openAnother();
    const gpu = watch(device);
    const frames = eightBit(213, 131, [1, 4, 16]);
    const deghoster = await Deghoster.create({
      weights: golden().weightsBytes,
      device,
      memoryBudget: await smallestBudget(213, 131),
    });
    const { radiance } = await deghoster.merge(frames, { ...AS_IS, ...options });
    const idle = gpu.bytes();
    expect(idle).toBeGreaterThan(0); // weights
    const pipelines = gpu.pipelines();
    for (const [name, at] of [
      ['compile', 0],
      ['segmentation', 0.1],
      ['fusion', 0],
      ['fusion', 1.01],
      ['fusion', 2],
    ] as const) {
      const stop = new AbortController();
      let late = 0;
      let over = false;
      const run = deghoster.merge(frames, {
        ...AS_IS,
        ...options,
        signal: stop.signal,
        onProgress: ({ stage, done }) => {
          if (over) late++;
          if (stage === name && done >= at) stop.abort();
        },
      });
      await expect(run, `${name} ${at}`).rejects.toThrow(CancelledError);
      over = true;
      expect(gpu.bytes(), `${name} ${at}`).toBe(idle);
      await device.queue.onSubmittedWorkDone();
      expect(late).toBe(0);
    }
    const again = await deghoster.merge(frames, { ...AS_IS, ...options });
    expect(again.radiance).toEqual(radiance);
    expect(gpu.bytes()).toBe(idle);
    expect(gpu.pipelines()).toBe(pipelines);
    deghoster.dispose();
    expect(gpu.bytes()).toBe(0);
    device.destroy();
  });

  it('tell of an error in what they report to, and free what they had', async () => {
    const device = await openAnother();
    const gpu = watch(device);
    const deghoster = await Deghoster.create({
      weights: golden().weightsBytes,
      device,
      memoryBudget: await smallestBudget(213, 131),
    });
    const frames = eightBit(213, 131, [1, 4, 16]);
    await deghoster.merge(frames, { ...AS_IS, ...options });
    const idle = gpu.bytes();
    const onProgress = ({ stage, done }: { stage: string; done: number }): void => {
      if (stage === 'fusion' && done > 0.2) throw new Error('no paper');
    };
    await expect(deghoster.merge(frames, { ...AS_IS, ...options, onProgress })).rejects.toThrow('no paper');
    expect(gpu.bytes()).toBe(idle);
    deghoster.dispose();
    device.destroy();
  });

  it.each([0.3, 1, 1.4, 2.6])(
    'go on after the loss of a device when %f of them are done, to the same picture',
    async (moment) => {
      const frames = eightBit(213, 131, [1, 4, 16]);
      const devices: GPUDevice[] = [];
      const open = async (): Promise<GPUDevice> => {
        devices.push(await openAnother());
        return devices.at(-1)!;
      };
      const deghoster = await Deghoster.create({
        weights: golden().weightsBytes,
        device: open,
        memoryBudget: await smallestBudget(213, 131),
      });
      const expected = await deghoster.merge(frames, { ...AS_IS, ...options });
      let losses = 0;
      const got = await deghoster.merge(frames, {
        ...AS_IS,
        ...options,
        onDeviceLost: () => losses++,
        onProgress: ({ stage, done }) => stage === 'fusion' && done >= moment && losses === 0 && devices[0].destroy(),
      });
      expect([losses, devices.length]).toEqual([1, 2]);
      expect(got.radiance).toEqual(expected.radiance);
      expect(got.motion).toEqual(expected.motion);
      deghoster.dispose();
    },
  );
});

describe('prepare', () => {
  it('compiles all that a merge runs, whatever its size', async () => {
    const device = await openAnother();
    const gpu = watch(device);
    const deghoster = await Deghoster.create({ weights: golden().weightsBytes, device });
    await deghoster.prepare(3);
    const prepared = gpu.pipelines();
    expect(prepared).toBeGreaterThan(5);
    expect(gpu.bytes()).toBe(0);
    const frames = eightBit(64, 48, [1, 4, 16]);
    await deghoster.merge(frames, AS_IS);
    await deghoster.merge(frames, { ...AS_IS, response: 'gamma', reference: 2 });
    await deghoster.merge(frames, { ...AS_IS, response: 'gamma', motion: frames.map(() => new Float32Array(64 * 48)) });
    expect(gpu.pipelines()).toBe(prepared);
    await deghoster.prepare(3, { width: 64, height: 48 });
    expect(gpu.pipelines()).toBe(prepared);
    await deghoster.prepare(4, { method: 'merge' });
    expect(gpu.pipelines()).toBe(prepared + 2);
    const four = eightBit(20, 10, [1, 2, 4, 8]);
    await deghoster.merge(four, { ...AS_IS, method: 'merge' });
    await deghoster.merge(four, { ...AS_IS, method: 'merge', motion: four.map(() => new Float32Array(20 * 10)) });
    expect(gpu.pipelines()).toBe(prepared + 2);
    deghoster.dispose();
    device.destroy();
  });

  it('runs beside a merge, stops when told, and refuses what no merge would take', async () => {
    const device = await openAnother();
    const deghoster = await Deghoster.create({ weights: golden().weightsBytes, device });
    const frames = eightBit(64, 48, [1, 4, 16]);
    const preparing = deghoster.prepare(3);
    const { radiance } = await deghoster.merge(frames, { ...AS_IS, ...options });
    await preparing;
    expect(radiance.some((y) => y > 0)).toBe(true);
    await expect(deghoster.prepare(3, { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
    await expect(deghoster.prepare(2)).rejects.toThrow(/exactly 3 frames/);
    const late = deghoster.prepare(3, { method: 'merge' });
    deghoster.dispose();
    await late.catch((error: { code: string }) => expect(error.code).toBe('usage'));
    await expect(deghoster.prepare(3)).rejects.toThrow('prepare: this Deghoster is disposed');
    device.destroy();
    const lost = await Deghoster.create({ weights: golden().weightsBytes, device });
    await expect(lost.prepare(3)).rejects.toMatchObject({ code: 'device-lost' });
  });
});
