/** Exposures from EXIF and from the command line. */
import { describe, expect, it } from 'vitest';
import { exposureBiases, exposureFromExif, exposureInfo, exposures } from '../../src/image/exif.ts';
import { readExif } from '../../src/node/exif.ts';
import { parseEv, parseTimes } from '../../src/node/cli/exposureArgs.ts';
import { exposureFields, png, tiff } from './pictures.ts';

describe('EXIF', () => {
  it('time, ISO and f-number together', () => {
    expect(exposureFromExif({ time: 0.01, iso: 400, fNumber: 2 })).toBeCloseTo(0.01, 12);
    expect(exposureFromExif({ time: 0.01 })).toBe(0.01);
    expect(exposureFromExif({ iso: 100, fNumber: 8 })).toBeUndefined();
  });

  it('reads the fields from bytes; 0 f-number and ISO count as absent', async () => {
    expect(await readExif(tiff([], exposureFields({ time: [1, 160], fNumber: [28, 10], iso: 640 })))).toEqual({
      time: 1 / 160,
      fNumber: 2.8,
      iso: 640,
    });
    expect(await readExif(tiff([], exposureFields({ time: [1, 160], fNumber: [0, 10], iso: 0 })))).toEqual({
      time: 1 / 160,
    });
    expect(await readExif(tiff([], exposureFields({ time: [0, 1] })))).toEqual({ time: 0 });
    expect(await readExif(tiff([], exposureFields({ time: [1, 0] })))).toEqual({});
  });

  it('falls back to the APEX fields and to the long ISO fields', async () => {
    const info = await readExif(
      tiff(
        [],
        [
          [37377, 10, [5, 1]],
          [37378, 5, [4, 1]],
          [34855, 3, [65535]],
          [34866, 4, [102400]],
        ],
      ),
    );
    expect(info).toEqual({ time: 1 / 32, fNumber: 4, iso: 102400 });
    expect(exposureInfo({ ISO: [200, 0] })).toEqual({ iso: 200 });
  });

  it('takes the bias where no frame has a time, and all have one', async () => {
    const biased = (n: number, d: number) => readExif(tiff([], [[37380, 10, [n, d]]]));
    const exif = await Promise.all([biased(-2, 1), biased(0, 1), biased(4, 3)]);
    expect(exif.map(({ bias }) => bias)).toEqual([-2, 0, 4 / 3]);
    const stack = exif.map((of, i) => ({ name: `${i + 1}.jpg`, exif: of }));
    expect(exposures(stack)).toEqual([0.25, 1, 2 ** (4 / 3)]);
    expect(exposureBiases(stack)).toEqual([-2, 0, 4 / 3]);
    // A time says more, and equal biases say nothing.
    const timed = stack.map(({ name, exif: of }, i) => ({ name, exif: { ...of, time: 2 ** i } }));
    expect(exposures(timed)).toEqual([1, 2, 4]);
    expect(exposureBiases(timed)).toBeUndefined();
    for (const bad of [stack.map(() => stack[0]), [...stack.slice(0, 2), { name: '3.jpg', exif: {} }]])
      expect(() => exposures(bad)).toThrow('1.jpg has no exposure time in its EXIF data: give the exposures yourself');
  });

  it('damaged or absent EXIF is none', async () => {
    const whole = tiff([], exposureFields({ time: [1, 160], fNumber: [28, 10], iso: 640 }));
    for (const cut of [8, 10, 20, 30])
      expect(
        await readExif(
          png({ width: 1, height: 1, rows: new Uint8Array(3), extra: [['eXIf', whole.subarray(0, cut)]] }),
        ),
      ).toEqual({});
    expect(await readExif(png({ width: 1, height: 1, rows: new Uint8Array(3) }))).toEqual({});
  });

  it('a stack uses the fields that all frames have', () => {
    const stack = (...list: object[]) => list.map((exif, i) => ({ name: `${i + 1}.jpg`, exif }));
    expect(exposures(stack({ time: 1, iso: 200, fNumber: 2 }, { time: 1, iso: 100, fNumber: 4 }))).toEqual([
      0.5, 0.0625,
    ]);
    expect(exposures(stack({ time: 1 }, { time: 4 }))).toEqual([1, 4]);
    // One frame lacks the f-number and the others agree: it is left out for all.
    expect(exposures(stack({ time: 1, fNumber: 8 }, { time: 2 }, { time: 4, fNumber: 8 }))).toEqual([1, 2, 4]);
    expect(() => exposures(stack({ time: 1, iso: 100 }, { time: 2 }, { time: 4, iso: 200 }))).toThrow(
      "2.jpg has no ISO in its EXIF data, and the other frames' differ (100, 200): give the exposures yourself",
    );
    expect(() => exposures(stack({ time: 1 }, {}))).toThrow(
      '2.jpg has no exposure time in its EXIF data: give the exposures yourself',
    );
    expect(() => exposures(stack({ time: 1 }, { time: 0 }))).toThrow('2.jpg has an exposure time of 0 s');
    expect(() => exposures(stack({ time: -1 }, { time: 1 }))).toThrow('1.jpg has an exposure time of -1 s');
  });
});

describe('arguments', () => {
  it('reads --ev and --times', () => {
    expect(parseEv('-2,0,+2', 3)).toEqual([0.25, 1, 4]);
    expect(parseEv(' 0.5 , -1e0', 2)).toEqual([Math.SQRT2, 0.5]);
    expect(parseTimes('1/320,1/80,0.05, 2 ,1/2.5', 5)).toEqual([1 / 320, 1 / 80, 0.05, 2, 0.4]);
  });

  it.each<[() => unknown, string]>([
    [() => parseEv('0,2', 3), '--ev gives 2 values for 3 frames'],
    [() => parseTimes('1', 2), '--times gives 1 value for 2 frames'],
    [() => parseEv('0,,2', 3), '--ev: "" is not a number'],
    [() => parseEv('0,x', 2), '--ev: "x" is not a number'],
    [() => parseEv('0,NaN', 2), '--ev: "NaN" is not a number'],
    [() => parseEv('0,0x10', 2), '--ev: "0x10" is not a number'],
    [() => parseEv('0,1e3', 2), '--ev: 1e3 is out of range'],
    [() => parseTimes('1/0,1', 2), '--times: "1/0" is not a positive time'],
    [() => parseTimes('0,1', 2), '--times: "0" is not a positive time'],
    [() => parseTimes('-1/30,1', 2), '--times: "-1/30" is not a positive time'],
    [() => parseTimes('1/2/3,1', 2), '--times: "1/2/3" is not a time'],
    [() => parseTimes('1/,1', 2), '--times: "1/" is not a time'],
    [() => parseTimes('30s,1', 2), '--times: "30s" is not a time'],
    [() => parseTimes('Infinity,1', 2), '--times: "Infinity" is not a time'],
  ])('refuses %s', (call, message) => {
    expect(call).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }));
  });
});
