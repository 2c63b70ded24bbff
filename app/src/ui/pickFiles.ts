/** Files and folders from the pickers, dropped anywhere on the page, or pasted. */
import { shown } from '../../../src/shown.ts';
import { pickWithHandles, rememberDropped } from '../kept/handles.ts';
import type { NamedFile } from '../messages.ts';
import { words } from '../words/index.ts';
import { byId } from './dom.ts';
import { droppedFiles } from './droppedFiles.ts';

/** What was picked or dropped. */
export interface Picked {
  files: NamedFile[];
  /** What they were in, in words: “holiday”, 2 folders. undefined for files alone. */
  folder?: string;
}

const byPath = new Intl.Collator('en', { numeric: true }).compare;

/** The same, with names that are safe to show: everything on the page and in its messages gets them from here. */
export function named({ files, folder }: Picked): Picked {
  return {
    files: files.map(({ name, file }) => ({ name: shown(name), file })),
    ...(folder !== undefined && { folder: shown(folder) }),
  };
}

function fromFolder(files: readonly NamedFile[], folder: string): Picked {
  return { folder, files: [...files].sort((a, b) => byPath(a.name, b.name)) };
}

/**
 * @param onFiles called with the files, once all folders are listed.
 * @param isBusy whether they cannot be taken now, which whoever drags files over the page is told.
 */
export function acceptFiles(onFiles: (picked: Picked) => void, isBusy: () => boolean): void {
  const take = (picked: Picked): void => onFiles(named(picked));
  const input = byId('files', HTMLInputElement);
  const folderInput = byId('folder', HTMLInputElement);
  const veil = byId('drop-veil', HTMLDivElement);
  const plain = (list: Iterable<File>): Picked => ({ files: [...list].map((file) => ({ name: file.name, file })) });
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action=pick]'))
    button.onclick = () => void pickWithHandles(input).then((files) => files && take(plain(files)));
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-action=pick-folder]'))
    button.onclick = () => folderInput.click();
  // Some phones have no folders.
  for (const element of document.querySelectorAll<HTMLElement>('[data-folders]'))
    element.hidden = !('webkitdirectory' in folderInput);
  input.onchange = () => {
    take(plain(input.files ?? []));
    input.value = ''; // the same file may be picked again
  };
  folderInput.onchange = () => {
    const files = [...(folderInput.files ?? [])];
    folderInput.value = '';
    const [folder] = files[0]?.webkitRelativePath.split('/') ?? [''];
    const inside = files.map((file) => ({ name: file.webkitRelativePath.slice(folder.length + 1), file }));
    take(fromFolder(inside, words.page.quoted(folder)));
  };
  // Entering a child leaves its parent, so the overlay hides only when every entered element has been left.
  let depth = 0;
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth++;
    veil.hidden = false;
    veil.classList.toggle('refused', isBusy());
    veil.firstElementChild!.textContent = isBusy() ? words.page.busy : words.page.drop;
  });
  addEventListener('dragleave', () => {
    depth = Math.max(0, depth - 1);
    veil.hidden = depth === 0;
  });
  addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault());
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veil.hidden = true;
    const listing = event.dataTransfer && droppedFiles(event.dataTransfer);
    if (!listing) return take(plain(event.dataTransfer ? rememberDropped(event.dataTransfer) : []));
    void listing.then(({ files, folder }) => take(folder === undefined ? { files } : fromFolder(files, folder)));
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(plain(files));
  });
}
