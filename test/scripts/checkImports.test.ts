/** The rule against circular imports: that the check finds every import, and that the rule holds. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { FOLDERS, ROOT, circularImports, importsOf, problems, readImports } from '../../scripts/checkImports.ts';

describe('imports', () => {
  it.each([
    ["import { a } from './a.ts';", ['./a.ts']],
    ["import a, { b as c, type D } from '../a.ts';", ['../a.ts']],
    ["import type { A } from './a.ts';", ['./a.ts']],
    ['import * as a from "./a.ts";', ['./a.ts']],
    ["import {\n  a,\n  b,\n} from './a.ts';\nimport './b.ts';", ['./a.ts', './b.ts']],
    [
      "export * from './a.ts';\nexport * as b from './b.ts';\nexport type { C } from './c.ts';\nexport { d } from " +
        "'./d.ts';",
      ['./a.ts', './b.ts', './c.ts', './d.ts'],
    ],
    ["const load = async () => (await import('./a.ts')).a ?? (await import('./b.ts')).b;", ['./a.ts', './b.ts']],
    ["let a: import('./a.ts').A;", ['./a.ts']],
    ["import url from './worker.ts?worker&url';", ['./worker.ts']],
    ["import { a } from 'a';\nimport fs from 'node:fs';", []],
    ["/**\n * import('./a.ts')\n */\n// import { a } from './a.ts';", []],
    ["export const text = `load`;\nconst other = ' from ';", []],
  ])('of %j', (text, expected) => {
    expect(importsOf(text)).toEqual(expected);
  });

  it('are all those that a bundler follows', async () => {
    const imports = readImports(ROOT, FOLDERS);
    const entryPoints = [
      'src/index.ts',
      'src/node/index.ts',
      'src/node/cli.ts',
      'src/tune/index.ts',
      'src/warnings.ts',
      'app/src/main.ts',
      'app/src/worker/main.ts',
      'bench/run.ts',
      'bench/gpu.ts',
    ];
    const bundled = {
      name: 'worker',
      setup: (build: import('esbuild').PluginBuild) =>
        build.onResolve({ filter: /\?worker/ }, () => ({ external: true })),
    };
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints,
      outdir: join(ROOT, 'none'),
      bundle: true,
      metafile: true,
      write: false,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      plugins: [bundled],
      logLevel: 'silent',
    });
    const edges = Object.entries(metafile.inputs).flatMap(([file, { imports: to }]) =>
      to.filter(({ path, external }) => !external && path.endsWith('.ts')).map(({ path }) => [file, path]),
    );
    expect(edges.length).toBeGreaterThan(400);
    expect(edges.filter(([file, path]) => !imports.get(file)?.includes(path))).toEqual([]);
  });
});

describe('circles', () => {
  const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

  it('are found, with the shortest one for each import', () => {
    const found = circularImports(graph({ a: ['b', 'd'], b: ['c'], c: ['a'], d: ['b', 'e'], e: [] }));
    expect([...found]).toEqual([
      ['a > b', 'a > b > c > a'],
      ['a > d', 'a > d > b > c > a'],
      ['b > c', 'b > c > a > b'],
      ['c > a', 'c > a > b > c'],
      ['d > b', 'd > b > c > a > d'],
    ]);
  });

  it('that a file makes with itself count, and where there are none none are found', () => {
    expect([...circularImports(graph({ a: ['a'] })).keys()]).toEqual(['a > a']);
    expect(circularImports(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).size).toBe(0);
  });

  it('are told, with the remedy', () => {
    const found = new Map([
      ['a > b', 'a > b > a'],
      ['b > a', 'b > a > b'],
    ]);
    expect(problems(found)).toEqual(
      ['a > b', 'b > a'].map((edge) => expect.stringContaining(`${edge} closes a circle`) as unknown),
    );
    expect(problems(new Map())).toEqual([]);
  });

  it('are not in this project', () => {
    expect(problems(circularImports(readImports(ROOT, FOLDERS)))).toEqual([]);
  });
});
