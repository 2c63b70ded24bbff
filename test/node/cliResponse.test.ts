/** `deghost merge`: one response for several stacks (`--response auto:FILE`), and the warnings it prints. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseResponse } from '../../src/image/response.ts';
import { curves, shoot } from '../image/responseScenes.ts';
import { deghost, picture } from './commandLine.ts';

const W = 160;
const H = 120;
const folder = mkdtempSync(join(tmpdir(), 'deghost-cli-response-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two stacks of one camera, and three blank pictures. */
let views: string[][];
let blank: string[];
beforeAll(async () => {
  const view = async (seed: number): Promise<string[]> => {
    const frames = shoot({
      width: W,
      height: H,
      seed,
      exposures: [1, 4, 16],
      curve: [curves.film, curves.film, curves.film],
    });
    return Promise.all(
      frames.map(({ data }, k) => picture(folder, `view${seed}-${k + 1}.png`, data as Uint8Array, W, H)),
    );
  };
  views = [await view(7), await view(8)];
  blank = await Promise.all(
    [60, 255, 255].map((code, k) => picture(folder, `blank-${k + 1}.png`, new Uint8Array(W * H * 3).fill(code), W, H)),
  );
});

const merge = (pictures: string[], ...args: string[]) =>
  deghost('merge', ...pictures, '--method', 'merge', '-o', at('out.npy'), '--json', ...args);

describe('--response auto:FILE', () => {
  it('keeps the response of the first stack, and takes it for the next', async () => {
    const file = at('camera.json');
    const first = await merge(views[0], '--ev=-2,0,2', '--response', `auto:${file}`);
    expect(first.code, first.err).toBe(0);
    expect(first.err).toContain(`the response is saved in ${file}`);
    const report = JSON.parse(first.out);
    expect(report).toMatchObject({
      keptResponse: file,
      savedResponse: null,
      warnings: [],
      response: { kind: 'estimated' },
    });
    expect(report.response.deviation.largest).toBeLessThan(0.02);
    expect(report.response.steps).toHaveLength(2);
    const text = readFileSync(file, 'utf8');
    expect(parseResponse(text, file).g[128]).toBeGreaterThan(0);

    const second = await merge(
      views[1],
      '--ev=-2,0,2',
      '--response',
      `auto:${file}`,
      '--save-response',
      at('used.json'),
    );
    expect(second.code, second.err).toBe(0);
    expect(second.err).toContain(`the response is read from ${file}`);
    expect(JSON.parse(second.out)).toMatchObject({
      keptResponse: null,
      savedResponse: at('used.json'),
      response: { kind: 'file' },
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readFileSync(at('used.json'), 'utf8')).toBe(text);
  });

  it('keeps nothing where the stack does not tell, and warns', async () => {
    const file = at('none.json');
    const ran = await merge(blank, '--ev=-2,0,2', '--response', `auto:${file}`, '--align', 'none');
    expect(ran.code, ran.err).toBe(0);
    expect(existsSync(file)).toBe(false);
    expect(ran.err).toContain(`the response is not saved in ${file}`);
    expect(ran.err).toMatch(/warning: Only 0 % of the reference, frame 2 \(blank-2\.png\).*\(--reference\)\n/);
    expect(ran.err).toMatch(/warning: The camera's response could not be estimated .*\(--response\)\n/);
    const { warnings, keptResponse } = JSON.parse(ran.out);
    expect(keptResponse).toBeNull();
    expect(warnings.map(({ kind, frames }: { kind: string; frames?: number[] }) => [kind, frames])).toEqual([
      ['poor-reference', [2]],
      ['weak-response', undefined],
    ]);
  });

  it('refuses a file that is none, or that is a picture or another output', async () => {
    for (const [option, message] of [
      ['auto:', '--response is "auto:", without a file'],
      [`auto:${views[0][0]}`, '--response would overwrite the picture'],
      [`auto:${at('out.npy')}`, '--response and --output are both'],
    ]) {
      const ran = await merge(views[0], '--ev=-2,0,2', '--response', option);
      expect(ran.code).toBe(2);
      expect(ran.err).toContain(message);
    }
  });
});

it('names frames that the pictures contradict, by number and file', async () => {
  const [a, b, c] = views[0];
  const ran = await merge([a, c, b], '--ev=-2,0,2');
  expect(ran.code, ran.err).toBe(0);
  const pair = /frame 3 \(view7-2\.png\) is listed as 4 times as bright as frame 2 \(view7-3\.png\)/.source;
  expect(ran.err).toMatch(
    new RegExp(
      `warning: The pictures contradict their exposures: .*${pair}, the pictures say .*\\(--ev, --times\\)\\n`,
    ),
  );
  const [warning] = JSON.parse(ran.out).warnings;
  expect(warning.kind).toBe('contradicted-exposures');
  expect(warning.frames).toEqual(expect.arrayContaining([2, 3]));
});
