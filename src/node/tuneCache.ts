/**
 * Stores tunings in a JSON file: the one that DEGHOST_TUNING names, or `deghost/tuning.json` in the user's cache
 * folder, which is XDG_CACHE_HOME or ~/.cache, on macOS ~/Library/Caches, on Windows %LOCALAPPDATA%.
 *
 * The file is a cache: damaged or foreign content is not read, and is replaced at the next write. If two processes
 * write at the same time, one's tuning is lost, but never the file.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { FUNCTION, TEXT, expect, readOptions } from '../checks.ts';
import { reasonOf } from '../errors.ts';
import type { TuneCache } from '../tune/cache.ts';
import { isTuneResult } from '../tune/result.ts';
import type { TuneResult } from '../tune/result.ts';
import { PATH } from './arguments.ts';
import { shown, systemProblem } from './problems.ts';
import { writeFileAtomic } from './writeFile.ts';

/** Most entries kept (adapters, versions, precisions); the oldest are removed. */
const MOST_ENTRIES = 32;
/** A larger file is not ours. */
const MOST_CHARACTERS = 32 << 20;

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
    return this.#entries().get(key);
  }

  /** @throws InputError if the file cannot be written. */
  async write(key: string, value: TuneResult): Promise<void> {
    expect('key', key, TEXT);
    expect('value', value, ['what tune gives', isTuneResult]);
    const entries = this.#entries();
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
  #entries(): Map<string, TuneResult> {
    const found = new Map<string, TuneResult>();
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#ignored(reasonOf(systemProblem(error, 'read', this.path)));
      return found;
    }
    let entries: unknown;
    try {
      if (text.length > MOST_CHARACTERS) throw new Error('too large');
      const file = JSON.parse(text) as { deghost?: unknown; entries?: unknown } | null;
      if (file?.deghost === 'tuning') entries = file.entries;
    } catch {
      // Damaged: treat it like a file of another kind.
    }
    if (typeof entries !== 'object' || entries === null) {
      this.#ignored(
        `${shown(this.path)} is damaged or was not written by deghost: it is not read, and the next tuning replaces it`,
      );
      return found;
    }
    let bad = 0;
    for (const [key, value] of Object.entries(entries)) {
      if (isTuneResult(value) && value.key === key) found.set(key, value);
      else bad++;
    }
    if (bad > 0)
      this.#ignored(
        `${shown(this.path)}: ${bad} of ${Object.keys(entries).length} tunings are damaged and not read, the next ` +
          'tuning removes them',
      );
    return found;
  }

  #ignored(message: string): void {
    if (!this.#warned) this.#warn(message);
    this.#warned = true;
  }
}
