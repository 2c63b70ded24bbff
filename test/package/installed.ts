/**
 * The package as its users get it: packed by `npm pack`, and installed from that tarball into an empty folder.
 *
 * Nothing is fetched: the package has no dependency but optional ones, which are left out. `withOptional` has them too,
 * linked from this repository's node_modules.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** Runs a program to its end; a signal counts as code -1. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  // What npm tells the scripts that it runs (`npm test`, say) would reach an npm in another folder as configuration.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|VITEST|NODE_OPTIONS$|NODE_ENV$)/.test(name),
  );
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1', ...options.env };
  return new Promise((resolve) => {
    execFile(program, args, { cwd: options.cwd ?? ROOT, env, maxBuffer: 1 << 26 }, (error, out, err) => {
      resolve({
        code: error ? (typeof error.code === 'number' ? error.code : -1) : 0,
        out,
        err: error && !err ? error.message : err,
      });
    });
  });
}

/** As {@link run}, for what must succeed. @throws Error with all that it printed. */
export async function succeed(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, out, err } = await run(program, args, options);
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}:\n${out}\n${err}`);
  return out;
}

/** A program of this repository's node_modules. */
export function bin(name: string): string {
  return join(ROOT, 'node_modules/.bin', name);
}

/** An empty folder that is removed when the tests end. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'deghost-package-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// On globalThis, so that it is done once even where the test runner evaluates this module again for another file.
const shared = globalThis as { deghostPackage?: Record<string, Promise<string>> };

function once(name: string, work: () => Promise<string>): Promise<string> {
  shared.deghostPackage ??= {};
  return (shared.deghostPackage[name] ??= work());
}

/** Path of the tarball. Packing builds `dist` in the repository first, as its `prepare` script says. */
export function tarball(): Promise<string> {
  return once('tarball', async () => {
    const folder = temporaryFolder();
    await succeed('npm', ['pack', '--silent', '--pack-destination', folder]);
    return join(folder, readdirSync(folder).filter((name) => name.endsWith('.tgz'))[0]);
  });
}

/** A project with deghost installed and nothing else. */
export function installed(): Promise<string> {
  return once('installed', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await succeed(
      'npm',
      [
        'install',
        '--offline',
        '--cache',
        join(dirname(await tarball()), 'cache'),
        '--omit=optional',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        await tarball(),
      ],
      { cwd: folder },
    );
    return folder;
  });
}

/** A project with deghost, its optional packages and fast-png. */
export function withOptional(): Promise<string> {
  return once('withOptional', async () => {
    const folder = temporaryFolder();
    cpSync(await installed(), folder, { recursive: true, verbatimSymlinks: true });
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(optionalDependencies), '@sparticuz/chromium', 'fast-png']) {
      const link = join(folder, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link, 'dir');
    }
    return folder;
  });
}
