/**
 * What a merge promises about what it is given: it reads fields and options once, takes arrays of any memory, notices
 * memory that goes away, and ends with what a callback throws.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deghoster } from '../src/index.ts';
import type { MergeResult } from '../src/index.ts';
import { testDevice } from './gpu.ts';
import { asBuffer, asTexture } from './reference/frames.ts';
import { PLAIN, SIZE, changed, map, maps, refuses, stack } from './misuse.ts';
import type { Any } from './misuse.ts';

let plain: Any;
let good: MergeResult;

beforeAll(async () => {
  plain = await Deghoster.create({ device: await testDevice() });
  good = await plain.merge(stack(), PLAIN);
});

afterAll(async () => {
  expect((await plain.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
  plain.dispose();
});

const merging = (options: object): Promise<unknown> => plain.merge(stack(), { ...PLAIN, ...options });
const merged = (frames: unknown): Promise<unknown> => plain.merge(frames, PLAIN);

describe('a merge', () => {
  it('reads options and fields once, at the call', async () => {
    /** A field that is right when it is read first, and else wrong. */
    const once = (right: unknown, wrong: unknown): PropertyDescriptor => {
      let reads = 0;
      return { get: () => (reads++ === 0 ? right : wrong), enumerable: true };
    };
    const [a, b, c] = stack();
    const names = ['data', 'width', 'height', 'exposure'];
    const frame = Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, once(b[name], null)])));
    const options = Object.defineProperties(
      { ...PLAIN },
      { method: once('merge', 'network'), align: once('none', null) },
    );
    const frames = [a, frame, c];
    const running = plain.merge(frames, options);
    c.exposure = NaN;
    a.width = 5;
    frames.length = 1;
    expect((await running).radiance).toEqual(good.radiance);
  });

  it("throws what a caller's getter or proxy throws", async () => {
    const throws = {
      get: () => {
        throw new RangeError('mine');
      },
      enumerable: true,
    };
    await expect(merged([stack()[0], Object.defineProperty({}, 'data', throws)])).rejects.toThrow(/^mine$/);
    await expect(plain.merge(stack(), Object.defineProperty({}, 'align', throws))).rejects.toThrow(/^mine$/);
    expect(() => plain.plan(Object.defineProperty({}, 'width', throws))).toThrow(/^mine$/);
  });

  it('takes arrays of any memory and class alike', async () => {
    class Mine extends Uint8Array {}
    const kinds: Record<string, (data: Uint8Array) => unknown> = {
      shared: (data) => {
        const to = new Uint8Array(new SharedArrayBuffer(data.length));
        to.set(data);
        return to;
      },
      resizable: (data) => {
        const to = new Uint8Array(new (ArrayBuffer as Any)(data.length, { maxByteLength: 4000 }));
        to.set(data);
        return to;
      },
      'at an odd place': (data) => {
        const to = new Uint8Array(new ArrayBuffer(data.length + 7), 7);
        to.set(data);
        return to;
      },
      subclass: (data) => Mine.from(data),
      Buffer: (data) => Buffer.from(data),
      clamped: (data) => Uint8ClampedArray.from(data),
    };
    for (const [kind, of] of Object.entries(kinds)) {
      const frames = new Proxy(
        stack().map((frame) => ({ ...frame, data: of(frame.data) })),
        {},
      );
      expect((await plain.merge(frames, PLAIN)).radiance, kind).toEqual(good.radiance);
    }
    const signal = AbortSignal.timeout(60_000);
    const matrices = maps(() => Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
    expect((await plain.merge(stack(), { ...PLAIN, align: { matrices }, signal, reference: 1 })).radiance).toEqual(
      good.radiance,
    );
  });

  it.each(['data', 'coverage', 'motion'])('is refused if its %s is transferred meanwhile', async (what) => {
    const coverage = new Uint8Array(SIZE * SIZE).fill(1);
    const frames = stack().map((frame) => ({ ...frame, coverage: coverage.slice() }));
    const motion = maps(() => map(0)) as Float32Array[];
    const { buffer } = what === 'motion' ? motion[0] : frames[0][what];
    const onProgress = ({ stage }: Any): void => {
      if (stage === 'compile') structuredClone(buffer, { transfer: [buffer] });
    };
    const name = what === 'motion' ? 'motion map 1' : `frame 1: ${what}`;
    await refuses('input', name, [[onProgress, 'was transferred']], (value) =>
      plain.merge(frames, { ...PLAIN, motion, onProgress: value }).then((result: MergeResult) => {
        throw new Error(`merged: ${result.radiance[0]}`);
      }),
    );
    // Before its turn has come.
    const later = stack();
    const runs = [merged(stack()), merged(later)];
    structuredClone(later[2].data.buffer, { transfer: [later[2].data.buffer] });
    await runs[0];
    await expect(runs[1]).rejects.toThrow('frame 3: data was transferred');
  });

  it('is refused if the memory of its frames shrinks meanwhile', async () => {
    const buffer = new (ArrayBuffer as Any)(SIZE * SIZE * 3, { maxByteLength: 4000 });
    const data = new Uint8Array(buffer);
    data.set(stack()[1].data);
    const onProgress = ({ stage }: Any): void => void (stage === 'compile' && buffer.resize(7));
    const running = plain.merge(changed({ data, name: 'b.jpg' }), { ...PLAIN, onProgress });
    await expect(running).rejects.toThrow('b.jpg: data was transferred, closed or resized');
  });

  it('is refused if an ImageBitmap, a texture or a buffer goes away meanwhile', async () => {
    // Closing an ImageBitmap makes its size 0.
    const image = { width: SIZE, height: SIZE };
    const later = (work: () => void): object => ({
      ...PLAIN,
      onProgress: ({ stage }: Any) => stage === 'compile' && work(),
    });
    const closed = plain.merge(
      changed({ data: undefined, image }),
      later(() => Object.assign(image, { width: 0 })),
    );
    await expect(closed).rejects.toThrow('frame 2: image was transferred, closed');
    const device = await testDevice();
    const { texture } = asTexture(device, stack()[1]);
    const destroyed = plain.merge(
      changed({ data: undefined, texture }),
      later(() => texture.destroy()),
    );
    await expect(destroyed).rejects.toMatchObject({ code: 'gpu' });
    const { buffer } = asBuffer(device, stack()[1]);
    await expect(
      plain.merge(
        changed({ data: undefined, buffer }),
        later(() => buffer.destroy()),
      ),
    ).rejects.toMatchObject({ code: 'gpu' });
  });

  it('of which the caller cancelled it and took the frames back, is cancelled', async () => {
    const controller = new AbortController();
    const frames = stack();
    const running = plain.merge(frames, {
      ...PLAIN,
      signal: controller.signal,
      onProgress: ({ stage }: Any) => {
        if (stage !== 'compile' || controller.signal.aborted) return;
        controller.abort();
        structuredClone(frames[0].data.buffer, { transfer: [frames[0].data.buffer] });
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect(merging({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it.each(['onProgress', 'onRows'])('ends with what %s throws, and the next one works', async (name) => {
    for (const stage of name === 'onRows' ? [undefined] : ['response', 'compile', 'merge']) {
      const thrown = { mine: stage };
      const callback = (event: Any): void => {
        if (stage === undefined || event.stage === stage) throw thrown;
      };
      await expect(merging({ [name]: callback })).rejects.toBe(thrown);
      expect(((await merging({})) as MergeResult).radiance).toEqual(good.radiance);
    }
  });

  it('ends with what onDeviceLost throws, and the next one works', async () => {
    const { requestDevice } = await import('../src/node/adapter.ts');
    const devices: GPUDevice[] = [];
    const own: Any = await Deghoster.create({
      device: async () => {
        const opened = await requestDevice();
        devices.push(opened);
        return opened;
      },
    });
    const thrown = new Error('mine');
    const onProgress = ({ stage }: Any): void => {
      if (stage === 'compile') devices[0].destroy();
    };
    await expect(
      own.merge(stack(), {
        ...PLAIN,
        onProgress,
        onDeviceLost: () => {
          throw thrown;
        },
      }),
    ).rejects.toBe(thrown);
    expect((await own.merge(stack(), PLAIN)).radiance).toEqual(good.radiance);
    expect(devices.length).toBe(2);
    own.dispose();
  });

  it('takes -0 for 0', async () => {
    expect(((await merging({ reference: -0 })) as MergeResult).reference).toBe(0);
  });

  it('of exposures as far apart as may be is finite', async () => {
    const { radiance } = await plain.merge(stack([1, 2 ** 63, 2 ** 126]), PLAIN);
    expect(radiance.every((y: number) => y >= 0 && y < Infinity)).toBe(true);
    expect(radiance.some((y: number) => y > 0)).toBe(true);
  });
});
