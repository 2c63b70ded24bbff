/** Zip files, by the package yauzl, which checks them against the specification. */
import { Buffer } from 'node:buffer';
import { InputError, reasonOf } from '../errors.ts';
import { MOST_DEFLATED } from '../image/packed.ts';
import { MAX_ENTRIES, damaged, quoted } from '../weights/convert/checkpoint.ts';
import type { Zip } from '../weights/convert/zip.ts';
import { optional } from './problems.ts';

/** Most bytes that all files of a zip may unpack to. */
const MAX_BYTES = 2 ** 32;

/**
 * Opens a zip file. Its directory is read and checked; files are unpacked when they are asked for.
 * @param name the file, for messages.
 * @throws InputError if it is damaged; MissingPackageError
 */
export async function openZip(bytes: Uint8Array, name: string): Promise<Zip> {
  const yauzl = await optional(() => import('yauzl'), 'yauzl', 'reading zip files');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const zip = await yauzl.default.fromBufferPromise(buffer);
    const entries = new Map<string, Entry>();
    let total = 0;
    for await (const entry of zip.eachEntry() as AsyncIterable<Entry>) {
      if (entry.fileName.endsWith('/')) continue; // a folder
      if (entries.has(entry.fileName)) damaged(name, `two files have the name ${quoted(entry.fileName)}`);
      if (entries.size >= MAX_ENTRIES)
        throw new InputError(`${name}: it has more than ${MAX_ENTRIES} files, the most that are read`);
      if (entry.uncompressedSize > MOST_DEFLATED * (entry.compressedSize + 1))
        damaged(
          name,
          `${quoted(entry.fileName)} says that its ${entry.compressedSize} bytes unpack to ${entry.uncompressedSize}`,
        );
      total += entry.uncompressedSize;
      if (total > MAX_BYTES)
        throw new InputError(`${name}: it unpacks to more than ${MAX_BYTES} bytes, the most that are read`);
      entries.set(entry.fileName, entry);
    }
    return {
      names: [...entries.keys()],
      async read(file) {
        const entry = entries.get(file)!;
        try {
          const out = Buffer.alloc(entry.uncompressedSize);
          let at = 0;
          for await (const piece of (await zip.openReadStreamPromise(entry as never)) as AsyncIterable<Buffer>) {
            piece.copy(out, at);
            at += piece.length;
          }
          if (at !== out.length) damaged(name, `${quoted(file)} has ${at} bytes, it says ${out.length}`);
          return out;
        } catch (cause) {
          if (cause instanceof InputError) throw cause;
          return damaged(name, `${quoted(file)} cannot be unpacked (${reasonOf(cause)})`, { cause });
        }
      },
    };
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    return damaged(name, `its zip directory cannot be read (${reasonOf(cause)})`, { cause });
  }
}

interface Entry {
  fileName: string;
  uncompressedSize: number;
  compressedSize: number;
}
