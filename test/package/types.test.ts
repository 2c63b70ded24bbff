/**
 * The declarations as a user's TypeScript reads them: under both module resolutions, with and without the DOM library,
 * and with this TypeScript as well as the 5.6 that an npm package here carries.
 *
 * TypeScript 7 has WebGPU's types in its DOM library, TypeScript 5 gets them from the package @webgpu/types. The two
 * clash, so the declarations refer to neither: without either, a GPUDevice is `any`, and tsc reports that only without
 * skipLibCheck.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, bin, installed, run } from './installed.ts';

const CORE = `
import { Deghoster, InputError, encodeRgbe } from 'deghost';
import type { Frame, MergeResult, PlanReport } from 'deghost';
const frames: Frame[] = [1, 4].map((exposure) => ({ data: new Uint8Array(12), width: 2, height: 2, exposure }));
const deghoster: Deghoster = await Deghoster.create({ memoryBudget: 2 ** 28 });
const result: MergeResult = await deghoster.merge(frames, { onProgress: ({ fraction }) => fraction.toFixed(2) });
export const pieces: Uint8Array[] = [...encodeRgbe(result.radiance, result.width, result.height, result.scale)];
// @ts-expect-error An exposure is a number.
frames.push({ data: new Uint8Array(12), width: 2, height: 2, exposure: '1/80' });
// @ts-expect-error There is no such option.
await Deghoster.create({ memory: 1 });
const report: PlanReport = deghoster.plan({ width: 6000, height: 4000, frames: 3, method: 'merge' });
export const tiles: number[] = report.stages.map((stage) => stage.tiles);
// @ts-expect-error Schedules, plans and programs are internal.
deghoster.schedule({ width: 6000, height: 4000, frames: 3 });
export const remedy = (error: unknown) =>
  error instanceof InputError && error.problem === 'exposure' ? error.finding + ': ask the camera' : String(error);
`;

const BROWSER = `
import { Deghoster } from 'deghost';
const adapter = await navigator.gpu.requestAdapter();
const device: GPUDevice = await adapter!.requestDevice();
const deghoster = await Deghoster.create({ device });
const image: ImageBitmap = await createImageBitmap(new Blob([]));
await deghoster.merge([{ image, exposure: 1 }, { image, exposure: 4 }]);
device.destroy();
`;

const NODE = `
import { Deghoster } from 'deghost';
import { readShippedWeights, readStack, requestDevice, writeImage } from 'deghost/node';
const { frames, response, camera, exif } = await readStack(['a.jpg', 'b.jpg', 'c.jpg']);
const device = await requestDevice();
const deghoster = await Deghoster.create({ weights: await readShippedWeights(frames.length), device });
await writeImage('out.hdr', { ...(await deghoster.merge(frames, { response })), camera, exif: exif[1] });
device.destroy();
// @ts-expect-error The path comes first.
await writeImage(await deghoster.merge(frames), 'out.hdr');
`;

const NEWEST = [bin('tsc')];
const OLD = [process.execPath, join(ROOT, 'node_modules/@arethetypeswrong/core/node_modules/typescript/bin/tsc')];
const TYPES = ['--typeRoots', join(ROOT, 'node_modules/@types')];
const NODE_TYPES = ['--types', 'node', ...TYPES];

let folder: string;
beforeAll(async () => {
  folder = await installed();
  for (const [name, text] of Object.entries({ core: CORE, browser: BROWSER, node: NODE }))
    writeFileSync(join(folder, `${name}.ts`), text);
});

/**
 * What tsc reports for a file. Where the libraries are checked too (`strict`), every declaration that is reached must
 * compile by itself.
 */
async function check(
  tsc: string[],
  file: string,
  resolution: string,
  lib: string,
  strict: boolean,
  types: string[],
): Promise<string> {
  const module = resolution === 'bundler' ? 'esnext' : 'node16';
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    module,
    '--moduleResolution',
    resolution,
    '--lib',
    lib,
    '--skipLibCheck',
    String(!strict),
    ...types,
  ];
  const [program, ...first] = tsc;
  const { out, err } = await run(program, [...first, ...options, `${file}.ts`], { cwd: folder });
  return out + err;
}

describe.each(['node16', 'bundler'])('moduleResolution %s', (resolution) => {
  it('needs nothing else with the DOM library, and nothing but @types/node for deghost/node', async () => {
    for (const file of ['core', 'browser'])
      expect(await check(NEWEST, file, resolution, 'es2023,dom', true, []), file).toBe('');
    expect(await check(NEWEST, 'node', resolution, 'es2023,dom', true, NODE_TYPES)).toBe('');
  });

  it('needs skipLibCheck without the DOM library', async () => {
    expect(await check(NEWEST, 'node', resolution, 'es2023', false, NODE_TYPES)).toBe('');
    expect(await check(NEWEST, 'node', resolution, 'es2023', true, NODE_TYPES)).toMatch(/Cannot find name 'GPUDevice'/);
  });

  it('needs skipLibCheck with TypeScript 5', async () => {
    expect((await run(OLD[0], [OLD[1], '--version'])).out).toMatch(/^Version 5\.6/);
    expect(await check(OLD, 'core', resolution, 'es2023,dom', false, [])).toBe('');
    expect(await check(OLD, 'node', resolution, 'es2023', false, NODE_TYPES)).toBe('');
  });

  it('goes with @webgpu/types, which is where TypeScript 5 has navigator.gpu from', async () => {
    const webgpu = ['--types', '@webgpu/types', '--typeRoots', join(ROOT, 'node_modules')];
    expect(await check(OLD, 'browser', resolution, 'es2023,dom', false, [])).toMatch(
      /Property 'gpu' does not exist on type 'Navigator'/,
    );
    for (const tsc of [OLD, NEWEST])
      expect(await check(tsc, 'browser', resolution, 'es2023,dom', false, webgpu)).toBe('');
  });
});
