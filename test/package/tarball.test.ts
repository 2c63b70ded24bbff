/**
 * What is published: the tarball's content, its manifest under publint and "are the types wrong", and the installed
 * command and modules in Node.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dng, patches } from '../rawDng.ts';
import { ROOT, bin, installed, run, succeed, tarball, withOptional } from './installed.ts';

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the tarball', () => {
  it('has the build of each source, the weights, the command and the documents, and nothing else', async () => {
    const names = (await succeed('tar', ['-tzf', await tarball()])).trim().split('\n');
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    const built = sources.flatMap((name) =>
      ['.js', '.d.ts'].map((extension) => `dist/${name.replace(/\.ts$/, extension)}`),
    );
    const others = [
      'LICENSE',
      'README.md',
      'package.json',
      'bin/deghost.js',
      'weights/README.md',
      'weights/any.safetensors',
      'weights/fixed.safetensors',
    ];
    expect(names.sort()).toEqual([...built, ...others].map((name) => `package/${name}`).sort());
  });

  it('has no source map, and no mention of one', async () => {
    const dist = join(await installed(), 'node_modules/deghost/dist');
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(files.length).toBeGreaterThan(50);
    for (const file of files) expect(readFileSync(join(dist, file), 'utf8'), file).not.toMatch(/sourceMappingURL/);
  });

  it('is clean under publint', async () => {
    expect(await succeed(bin('publint'), [await tarball(), '--strict'])).toMatch(/All good!/);
  });

  it('has right types for ESM, under Node and bundlers', async () => {
    // There is no CommonJS build: require() of an ES module works from Node 22 on, and import() everywhere.
    const report = JSON.parse(
      await succeed(bin('attw'), [await tarball(), '--profile', 'esm-only', '--format', 'json']),
    );
    expect(Object.keys(report.analysis.entrypoints).sort()).toEqual([
      '.',
      './align',
      './finish',
      './node',
      './package.json',
      './tune',
      './warnings',
      './weights/*.safetensors',
    ]);
    for (const name of ['.', './align', './finish', './node', './tune', './warnings']) {
      const { resolutions } = report.analysis.entrypoints[name];
      for (const kind of ['node16-esm', 'bundler'])
        expect(resolutions[kind].resolution, `${name} ${kind}`).toMatchObject({ isTypeScript: true });
    }
  });
});

describe('installed', () => {
  it('installs alone', async () => {
    expect(readdirSync(join(await installed(), 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'deghost',
    ]);
  });

  it('has the command', async () => {
    const cwd = await installed();
    expect((await succeed('npx', ['--no-install', 'deghost', '--version'], { cwd })).trim()).toBe(manifest.version);
    expect(await succeed('npx', ['--no-install', 'deghost', 'plan', '640x480'], { cwd })).toMatch(/640x480/);
    expect(await run('npx', ['--no-install', 'deghost', 'info'], { cwd })).toMatchObject({
      code: 3,
      err: expect.stringContaining('run `npm install webgpu`'),
    });
    expect(await succeed('npx', ['--no-install', 'deghost', 'info'], { cwd: await withOptional() })).toContain(
      manifest.version,
    );
  });

  it('names the package that a call needs, and the remedy', async () => {
    const cwd = await installed();
    const raw = join(cwd, 'p.dng');
    writeFileSync(raw, dng({ width: 32, height: 32, scene: patches, exposure: 1 }));
    const two = [1, 2].map((k) => join(ROOT, `examples/balloons/${k}.jpg`));
    writeFileSync(
      join(cwd, 'missing.js'),
      `
      import { Deghoster } from 'deghost';
      import * as node from 'deghost/node';
      const failed = (work) => work().then(
        () => 'no error',
        ({ name, code, message }) => ({ name, code, message }),
      );
      const image = { radiance: new Float32Array(3), width: 1, height: 1, scale: 1 };
      console.log(JSON.stringify([
        await failed(() => node.requestDevice()),
        await failed(() => node.readStack(${JSON.stringify(two)})),
        await failed(() => node.readFrame(${JSON.stringify(raw)})),
        await failed(() => node.writeImage('out.png', image)),
        await failed(() => Deghoster.create()),
        (await node.readShippedWeights(3)).length,
        await failed(() => node.writeImage('out.hdr', image)),
      ]));`,
    );
    const [device, read, develop, write, create, weights, hdr] = JSON.parse(
      await succeed(process.execPath, ['missing.js'], { cwd }),
    );
    expect(device).toMatchObject({
      code: 'no-adapter',
      message: 'WebGPU in Node needs the npm package "webgpu", which is not installed: run `npm install webgpu`',
    });
    expect(read).toMatchObject({
      code: 'missing-package',
      message:
        'reading JPEG, PNG, TIFF, WebP and AVIF needs the npm package "sharp", which is not installed: ' +
        'run `npm install sharp`',
    });
    expect(develop).toMatchObject({
      code: 'missing-package',
      message: 'reading RAW needs the npm package "libraw-wasm", which is not installed: run `npm install libraw-wasm`',
    });
    expect(write).toMatchObject({
      code: 'missing-package',
      message: 'writing .png needs the npm package "sharp", which is not installed: run `npm install sharp`',
    });
    expect(create).toMatchObject({
      name: 'NoAdapterError',
      code: 'no-adapter',
      message: expect.stringContaining('"deghost/node"'),
    });
    expect(weights).toBe(readFileSync(join(ROOT, 'weights/fixed.safetensors')).length);
    expect(hdr).toBe('no error'); // .hdr needs no package
  });

  it('gives the weights as files', async () => {
    const cwd = await installed();
    const code =
      "import { readFileSync } from 'node:fs'; console.log(readFileSync(new " +
      "URL(import.meta.resolve('deghost/weights/any.safetensors'))).length);";
    expect(Number(await succeed(process.execPath, ['--input-type=module', '-e', code], { cwd }))).toBe(
      readFileSync(join(ROOT, 'weights/any.safetensors')).length,
    );
  });
});
