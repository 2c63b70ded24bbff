/**
 * Where results go: a folder that the person chose, where the browser has the File System Access API; else the
 * browser's downloads, one after another.
 */
import { reasonOf } from '../../../src/errors.ts';
import { download } from '../ui/download.ts';
import { words } from '../words/index.ts';

/** The part of the API that TypeScript's declarations lack. */
type Picker = (options: { id: string; mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;

const picker = (): Picker | undefined => (globalThis as { showDirectoryPicker?: Picker }).showDirectoryPicker;

/** Why nothing is saved, in words. */
class SaveError extends Error {
  readonly say: (cause: string) => string;

  constructor(say: (cause: string) => string, cause: unknown) {
    super('not saved', { cause });
    this.say = say;
  }
}

/** What `SaveTo` threw, in words. */
export function whyNotSaved(error: unknown): string {
  return error instanceof SaveError ? error.say(reasonOf(error.cause)) : `${reasonOf(error)}.`;
}

export class SaveTo {
  #folder: FileSystemDirectoryHandle | undefined;

  get canChoose(): boolean {
    return picker() !== undefined;
  }

  /** The chosen folder's name; undefined for downloads. */
  get folder(): string | undefined {
    return this.#folder?.name;
  }

  /** Asks for a folder. To be called for a click. @returns whether one was chosen. @throws SaveError */
  async choose(): Promise<boolean> {
    try {
      this.#folder = await picker()?.({ id: 'deghost', mode: 'readwrite' });
    } catch (error) {
      if ((error as Error).name === 'AbortError') return false; // the person closed the dialog
      throw new SaveError((why) => words.plan.notWritable(why), error);
    }
    return this.#folder !== undefined;
  }

  useDownloads(): void {
    this.#folder = undefined;
  }

  /**
   * Saves a file. A file that exists is not overwritten; then the name gets a number, as browsers do for downloads.
   * @returns the name.
   * @throws SaveError if it cannot be written completely; nothing of it is left then.
   */
  async save(name: string, file: Blob): Promise<string> {
    const folder = this.#folder;
    if (!folder) {
      download(name, file);
      return name;
    }
    let free = name;
    try {
      for (let n = 1; await exists(folder, free); n++) free = name.replace(/(\.[^.]*)?$/, ` (${n})$1`);
      const handle = await folder.getFileHandle(free, { create: true });
      try {
        // The browser writes into another file, which takes this one's place when it is closed.
        const stream = await handle.createWritable();
        await file.stream().pipeTo(stream);
      } catch (error) {
        await folder.removeEntry(free).catch(() => undefined);
        throw error;
      }
      return free;
    } catch (error) {
      throw new SaveError((why) => words.plan.notWritten(free, folder.name, why), error);
    }
  }
}

async function exists(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await folder.getFileHandle(name);
    return true;
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return false;
    if ((error as Error).name === 'TypeMismatchError') return true; // a folder
    throw error;
  }
}
