/** JPEG in TIFF, by the browser. */
import { damaged } from '../../../../src/image/refusals.ts';
import { decodeInBands } from './bands.ts';
import { jpegHeader } from './header.ts';

/**
 * Decodes a strip or tile.
 * @param size that the TIFF gives it; the last strip may hold more rows.
 * @returns `[height, width, channels]`.
 */
export async function decodeTiffJpeg(
  file: Blob,
  { width, height }: { width: number; height: number },
  channels: number,
  name: string,
): Promise<Uint8Array> {
  const size = jpegHeader(new Uint8Array(await file.arrayBuffer()), name);
  if (size.width !== width || size.height < height)
    throw damaged(name, `a strip or tile holds ${size.width}x${size.height} pixels, it should have ${width}x${height}`);
  const { data: rgb } = await decodeInBands(file, name, false);
  return channels === 3 ? rgb : Uint8Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i]);
}
