/**
 * Stores tunings in a JSON file: the one that DEGHOST_TUNING names, or `deghost/tuning.json` in the user's cache
 * folder, which is XDG_CACHE_HOME or ~/.cache, on macOS ~/Library/Caches, on Windows %LOCALAPPDATA%.
 *
 * The file is a cache: damaged content is not read, and is replaced at the next write. A file of another kind is
 * neither read nor replaced. If two processes write at the same time, one's tuning is lost, but never the file.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { FUNCTION, TEXT, expect, readOptions } from '../checks.ts';
import { InputError, reasonOf } from '../errors.ts';
import type { TuneCache } from '../tune/cache.ts';
import { isTuneResult } from '../tune/result.ts';
import type { TuneResult } from '../tune/result.ts';
import { PATH } from './arguments.ts';
import { readFileBytes } from './plainFile.ts';
import { shown, systemProblem } from './problems.ts';
import { writeFileAtomic } from './writeFile.ts';

/** Most entries kept (adapters, versions, precisions); the oldest are removed. */
const MOST_ENTRIES = 32;
/** A larger file is not ours. */
const MOST_BYTES = 32 << 20;
/** How a file of ours begins, also one that is cut off. */
const OURS = /^(\s*\{\s*"deghost"\s*:\s*"tuning"|\s*$)/;

/** The user's cache folder. */
export function userCacheFolder(
  platform: NodeJS.Platform = process.platform,
  env: NodeJS.ProcessEnv = process.env,
  home = homedir(),
): string {
  if (platform === 'win32') return env.LOCALAPPDATA || join(home, 'AppData', 'Local');
  if (env.XDG_CACHE_HOME) return env.XDG_CACHE_HOME;
  return platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
}

/** Where tunings are kept. */
export function tuningFile(env: NodeJS.ProcessEnv = process.env): string {
  return env.DEGHOST_TUNING || join(userCacheFolder(process.platform, env), 'deghost', 'tuning.json');
}

/** The file of a {@link FileTuneCache}, and a callback for the case that the file cannot be used. */
export interface FileTuneCacheOptions {
  /** The file; `tuningFile` by default. */
  path?: string;
  /** Called once if the file exists but cannot be used. */
  warn?: (message: string) => void;
}

/** Tunings in one JSON file, which the command line and programs share. */
export class FileTuneCache implements TuneCache {
  readonly path: string;
  readonly #warn: (message: string) => void;
  #warned = false;

  /** @throws UsageError */
  constructor(options: FileTuneCacheOptions = {}) {
    const { path = tuningFile(), warn = () => undefined } = readOptions('FileTuneCache', options, {
      path: PATH,
      warn: FUNCTION,
    });
    this.path = path;
    this.#warn = warn;
  }

  async read(key: string): Promise<unknown> {
    return (await this.#entries()).found.get(key);
  }

  /** @throws InputError if the file cannot be written, or is of another kind. */
  async write(key: string, value: TuneResult): Promise<void> {
    expect('key', key, TEXT);
    expect('value', value, ['what tune gives', isTuneResult]);
    const { found: entries, isForeign } = await this.#entries();
    if (isForeign)
      throw new InputError(
        `${shown(this.path)} was not written by deghost, so it is not replaced: remove it, or name another file in ` +
          'DEGHOST_TUNING',
      );
    entries.set(key, value);
    const newest = [...entries].sort(([, a], [, b]) => Date.parse(b.date) - Date.parse(a.date)).slice(0, MOST_ENTRIES);
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw systemProblem(error, 'write', this.path);
    }
    await writeFileAtomic(
      this.path,
      Buffer.from(`${JSON.stringify({ deghost: 'tuning', entries: Object.fromEntries(newest) }, null, 1)}\n`),
    );
  }

  /** The entries of the file that are tunings. */
  async #entries(): Promise<{ found: Map<string, TuneResult>; isForeign: boolean }> {
    const found = new Map<string, TuneResult>();
    let text: string;
    try {
      if (!existsSync(this.path)) return { found, isForeign: false };
      text = (await readFileBytes(this.path, MOST_BYTES)).toString('utf8');
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#ignored(reasonOf(error));
      return { found, isForeign: false };
    }
    const isForeign = !OURS.test(text);
    let entries: unknown;
    try {
      const file = JSON.parse(text) as { deghost?: unknown; entries?: unknown } | null;
      if (file?.deghost === 'tuning') entries = file.entries;
    } catch {
      // Damaged: treat it like a file of another kind.
    }
    if (typeof entries !== 'object' || entries === null) {
      this.#ignored(
        isForeign
          ? `${this.path} was not written by deghost: it is neither read nor replaced`
          : `${this.path} is damaged: it is not read, and the next tuning replaces it`,
      );
      return { found, isForeign };
    }
    let bad = 0;
    for (const [key, value] of Object.entries(entries)) {
      if (isTuneResult(value) && value.key === key) found.set(key, value);
      else bad++;
    }
    if (bad > 0)
      this.#ignored(
        `${this.path}: ${bad} of ${Object.keys(entries).length} tunings are damaged and not read, the next ` +
          'tuning removes them',
      );
    return { found, isForeign };
  }

  #ignored(message: string): void {
    if (!this.#warned) this.#warn(shown(message));
    this.#warned = true;
  }
}
