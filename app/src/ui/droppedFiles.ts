/** The files in dropped folders, and in folders within them. */
import { rememberIn } from '../kept/handles.ts';
import type { NamedFile } from '../messages.ts';
import { words } from '../words/index.ts';

/** The handle of a dropped folder, where the browser gives one. */
type Root = Promise<FileSystemHandle | null>;

/**
 * Lists what was dropped, if there is a folder among it. Folders that cannot be read are left out. To be called in the
 * event itself: afterwards the browser forgets what was dropped.
 * @returns undefined if only files were dropped. Names are paths from the folder; from above it if there are several.
 */
export function droppedFiles(transfer: DataTransfer): Promise<{ files: NamedFile[]; folder?: string }> | undefined {
  const roots = new Map<FileSystemEntry, Root>();
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.webkitGetAsEntry?.();
    if (!entry) return [];
    const handle = entry.isDirectory ? item.getAsFileSystemHandle?.() : undefined;
    handle?.catch(() => null);
    if (handle) roots.set(entry, handle);
    return entry;
  });
  const folders = entries.filter(isFolder);
  if (folders.length === 0) return undefined;
  return (async () => {
    const [only] = entries;
    if (entries.length === 1 && isFolder(only))
      return { files: await filesOf(only, '', [], roots.get(only)), folder: words.page.quoted(only.name) };
    const files: NamedFile[] = [];
    for (const entry of entries) {
      if (isFolder(entry)) files.push(...(await filesOf(entry, `${entry.name}/`, [], roots.get(entry))));
      else if (isFile(entry)) files.push(...(await fileOf(entry, '')));
    }
    const { page } = words;
    return { files, folder: folders.length > 1 ? page.folders(folders.length) : page.folderAndFiles(folders[0].name) };
  })();
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

/** None if the file cannot be read. */
async function fileOf(entry: FileSystemFileEntry, path: string): Promise<NamedFile[]> {
  try {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ name: path + entry.name, file }];
  } catch {
    return [];
  }
}

/** @param way from the root to this folder; a session that goes on finds the files there. */
async function filesOf(
  folder: FileSystemDirectoryEntry,
  path: string,
  way: readonly string[],
  root: Root | undefined,
): Promise<NamedFile[]> {
  const reader = folder.createReader();
  const found: NamedFile[] = [];
  for (;;) {
    // Some at a time, until there are no more.
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return found;
    for (const entry of entries) {
      const here = [...way, entry.name];
      if (isFolder(entry)) found.push(...(await filesOf(entry, `${path}${entry.name}/`, here, root)));
      else if (isFile(entry))
        for (const named of await fileOf(entry, path)) {
          if (root) rememberIn(named.file, root, here);
          found.push(named);
        }
    }
  }
}
