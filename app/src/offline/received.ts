/** Photos that come from other programs: shared with the installed page, or opened with it. */
import { remember } from '../kept/handles.ts';
import type { NamedFile } from '../messages.ts';
import type { Picked } from '../ui/pickFiles.ts';

/** The part of the Launch Handler API that TypeScript's declarations lack. */
interface LaunchQueue {
  setConsumer(consumer: (launch: { files?: readonly FileSystemHandle[] }) => void): void;
}

/** Calls `onFiles` for the files that the page was opened with, now and later. */
export function launched(onFiles: (picked: Picked) => void): void {
  (globalThis as { launchQueue?: LaunchQueue }).launchQueue?.setConsumer(({ files: handles = [] }) => {
    const read = handles.map(async (handle): Promise<NamedFile[]> => {
      if (!(handle instanceof FileSystemFileHandle)) return [];
      const file = await handle.getFile();
      remember(file, Promise.resolve(handle));
      return [{ name: handle.name, file }];
    });
    void Promise.all(read.map((one) => one.catch(() => []))).then((lists) => {
      const files = lists.flat();
      if (files.length > 0) onFiles({ files });
    });
  });
}

/** Takes what the service worker has kept of a share (its SHARED_CACHE). */
export async function sharedFiles(): Promise<NamedFile[]> {
  const name = `deghost ${new URL('.', document.baseURI).pathname} shared`;
  const cache = await caches.open(name);
  const files: NamedFile[] = [];
  for (const request of await cache.keys()) {
    const response = (await cache.match(request))!;
    const fileName = decodeURIComponent(response.headers.get('x-name') ?? '');
    const lastModified = Number(response.headers.get('x-modified'));
    // Read whole: the cache goes.
    files.push({ name: fileName, file: new File([await response.arrayBuffer()], fileName, { lastModified }) });
  }
  await caches.delete(name);
  return files;
}
