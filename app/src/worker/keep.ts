/**
 * Writes into the origin's private files: photos without a handle, and the result's pixels. Bands of some megabytes,
 * between which the worker does what else it is asked for.
 */
import type { KeptResult } from '../messages.ts';
import type { Edited } from './changes.ts';
import type { MergeOutcome } from './mergeFrames.ts';

/** Bytes written at once. */
const BAND = 8 * 2 ** 20;

/** The part of the API that TypeScript's declarations for pages lack. */
interface SyncAccessHandle {
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  flush(): void;
  close(): void;
}
type WorkerFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

async function folderAt(path: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await navigator.storage.getDirectory();
  for (const name of path) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

/** Writes a new file, band after band. Nothing of it is left if that fails. @throws without the room for it. */
async function write(
  path: readonly string[],
  name: string,
  size: number,
  band: (from: number, to: number) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  if (size > quota - usage) throw new DOMException(`${size} bytes of ${quota - usage}`, 'QuotaExceededError');
  const folder = await folderAt(path, true);
  const file = (await folder.getFileHandle(name, { create: true })) as WorkerFile;
  try {
    const access = await file.createSyncAccessHandle();
    try {
      for (let from = 0; from < size; from += BAND) {
        const bytes = await band(from, Math.min(size, from + BAND));
        if (access.write(bytes, { at: from }) < bytes.length) throw new DOMException(name, 'QuotaExceededError');
        await new Promise((resolve) => setTimeout(resolve));
      }
      access.flush();
    } finally {
      access.close();
    }
  } catch (error) {
    await folder.removeEntry(name).catch(() => undefined);
    throw error;
  }
}

/** Copies a photo. @throws without the room for it, or if it cannot be read. */
export function copyFile(path: readonly string[], name: string, file: Blob): Promise<void> {
  return write(path, name, file.size, async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer()));
}

/** Writes radiance as it is, then the motion maps as bytes, then moments. @throws without the room for it. */
export async function writeResult(
  path: readonly string[],
  name: string,
  { radiance }: MergeOutcome['merged'],
  maps: readonly Float32Array[],
  moment?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  // Now, because strokes may follow while the rest is written; the page keeps those by themselves.
  const motion = maps.map((map) => {
    const bytes = new Uint8Array(map.length);
    for (let i = 0; i < map.length; i++) bytes[i] = 255 * map[i] + 0.5;
    return bytes;
  });
  const moments = moment ? [moment.slice()] : [];
  const parts = [new Uint8Array(radiance.buffer, radiance.byteOffset, radiance.byteLength), ...motion, ...moments];
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  await write(path, name, size, (from, to) => {
    const band = new Uint8Array(to - from);
    let start = 0;
    for (const part of parts) {
      const [first, end] = [Math.max(from, start), Math.min(to, start + part.length)];
      if (first < end) band.set(part.subarray(first - start, end - start), first - from);
      start += part.length;
    }
    return band;
  });
}

/** Reads what `writeResult` wrote. @throws if it is gone, or of another size. */
export async function readResult(
  path: readonly string[],
  name: string,
  { merged: { width, height }, maps: count, changes }: Pick<KeptResult, 'merged' | 'maps' | 'changes'>,
): Promise<{ radiance: Float32Array<ArrayBuffer>; maps: Float32Array[]; edited: Edited }> {
  const file = await (await (await folderAt(path, false)).getFileHandle(name)).getFile();
  const pixels = width * height;
  const { isPainted, hasMoments } = changes;
  if (file.size !== pixels * (12 + count + (hasMoments ? 1 : 0))) throw new Error(`${name} has ${file.size} bytes`);
  const radiance = new Float32Array(await file.slice(0, pixels * 12).arrayBuffer());
  const maps: Float32Array[] = [];
  for (let k = 0; k < count; k++) {
    const from = pixels * (12 + k);
    const bytes = new Uint8Array(await file.slice(from, from + pixels).arrayBuffer());
    const map = new Float32Array(pixels);
    for (let i = 0; i < pixels; i++) map[i] = bytes[i] / 255;
    maps.push(map);
  }
  const from = pixels * (12 + count);
  const moment = hasMoments ? new Uint8Array(await file.slice(from, from + pixels).arrayBuffer()) : undefined;
  return { radiance, maps, edited: { motion: isPainted ? maps : undefined, moment } };
}
