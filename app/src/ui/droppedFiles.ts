/** The files in dropped folders, and in folders within them. */
import type { NamedFile } from '../messages.ts';
import { words } from '../words/index.ts';

/**
 * Lists what was dropped, if there is a folder among it. Folders that cannot be read are left out. To be called in the
 * event itself: afterwards the browser forgets what was dropped.
 * @returns undefined if only files were dropped. Names are paths from the folder; from above it if there are several.
 */
export function droppedFiles(transfer: DataTransfer): Promise<{ files: NamedFile[]; folder?: string }> | undefined {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  const folders = entries.filter(isFolder);
  if (folders.length === 0) return undefined;
  return (async () => {
    const [only] = entries;
    if (entries.length === 1 && isFolder(only))
      return { files: await filesOf(only, ''), folder: words.page.quoted(only.name) };
    const files: NamedFile[] = [];
    for (const entry of entries) {
      if (isFolder(entry)) files.push(...(await filesOf(entry, `${entry.name}/`)));
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

async function filesOf(folder: FileSystemDirectoryEntry, path: string): Promise<NamedFile[]> {
  const reader = folder.createReader();
  const found: NamedFile[] = [];
  for (;;) {
    // Some at a time, until there are no more.
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return found;
    for (const entry of entries) {
      if (isFolder(entry)) found.push(...(await filesOf(entry, `${path}${entry.name}/`)));
      else if (isFile(entry)) found.push(...(await fileOf(entry, path)));
    }
  }
}
