/**
 * How the suite finds its browser: the first that is installed runs the tests of pages, and if none can, the run ends
 * at once.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { supportsSwiftShader } from '../src/node/softwareAdapter.ts';
import { launchChromium } from './chromium.ts';
import { npmChromiumPath } from './npmChromium.ts';
import { isWholeSuite } from './setUp.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs the set-up as `vitest run ...words` does. */
function setUp(words: readonly string[], chromium: string): { status: number | null; stderr: string } {
  const script =
    `process.argv = ['node', 'vitest', ...${JSON.stringify(words)}]; await (await ` +
    `import('./test/setUp.ts')).default();`;
  return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, CHROMIUM: chromium, DEGHOST_DEBUG: '' },
  });
}

describe('the set-up', () => {
  it.each([
    [['run'], true],
    [['run', '--reporter=default', '--reporter=json', '--outputFile.json=out.json'], true],
    [['run', 'test/naps.test.ts'], false],
    [['run', '-t', 'name'], false],
    [['run', '--testNamePattern=name'], false],
    [['run', '--shard=1/2'], false],
  ])('of %j: the whole suite is %s', (args, whole) => {
    expect(isWholeSuite(args)).toBe(whole);
  });

  it('ends the whole suite with one line where the browser is missing or does not run', () => {
    const missing = setUp(['run'], '/nonexistent/chromium');
    expect(missing).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^npm test: CHROMIUM is \/nonexistent\/chromium, which cannot be run: set it .*\n$/,
      ) as string,
    });
    const broken = setUp(['run'], process.platform === 'win32' ? 'C:\\Windows\\System32\\where.exe' : '/bin/false');
    expect(broken).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^npm test: tests of pages cannot run in .*install another .*\n$/) as string,
    });
  });

  it('lets chosen files begin without a browser', () => {
    expect(setUp(['run', 'test/naps.test.ts'], '/nonexistent/chromium')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe.runIf(supportsSwiftShader())("npm's Chromium", () => {
  it('computes on WebGPU', async () => {
    const before = process.env.CHROMIUM;
    process.env.CHROMIUM = npmChromiumPath();
    try {
      const browser = await launchChromium();
      const page = await browser.newPage();
      await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
      await page.goto('http://localhost/');
      const sum = await page.evaluate(async () => {
        const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
        const code =
          '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(4) fn ' +
          'main(@builtin(local_invocation_index) i: u32) { x[i] = i + 3u; }';
        const pipeline = device.createComputePipeline({
          layout: 'auto',
          compute: { module: device.createShaderModule({ code }) },
        });
        const [x, copy] = [
          GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
          GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        ].map((usage) => device.createBuffer({ size: 16, usage }));
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(
          0,
          device.createBindGroup({
            layout: pipeline.getBindGroupLayout(0),
            entries: [{ binding: 0, resource: { buffer: x } }],
          }),
        );
        pass.dispatchWorkgroups(1);
        pass.end();
        encoder.copyBufferToBuffer(x, 0, copy, 0, 16);
        device.queue.submit([encoder.finish()]);
        await copy.mapAsync(GPUMapMode.READ);
        return [...new Uint32Array(copy.getMappedRange())];
      });
      expect(sum).toEqual([3, 4, 5, 6]);
      await browser.close();
    } finally {
      if (before === undefined) delete process.env.CHROMIUM;
      else process.env.CHROMIUM = before;
    }
  });
});
