/**
 * The handles that the browser gives with files, by file: with one, a page that was loaded again can ask for the file
 * instead of keeping a copy.
 */

/** The parts of the API that TypeScript's declarations lack. */
declare global {
  interface DataTransferItem {
    getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
  }
  var showOpenFilePicker:
    | ((options: {
        id: string;
        multiple: true;
        types: { accept: Record<string, string[]> }[];
      }) => Promise<FileSystemFileHandle[]>)
    | undefined;
  interface FileSystemHandle {
    queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
    requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  }
}

const handles = new WeakMap<Blob, Promise<FileSystemHandle | null>>();

/** Where a file of a dropped folder lies. */
export interface InFolder {
  root: FileSystemDirectoryHandle;
  /** Names of the folders within, and of the file. */
  path: string[];
}

const places = new WeakMap<Blob, { root: Promise<FileSystemHandle | null>; path: string[] }>();

/** Remembers the folder that a file came with: one permission opens all that is in it. */
export function rememberIn(file: Blob, root: Promise<FileSystemHandle | null>, path: string[]): void {
  places.set(file, { root, path });
}

/** undefined where the browser gave no handle of a folder. */
export async function placeOf(file: Blob): Promise<InFolder | undefined> {
  const place = places.get(file);
  const root = await place?.root.catch(() => null);
  return place && root?.kind === 'directory'
    ? { root: root as FileSystemDirectoryHandle, path: place.path }
    : undefined;
}

/** @throws DOMException if it is gone. */
export async function fileIn({ root, path }: InFolder): Promise<FileSystemFileHandle> {
  let folder = root;
  for (const name of path.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
  return folder.getFileHandle(path.at(-1)!);
}

export function remember(file: Blob, handle: Promise<FileSystemHandle | null>): void {
  handles.set(file, handle);
}

/** Remembers the handles of what is dropped. To be called in the event itself. */
export function rememberDropped(transfer: DataTransfer): File[] {
  const files: File[] = [];
  for (const item of transfer.items) {
    const file = item.kind === 'file' ? item.getAsFile() : null;
    if (!file) continue;
    files.push(file);
    const handle = item.getAsFileSystemHandle?.();
    if (handle) remember(file, handle);
  }
  return files;
}

/**
 * Lets the person pick files, with their handles where the browser has such a picker, else with an input's. To be
 * called for a click.
 * @returns undefined if nothing was picked, or the input tells what was.
 */
export async function pickWithHandles(input: HTMLInputElement): Promise<File[] | undefined> {
  // Phones have a better picker behind the input: it shows their pictures.
  if (!globalThis.showOpenFilePicker || !matchMedia('(pointer: fine)').matches) return void input.click();
  const extensions = input.accept.split(',').map((type) => type.trim());
  const accept = { 'image/*': extensions.filter((type) => type.startsWith('.')) };
  const picked = await globalThis
    .showOpenFilePicker({ id: 'photos', multiple: true, types: [{ accept }] })
    .catch((error: Error) => (error.name === 'AbortError' ? [] : void input.click()));
  if (!picked) return undefined;
  const files = await Promise.all(picked.map(async (handle) => ({ handle, file: await handle.getFile() })));
  for (const { handle, file } of files) remember(file, Promise.resolve(handle));
  return files.length > 0 ? files.map(({ file }) => file) : undefined;
}

/** undefined where the browser gave none. */
export async function handleOf(file: Blob): Promise<FileSystemFileHandle | undefined> {
  const handle = await handles.get(file)?.catch(() => null);
  return handle?.kind === 'file' ? (handle as FileSystemFileHandle) : undefined;
}

/** Whether a file may be read. @param asks whether the person may be asked, which takes a click. */
export async function mayRead(handle: FileSystemHandle, asks: boolean): Promise<boolean> {
  const state = await handle.queryPermission?.({ mode: 'read' });
  if (state === 'prompt' && asks) return (await handle.requestPermission?.({ mode: 'read' })) === 'granted';
  return state === 'granted';
}
