/**
 * `npm run check:lines`, a part of `npm run lint`: finds lines of sources that are too long.
 *
 * The formatter breaks code, but not comments, strings, regular expressions and templates. This reads all of them.
 * Generated WGSL, goldens, results of benches and lock files are no sources.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Most columns of a line, as in biome.json. */
export const MOST_COLUMNS = 120;

const FOLDERS = ['src', 'app', 'bench', 'test', 'scripts', 'bin', 'examples', 'docs/api', 'reference', '.ci'];
/** Also `.ci/run`, which has no extension. */
const SOURCE = /(\.(ts|js|mjs|css|html|py|sh|c)|\brun)$/;
const SKIPPED = ['node_modules', 'dist', 'runs'];

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Numbers, from 1, and lengths of the lines with more columns than allowed. A character is a column. */
export function longLines(text: string): { line: number; columns: number }[] {
  return text
    .split(/\r?\n/)
    .map((content, i) => ({ line: i + 1, columns: [...content].length }))
    .filter(({ columns }) => columns > MOST_COLUMNS);
}

/** The sources under a root: of the folders above, and beside them. */
export function sources(root: string): string[] {
  const within = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.includes(entry.name) ? [] : within(path);
      return SOURCE.test(entry.name) ? [path] : [];
    });
  const beside = readdirSync(root).filter((name) => SOURCE.test(name));
  const folders = FOLDERS.map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  return [...beside.map((name) => join(root, name)), ...folders.flatMap(within)];
}

/** What is wrong in some files: a line of text for each line that is too long. */
export function problems(root: string, files: readonly string[]): string[] {
  return files.flatMap((file) =>
    longLines(readFileSync(file, 'utf8')).map(
      ({ line, columns }) =>
        `${relative(root, file).split(sep).join('/')}:${line} has ${columns} columns, at most ${MOST_COLUMNS} are ` +
        'allowed: break it',
    ),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = sources(ROOT);
  const wrong = problems(ROOT, files);
  for (const text of wrong) console.error(`check:lines: ${text}`);
  console.log(`${files.length} files, ${wrong.length} lines of more than ${MOST_COLUMNS} columns`);
  process.exitCode = wrong.length ? 1 : 0;
}
