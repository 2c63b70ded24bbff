/** Photos of a session: asked for again by their handles, where the browser gave some; else copied, all or none. */
import type { ToWorker } from '../messages.ts';
import { fileIn, handleOf, mayRead, placeOf, remember, rememberIn } from './handles.ts';
import { toCopy } from './session.ts';
import type { KeptFile } from './session.ts';
import { folderOf } from './store.ts';
import type { Store } from './store.ts';

export class KeptFiles {
  readonly #send: (message: ToWorker) => void;
  /** Names of our copies of photos, and whether they are complete. */
  readonly #copies = new Map<Blob, { name: string; isComplete: boolean }>();
  /** Copies that were opened, by their names: a photo may be a frame, and one of a list. */
  readonly #opened = new Map<string, File>();
  #count = 0;

  constructor(send: (message: ToWorker) => void) {
    this.#send = send;
  }

  /** A name for a new file of a session. */
  newName(kind: string): string {
    return `${kind}-${Date.now()}-${this.#count++}`;
  }

  /**
   * What a record says of photos, but for their names; those without a handle are copied.
   * @returns undefined if they are too large to be copied.
   */
  async describe(id: string, files: Iterable<Blob>): Promise<Map<Blob, Omit<KeptFile, 'name'>> | undefined> {
    const described = new Map<Blob, Omit<KeptFile, 'name'>>();
    for (const file of new Set(files)) {
      const handle = await handleOf(file);
      const place = handle ? undefined : await placeOf(file);
      const modified = file instanceof File ? file.lastModified : undefined;
      described.set(file, { size: file.size, modified, type: file.type, handle, place });
    }
    const copied = toCopy([...described.keys()], (file) => {
      const { handle, place } = described.get(file)!;
      return handle !== undefined || place !== undefined;
    });
    if (!copied) return undefined;
    for (const file of copied) {
      this.#copy(id, file);
      const { name, isComplete } = this.#copies.get(file)!;
      if (isComplete) described.get(file)!.copy = name;
    }
    return described;
  }

  #copy(id: string, file: Blob): void {
    if (this.#copies.has(file)) return;
    const name = this.newName('photo');
    this.#copies.set(file, { name, isComplete: false });
    this.#send({ type: 'copy', folder: folderOf(id), name, file });
  }

  /** The names of our copies of these, complete or not. */
  copiesOf(files: Iterable<Blob>): string[] {
    return [...files].flatMap((file) => this.#copies.get(file)?.name ?? []);
  }

  /** Whether a copy has this name. @param isComplete whether it is complete from now on. */
  has(name: string, isComplete: boolean): boolean {
    const found = [...this.#copies.values()].filter((copy) => copy.name === name);
    if (isComplete) for (const copy of found) copy.isComplete = true;
    return found.length > 0;
  }

  /**
   * Opens a photo. @param asks whether the person may be asked for permission.
   * @throws DOMException where it may not be read, or is gone.
   */
  async open(store: Store, id: string, kept: KeptFile, asks: boolean): Promise<File> {
    const { name, handle, place, copy, modified, type } = kept;
    const entry = handle ?? place?.root;
    if (entry) {
      if (!(await mayRead(entry, asks))) throw new DOMException(name, 'NotAllowedError');
      const found = handle ?? (await fileIn(place!));
      const file = await found.getFile();
      if (handle) remember(file, Promise.resolve(handle));
      else rememberIn(file, Promise.resolve(place!.root), place!.path);
      return file;
    }
    if (copy === undefined) throw new DOMException(name, 'NotFoundError');
    const opened = this.#opened.get(copy);
    if (opened) return opened;
    const file = new File([await store.file(id, copy)], name.replace(/^.*\//, ''), { type, lastModified: modified });
    this.#opened.set(copy, file);
    this.#copies.set(file, { name: copy, isComplete: true });
    return file;
  }

  /** Forgets all: of a session that ends. */
  clear(): void {
    this.#copies.clear();
    this.#opened.clear();
  }
}
