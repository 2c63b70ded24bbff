/** The limit of a line's length: that lines of every kind of source are read, and that the formatter has the same. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { longLines, MOST_COLUMNS, problems, ROOT, sources } from '../../scripts/checkLines.ts';

const root = mkdtempSync(join(tmpdir(), 'deghost-lines-'));
afterAll(() => rmSync(root, { recursive: true }));

const longest = 'x'.repeat(120);

describe('lines that are too long', () => {
  it('have more than 120 characters, however many bytes', () => {
    expect(longLines(`${longest}\n${longest}y\r\n${longest}\r\n${'é'.repeat(120)}\n${'😀'.repeat(121)}`)).toEqual([
      { line: 2, columns: 121 },
      { line: 5, columns: 121 },
    ]);
  });

  it('are found in all sources, and nowhere else', () => {
    const files = ['top.ts', 'src/a/b.ts', 'app/page.html', 'app/style.css', 'bin/run.js', 'reference/a.py', '.ci/run'];
    const others = [
      'app/dist/a.js',
      'src/node_modules/a.js',
      'test/kernels/wgsl/a.wgsl',
      'test/goldens/a.json',
      'reference/runs/a.py',
    ];
    for (const name of [...files, ...others]) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), `\n${longest}y\n`);
    }
    expect(problems(root, sources(root)).sort()).toEqual(
      files.map((name) => `${name}:2 has 121 columns, at most 120 are allowed: break it`).sort(),
    );
  });

  it('are longer than those of the formatter', () => {
    expect(JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8')).formatter.lineWidth).toBe(MOST_COLUMNS);
  });

  it('are not in this project', () => {
    const files = sources(ROOT);
    expect(files.length).toBeGreaterThan(300);
    expect(problems(ROOT, files)).toEqual([]);
  });
});
