/** The colours of a PNG by its chunk cICP (PNG, third edition): sharp, browsers and packages do not tell of it. */
import { cicpColor } from './sourceColor.ts';
import type { SourceColor } from './sourceColor.ts';

const [CICP, IDAT] = [0x63494350, 0x49444154];

/**
 * The colours that a PNG's cICP names, which count more than its ICC profile.
 * @returns undefined if it has none.
 * @throws InputError naming the file, for HDR curves and those that are not known.
 */
export function pngColor(bytes: Uint8Array, name: string): SourceColor | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = view.getUint32(at + 4);
    if (type === IDAT) return undefined;
    if (type === CICP && view.getUint32(at) >= 4) return cicpColor(bytes[at + 8], bytes[at + 9], name);
  }
  return undefined;
}
