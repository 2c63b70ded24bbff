/**
 * `npm run check:imports`: finds imports that go in circles.
 *
 * No file of a circle can be read, tested or loaded without the others. Imports of types count as well: the reader
 * follows them too, and a type becomes a value easily. So do `export ... from` and `import()`.
 *
 * Imports are found by their form, not by a parser: TypeScript 7 has no stable one, and tools that bring an older one
 * read other syntax. The forms are those of this code: statements begin their line, dynamic imports name a literal. An
 * import of a file that does not exist is an error, and test/scripts/checkImports.test.ts compares what is found with
 * what a bundler follows.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders that the rule holds for; files elsewhere that they import are followed. */
export const FOLDERS = ['src', 'app', 'bench'];

/** What each file imports, by paths relative to the root. */
export type Imports = ReadonlyMap<string, readonly string[]>;

const IMPORT = /import\s+(?:type\s+)?[\w\s{},*$]*?from\s*|import\s*/.source;
const REEXPORT = /export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*/.source;
const STATIC = new RegExp(`^(?:${IMPORT}|${REEXPORT})(['"])([^'"]+)\\1`, 'gm');
/** Also the form of types, `import('./a.ts').A`. */
const DYNAMIC = /\bimport\(\s*(['"])([^'"]+)\1\s*\)/g;
const COMMENT_LINE = /^\s*(?:\*|\/\/|\/\*).*$/gm;

/** Relative files that a module's text imports, as written, without a bundler's `?worker` and the like. */
export function importsOf(text: string): string[] {
  const code = text.replace(COMMENT_LINE, '');
  const found = [STATIC, DYNAMIC].flatMap((form) => [...code.matchAll(form)].map((match) => match[2]));
  return [...new Set(found.filter((name) => name.startsWith('.')).map((name) => name.replace(/\?.*$/, '')))];
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/**
 * The imports of all files in some folders, and of the files that they reach. @throws Error for an import of a file
 * that does not exist.
 */
export function readImports(root: string, folders: readonly string[]): Imports {
  const named = (path: string): string => relative(root, path).split(sep).join('/');
  const imports = new Map<string, readonly string[]>();
  const waiting = folders.flatMap((folder) => sources(join(root, folder)));
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (imports.has(named(path))) continue;
    const to = importsOf(readFileSync(path, 'utf8')).map((name) => join(dirname(path!), name));
    const missing = to.find((file) => !existsSync(file));
    if (missing)
      throw new Error(
        `${named(path)} imports ${named(missing)}, which does not exist: correct the path, or the forms in ` +
          'scripts/checkImports.ts',
      );
    const modules = to.filter((file) => file.endsWith('.ts'));
    imports.set(named(path), modules.map(named).sort());
    waiting.push(...modules);
  }
  return imports;
}

/** The shortest way from one file to another along imports, both included. */
function shortestWay(imports: Imports, from: string, to: string): string[] | undefined {
  const before = new Map<string, string | undefined>([[from, undefined]]);
  for (const file of before.keys()) {
    if (file === to) break;
    for (const next of imports.get(file) ?? []) if (!before.has(next)) before.set(next, file);
  }
  if (!before.has(to)) return undefined;
  const way: string[] = [];
  for (let file: string | undefined = to; file !== undefined; file = before.get(file)) way.unshift(file);
  return way;
}

/** Imports that lie on a circle, `importer > imported`, each with the shortest circle that it lies on. */
export function circularImports(imports: Imports): Map<string, string> {
  const found = new Map<string, string>();
  for (const [file, modules] of [...imports].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const module of modules) {
      const back = shortestWay(imports, module, file);
      if (back) found.set(`${file} > ${module}`, [file, ...back].join(' > '));
    }
  }
  return found;
}

/** What is wrong: circular imports, a line each. */
export function problems(found: ReadonlyMap<string, string>): string[] {
  return [...found].map(
    ([edge, circle]) => `${edge} closes a circle (${circle}): move what both need to a file of its own`,
  );
}

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const imports = readImports(ROOT, FOLDERS);
  const found = circularImports(imports);
  const wrong = problems(found);
  for (const line of wrong) console.error(`check:imports: ${line}`);
  console.log(`${imports.size} files, ${found.size} imports on circles`);
  process.exitCode = wrong.length ? 1 : 0;
}
