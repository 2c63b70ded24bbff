/** The camera response: estimates against known curves, what keeps the prior, and the file format. */
import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../src/errors.ts';
import type { Frame } from '../../src/image/frame.ts';
import {
  estimateResponse,
  formatResponse,
  gammaResponse,
  linearResponse,
  parseResponse,
} from '../../src/image/response.ts';
import { deviationText, responseDeviation } from '../../src/image/responseDeviation.ts';
import { curves, invert, random, shoot } from './responseScenes.ts';
import type { Curve, Shot } from './responseScenes.ts';

const CHANNELS = ['r', 'g', 'b'] as const;
const size = { width: 200, height: 140 };

/** Worst error of f, and of f^(1/2.2), over the range each channel covers, against the curves' inverse by bisection. */
function errors(shot: Shot): { f: number; h: number; where: string } {
  const { response, report } = estimateResponse(shoot(shot));
  let f = 0;
  let h = 0;
  let where = '';
  expect(report.kind, report.reason).toBe('estimated');
  CHANNELS.forEach((name, c) => {
    const [low, high] = report.channels[name].range;
    expect(low).toBeLessThan(0.05);
    expect(high).toBeGreaterThan(0.95);
    const truth = invert(shot.curve[c]);
    for (let i = Math.ceil(low * 255); i <= Math.floor(high * 255); i++) {
      f = Math.max(f, Math.abs(response[name][i] - truth[i]));
      const error = Math.abs(response[name][i] ** (1 / 2.2) - truth[i] ** (1 / 2.2));
      if (error > h) {
        h = error;
        where = `${name} at ${i}`;
      }
    }
  });
  return { f, h, where };
}

const same = (curve: Curve): [Curve, Curve, Curve] => [curve, curve, curve];

describe('estimateResponse', () => {
  for (const name of Object.keys(curves)) {
    // filmic's f climbs from 0.54 to 1 over its last six values, most of them clipped in some frame: 2.5 % off at 250.
    const bound = name === 'filmic' ? 0.03 : 0.02;
    it(`finds ${name} within ${100 * bound} % from three frames 4x apart, one thing in six moving`, () => {
      const error = errors({ ...size, seed: 7, exposures: [1, 4, 16], curve: same(curves[name]), moving: 0.17 });
      expect(error.f, error.where).toBeLessThan(bound);
      expect(error.h, error.where).toBeLessThan(0.02);
    });
  }

  const cases: Record<string, Omit<Shot, 'seed' | 'curve' | 'width' | 'height'>> = {
    'five frames 2x apart, moving and noisy': { exposures: [1, 2, 4, 8, 16], moving: 0.15, shot: 0.02, read: 0.002 },
    'five frames 4x apart': { exposures: [1, 4, 16, 64, 256], key: 3 },
    'a shaking hand': { exposures: [1, 4, 16], shake: 2 },
    'uneven steps': { exposures: [1, 2, 16] },
    '16-bit samples': { exposures: [1, 4, 16], depth: 16 },
    'float samples': { exposures: [1, 4, 16], depth: 32 },
  };
  for (const [name, shot] of Object.entries(cases)) {
    it(`finds one curve for all channels: ${name}`, () => {
      const error = errors({ ...size, seed: 11, curve: same(curves['strong S']), ...shot });
      expect(error.f, error.where).toBeLessThan(0.02);
      expect(error.h, error.where).toBeLessThan(0.02);
    });
  }

  it('keeps grey grey whatever the noise', () => {
    for (const seed of [21, 22, 23, 24]) {
      const { response, report } = estimateResponse(
        shoot({ ...size, seed, exposures: [1, 4, 16], curve: same(curves.jpeg), moving: 0.2, shot: 0.03, read: 0.003 }),
      );
      const largest = Math.max(
        ...response.g
          .slice(8, 250)
          .flatMap((g, i) => [Math.abs(response.r[i + 8] / g - 1), Math.abs(response.b[i + 8] / g - 1)]),
      );
      expect(largest).toBeLessThan(0.02);
      const deviation = responseDeviation({ response, report });
      expect(deviation.median).toBeLessThanOrEqual(deviation.largest);
      expect(deviation.largest).toBeLessThanOrEqual(largest);
      expect(deviation.largest).toBeGreaterThan(0);
    }
  });

  it('lets channels deviate a little where they do, and says how far', () => {
    // psi_c = ln h of a power of the curve: red's radiance 6 % off at a tenth, blue's as much the other way.
    const powered =
      (power: number): Curve =>
      (l) =>
        curves.film(l ** power);
    const shot: Shot = {
      ...size,
      seed: 12,
      exposures: [1, 4, 16],
      curve: [powered(1 / 1.026), curves.film, powered(1.026)],
    };
    const { response, report } = estimateResponse(shoot(shot));
    const [r, , b] = shot.curve.map(invert);
    const code = 80;
    const found = Math.log(response.r[code] / response.b[code]);
    const truth = Math.log(r[code] / b[code]);
    expect(found / truth).toBeGreaterThan(0.1);
    expect(found / truth).toBeLessThan(1);
    const deviation = responseDeviation({ response, report });
    expect(deviation.largest).toBeGreaterThan(0.005);
    expect(deviationText(deviation)).toContain(
      `channels within ${(100 * deviation.largest).toFixed(1)} % of one curve`,
    );
  });

  it('does not take the noise of burnt-out JPEG for light', () => {
    const next = random(13);
    const frames = shoot({ ...size, seed: 13, exposures: [1, 4, 16], curve: same(curves.jpeg), key: 2.5 });
    // Each channel more than the one before, as chroma has it.
    for (const { data } of frames)
      for (let i = 0; i < data.length; i++)
        if (data[i] === 255) data[i] = 255 - Math.floor((2 + 2 * (i % 3)) * next() ** 2);
    const { response, report } = estimateResponse(frames);
    const truth = invert(curves.jpeg);
    expect(report.kind).toBe('estimated');
    for (const name of CHANNELS)
      for (const code of [64, 128, 192])
        expect(Math.abs(response[name][code] / truth[code] - 1), `${name} at ${code}`).toBeLessThan(0.05);
    for (const code of [64, 128, 192]) expect(Math.abs(response.r[code] / response.b[code] - 1)).toBeLessThan(0.01);
  });

  it('is a valid response, the same each time, that its own file format keeps', () => {
    const frames = shoot({ ...size, seed: 3, exposures: [1, 4, 16], curve: same(curves.film) });
    const { response, report } = estimateResponse(frames);
    expect(estimateResponse(frames).response).toEqual(response);
    const back = parseResponse(formatResponse(response), 'saved.json');
    for (const name of CHANNELS)
      back[name].forEach((value, i) => expect(Math.abs(value - response[name][i])).toBeLessThan(1e-7));
    expect(report.kind).toBe('estimated');
    expect(report.summary).toMatch(/^response estimated from the stack: .*residual 0\.0\d\d$/);
    for (const name of CHANNELS) expect(report.channels[name].residual).toBeLessThan(0.01);
  });

  it('aligns the frames nearly as well as the true curve does, and far better than the prior', () => {
    const frames = shoot({ ...size, seed: 5, exposures: [1, 4, 16], curve: same(curves['strong S']) });
    // Independent of the fit: how far the shortest frame, aligned pixel by pixel, lies from the middle one in the gamma
    // domain, where nine in ten pixels are nearer. Noise and quantisation leave some of it to the truth too.
    const distance = (f: readonly number[]): number => {
      const [short, reference] = frames;
      const gain = 4 ** (1 / 2.2);
      const list: number[] = [];
      for (let i = 1; i < short.data.length; i += 3) {
        list.push(Math.abs(Math.min(1, gain * f[short.data[i]] ** (1 / 2.2)) - f[reference.data[i]] ** (1 / 2.2)));
      }
      return list.sort((a, b) => a - b)[Math.floor(list.length * 0.9)];
    };
    const estimated = distance(estimateResponse(frames).response.g);
    expect(estimated).toBeLessThan(distance(invert(curves['strong S'])) + 0.003);
    expect(estimated).toBeLessThan(0.5 * distance(gammaResponse().g));
  });

  const prior = (frames: Frame[], reason: RegExp): void => {
    const { response, report } = estimateResponse(frames);
    expect(response).toEqual(gammaResponse());
    expect(report.kind).toBe('gamma');
    expect(report.reason).toMatch(reason);
    expect(responseDeviation({ response, report })).toEqual({ median: 0, largest: 0 });
    expect(report.summary).toBe(`response: gamma 2.2 kept: ${report.reason}`);
  };
  const flat = (value: number, exposure: number): Frame => ({
    data: new Uint8Array(64 * 64 * 3).fill(value),
    width: 64,
    height: 64,
    exposure,
  });

  it('keeps the prior where the stack does not determine the curve', () => {
    prior([flat(0, 1), flat(255, 4)], /pairs of unclipped values/);
    prior([flat(60, 1), flat(110, 4)], /pairs of unclipped values/);
    prior(shoot({ ...size, seed: 1, exposures: [1, 1.1], curve: same(curves.film) }), /a factor of 1\.10 only/);
    prior(
      [
        { ...flat(9, 1), width: 1, height: 1, data: new Uint8Array(3) },
        { ...flat(9, 2), width: 1, height: 1, data: new Uint8Array(3) },
      ],
      /pairs/,
    );
  });

  it('keeps the prior where no curve explains the frames', () => {
    const next = random(2);
    // The longer, the darker: exposures in the wrong order.
    const frames = shoot({ ...size, seed: 4, exposures: [1, 4, 16], curve: same(curves['gamma 2.2']) }).reverse();
    frames.forEach((frame, i) => {
      frame.exposure = 4 ** i * (1 + 0.001 * next());
    });
    prior(frames, /no curve fits/);
  });

  it('gives a valid curve whatever untrue exposures say', () => {
    const frames = shoot({ ...size, seed: 7, exposures: [1, 4, 16], curve: same(curves.jpeg), moving: 0.17 });
    for (const exposures of [
      [1, 2, 3],
      [1, 3, 100],
      [1, 100, 10000],
      [1, 1e9, 1e300],
    ]) {
      const { response } = estimateResponse(frames.map((frame, i) => ({ ...frame, exposure: exposures[i] })));
      for (const name of CHANNELS) {
        const curve = response[name];
        expect([curve.length, curve[0], curve[255]]).toEqual([256, 0, 1]);
        expect(curve.every((value, i) => Number.isFinite(value) && (i === 0 || value >= curve[i - 1]))).toBe(true);
      }
    }
  });

  it('gives a channel without information the curve of the others', () => {
    const frames = shoot({ ...size, seed: 6, exposures: [1, 4, 16], curve: same(curves.film) });
    for (const frame of frames) for (let i = 2; i < frame.data.length; i += 3) frame.data[i] = 0;
    const { response, report } = estimateResponse(frames);
    expect(report.kind).toBe('estimated');
    expect(report.channels.b).toEqual({ pairs: 0, residual: 0, range: [0, 0] });
    expect(report.pairs).toBe(report.channels.r.pairs + report.channels.g.pairs);
    const truth = invert(curves.film);
    for (const code of [32, 64, 128, 192]) expect(Math.abs(response.b[code] / truth[code] - 1)).toBeLessThan(0.05);
  });

  it('reads a large picture on a grid', () => {
    const small = shoot({ width: 64, height: 48, seed: 8, exposures: [1, 4], curve: same(curves.film) });
    const large = small.map((frame) => {
      const data = new Uint8Array(4096 * 3072 * 3);
      for (let y = 0; y < 3072; y++)
        for (let x = 0; x < 4096; x++)
          for (let c = 0; c < 3; c++) data[(y * 4096 + x) * 3 + c] = frame.data[((y >> 6) * 64 + (x >> 6)) * 3 + c];
      return { ...frame, data, width: 4096, height: 3072 };
    });
    const start = performance.now();
    const { report } = estimateResponse(large);
    expect(report.kind).toBe('estimated');
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('stops when asked', () => {
    const controller = new AbortController();
    controller.abort();
    expect(() => estimateResponse([flat(9, 1), flat(30, 4)], { signal: controller.signal })).toThrow(CancelledError);
  });
});

describe('response files', () => {
  const good = (): Record<string, unknown[]> => ({ ...linearResponse() });
  const refuse = (change: (file: Record<string, unknown>) => void, message: string): void => {
    const file = good();
    change(file);
    expect(() => parseResponse(JSON.stringify(file), 'cam.json')).toThrow(InputError);
    expect(() => parseResponse(JSON.stringify(file), 'cam.json')).toThrow(message);
  };

  it('holds the curves', () => {
    expect(parseResponse(JSON.stringify(gammaResponse()), 'cam.json')).toEqual(gammaResponse());
    expect(gammaResponse(1.8).g[128]).toBeCloseTo((128 / 255) ** 1.8, 12);
    expect(linearResponse().b[51]).toBeCloseTo(0.2, 12);
  });

  it('names what is wrong', () => {
    expect(() => parseResponse('{', 'cam.json')).toThrow('cam.json: not JSON');
    expect(() => parseResponse('[1]', 'cam.json')).toThrow('cam.json: no object, expected {"r": [...], ');
    expect(() => parseResponse('null', 'cam.json')).toThrow('cam.json: no object');
    refuse((file) => {
      delete file.g;
    }, 'cam.json: channel g is missing');
    refuse((file) => {
      file.r = 'x';
    }, 'cam.json: channel r is not an array');
    refuse((file) => {
      file.b = [0, 1];
    }, 'cam.json: channel b has 2 values, 256 are needed');
    refuse((file) => {
      (file.g as unknown[])[7] = null;
    }, 'cam.json: channel g, index 7: null is not a finite number');
    refuse((file) => {
      (file.g as unknown[])[9] = 0;
    }, "cam.json: channel g, index 9: 0 is below index 8's");
    refuse((file) => {
      file.r = (file.r as number[]).map((v) => v * 0.9);
    }, 'cam.json: channel r, index 255: 0.9, f must run from 0 to 1');
    refuse((file) => {
      (file.r as number[])[0] = 0.001;
    }, 'cam.json: channel r, index 0: 0.001, f must run from 0 to 1');
  });
});
