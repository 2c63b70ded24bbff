/**
 * What the documents promise: the README's length, links and headings that exist, and the commands, options, files and
 * imports that they name.
 */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as core from '../src/index.ts';
import * as finish from '../src/finish/index.ts';
import * as help from '../src/node/cli/help.ts';
import * as node from '../src/node/index.ts';
import * as tune from '../src/tune/index.ts';
import * as warnings from '../src/warnings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Two screens. */
const README_BYTES = 9000;
const FOLDERS = ['.', 'docs', 'docs/api', 'examples/balloons', 'reference', 'weights'];

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

const pages = FOLDERS.flatMap((folder) => readdirSync(join(ROOT, folder)).map((name) => join(folder, name))).filter(
  (path) => path.endsWith('.md'),
);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** All that a pattern's first group finds in a text. */
const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, part]) => part);

/** A page without its blocks of code. */
const prose = (page: string): string => read(page).replace(/^ *```[\s\S]*?^ *```$/gm, '');

/** The lines of a page's blocks of shell commands, without comments. */
function commands(page: string): string[] {
  const lines = found(read(page), /^ *```sh\n([\s\S]*?)^ *```$/gm).flatMap((block) => block.split('\n'));
  return lines.map((line) => line.replace(/\s#.*/, '').trim());
}

/** A heading's anchor, as GitHub and others make it. */
function anchors(page: string): string[] {
  return found(prose(page), /^#+ (.*)$/gm).map((title) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links and pictures of a page that lead to files of this repository: [path from the root, anchor]. */
function links(page: string): [path: string, anchor: string | undefined][] {
  const targets = found(prose(page), /\]\(([^)\s]+)\)/g).filter((target) => !/^[a-z]+:/.test(target));
  return targets.map((target) => {
    const [path, anchor] = target.split('#');
    return [path ? join(dirname(page), path) : page, anchor];
  });
}

describe('README.md', () => {
  it(`has at most ${README_BYTES} bytes`, () => {
    expect(statSync(join(ROOT, 'README.md')).size).toBeLessThanOrEqual(README_BYTES);
  });

  it('links to every page of docs', () => {
    const linked = links('README.md').map(([path]) => path);
    for (const page of pages.filter((path) => path.startsWith('docs/'))) expect(linked, page).toContain(page);
  });
});

describe.each(pages)('%s', (page) => {
  // A change log names what was removed.
  const isHistory = page === 'CHANGELOG.md';

  it('has links that lead somewhere', () => {
    for (const [path, anchor] of links(page)) {
      expect(existsSync(join(ROOT, path)), `${page} links to ${path}`).toBe(true);
      if (anchor !== undefined) expect(anchors(path), `${page} links to ${path}#${anchor}`).toContain(anchor);
    }
  });

  it.skipIf(isHistory)('names files that exist', () => {
    const folders = 'app|bench|docs|examples|reference|scripts|src|test|weights';
    const named = found(prose(page), new RegExp(`\`((?:${folders})/[\\w./-]+)\``, 'g'));
    // What is built or trained may be missing, and so may the example of a new kernel.
    const absent = /^(app\/dist|reference\/runs|src\/kernels\/name\.ts)\b/;
    for (const path of named.filter((name) => !absent.test(name))) {
      expect(existsSync(join(ROOT, path)), `${page} names ${path}`).toBe(true);
    }
  });

  it.skipIf(isHistory)('names scripts that exist', () => {
    for (const script of found(read(page), /npm run ([\w:-]+)/g)) {
      expect(Object.keys(scripts), `${page} names npm run ${script}`).toContain(script);
    }
  });

  it.skipIf(isHistory)('uses options that the command has', () => {
    for (const line of commands(page)) {
      const [, command, rest] = /^npx deghost (\w+)(.*)/.exec(line) ?? [];
      if (command === undefined) continue;
      const text = (help as Record<string, string>)[`${command.toUpperCase()}_HELP`];
      expect(text, `${page}: deghost ${command}`).toBeDefined();
      for (const option of found(rest, /(?<=\s)(--?[a-z][\w-]*)/g)) {
        expect(text, `${page}: ${line}`).toMatch(new RegExp(`(^|\\s)${option}(?![\\w-])`));
      }
    }
  });
});

describe('docs/command-line.md', () => {
  it('names options that some command has', () => {
    const all = Object.values(help).join('\n');
    const named = found(prose('docs/command-line.md'), /`(--[a-z][\w-]*)/g);
    expect(named.length).toBeGreaterThan(10);
    for (const option of named) expect(all, option).toContain(option);
  });
});

describe('SECURITY.md', () => {
  it('lists every dependency, and which run scripts when they are installed', () => {
    const rows = [...read('SECURITY.md').matchAll(/^\| `([\w-]+)` \|.*\| (yes|no)\b[^|]*\|$/gm)];
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; optionalDependencies?: object }>;
    };
    const listed = Object.fromEntries(rows.map(([, name, says]) => [name, says === 'yes']));
    const locked = Object.keys(packages[''].optionalDependencies ?? {});
    const hasScript = (name: string): boolean => packages[`node_modules/${name}`].hasInstallScript === true;
    expect(listed).toEqual(Object.fromEntries(locked.map((name) => [name, hasScript(name)])));
    // Those that only come along, and those of development.
    const others = ['package-lock.json', 'docs/api/package-lock.json', 'bench/peers/package-lock.json'].flatMap(
      (file) =>
        Object.entries((JSON.parse(read(file)) as { packages: typeof packages }).packages)
          .filter(
            ([path, { hasInstallScript }]) => hasInstallScript && !locked.includes(path.replace('node_modules/', '')),
          )
          .map(([path]) => path.replace(/.*node_modules\//, '')),
    );
    const [, sentence] = /Of the packages for development,([\s\S]*?)\. `npm ci/.exec(read('SECURITY.md')) ?? [];
    expect(found(sentence.replaceAll('`bench/peers`', ''), /`([\w/@-]+)`/g).sort()).toEqual(others.sort());
  });
});

describe('the programs in the documents', () => {
  const entries: Record<string, object> = {
    deghost: core,
    'deghost/node': node,
    'deghost/finish': finish,
    'deghost/tune': tune,
    'deghost/warnings': warnings,
  };

  it('import what is exported', () => {
    const imports = pages.flatMap((page) =>
      [...read(page).matchAll(/import \{([^}]*)\} from '(deghost[^']*)'/g)].map((match) => ({
        page,
        names: match[1],
        entry: match[2],
      })),
    );
    expect(imports.length).toBeGreaterThan(4);
    for (const { page, names, entry } of imports) {
      expect(Object.keys(entries), page).toContain(entry);
      for (const name of names.split(',').map((text) => text.trim())) {
        expect(entries[entry], `${page} imports ${name} from ${entry}`).toHaveProperty(name);
      }
    }
  });
});
