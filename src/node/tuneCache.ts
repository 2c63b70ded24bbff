/**
 * Tunings in a JSON file: what DEGHOST_TUNING names, or `deghost/tuning.json` in the user's cache folder, which is
 * XDG_CACHE_HOME or ~/.cache, on macOS ~/Library/Caches, on Windows %LOCALAPPDATA%.
 *
 * It is a cache: what is damaged or not ours is not read, and replaced at the next write. Two processes that write at
 * once lose one's tuning, never the file.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { TuneCache } from '../tune/cache.ts';
import { isTuneResult } from '../tune/result.ts';
import type { TuneResult } from '../tune/result.ts';
import { shown, systemProblem } from './problems.ts';
import { writeFileAtomic } from './writeFile.ts';

/** Adapters, versions and precisions kept; the oldest go. */
const MOST_ENTRIES = 32;
/** A file larger than that is not ours. */
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

/** Where a {@link FileTuneCache} keeps its file, and who is told when it cannot be used. */
export interface FileTuneCacheOptions {
  /** The file; `tuningFile` by default. */
  path?: string;
  /** Told once when the file is there and cannot be used. */
  warn?: (message: string) => void;
}

/** Tunings in one JSON file, which the command line and programs share. */
export class FileTuneCache implements TuneCache {
  readonly path: string;
  readonly #warn: (message: string) => void;
  #warned = false;

  constructor({ path = tuningFile(), warn = () => undefined }: FileTuneCacheOptions = {}) {
    this.path = path;
    this.#warn = warn;
  }

  async read(key: string): Promise<unknown> {
    return this.#entries().get(key);
  }

  /** @throws InputError when the file cannot be written. */
  async write(key: string, value: TuneResult): Promise<void> {
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

  /** What is in the file and a tuning. */
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
      // Damaged: as a file of another kind.
    }
    if (typeof entries !== 'object' || entries === null) {
      this.#ignored(
        `${shown(this.path)} is damaged, or no tuning of deghost's: it is not read, and the next tuning replaces it`,
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
