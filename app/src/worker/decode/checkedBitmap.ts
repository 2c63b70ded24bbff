/** The browser's own decoder, for small pictures: it takes what a file claims for true, so that is checked before. */
import { heifHeader } from '../../../../src/image/decode/heifHeader.ts';
import { InputError } from '../../../../src/errors.ts';
import { MAX_FILE_BYTES } from '../../../../src/image/refusals.ts';
import { sniffFormat } from '../../../../src/image/sniff.ts';
import { jpegHeader, pngHeader, webpHeader } from './header.ts';

const HEADERS = { jpeg: jpegHeader, png: pngHeader, webp: webpHeader, avif: heifHeader, heic: heifHeader };

/**
 * Decodes a file, to a size.
 * @returns undefined for formats that the browser does not read, or whose headers are not known here.
 * @throws InputError where the header is refused.
 */
export async function checkedBitmap(
  file: Blob,
  name: string,
  options: ImageBitmapOptions,
): Promise<ImageBitmap | undefined> {
  if (file.size > MAX_FILE_BYTES)
    throw new InputError(`${name} is ${file.size} bytes, at most ${MAX_FILE_BYTES} are read`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const format = sniffFormat(bytes, name, name);
  if (!Object.hasOwn(HEADERS, format)) return undefined;
  await HEADERS[format as keyof typeof HEADERS](bytes, name);
  return createImageBitmap(file, options).catch(() => undefined);
}
