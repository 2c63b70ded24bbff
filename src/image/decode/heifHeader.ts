/**
 * What the boxes of a HEIC or AVIF file say of its picture, read before anything is decoded: size, depth, alpha and
 * colours.
 *
 * Decoders of both give samples as they are stored, and leave the colours to their callers. The layout: ISO/IEC
 * 14496-12
 * (boxes) and 23008-12 (HEIF): the box `meta` names the primary item (`pitm`), lists properties (`ipco`) and says which
 * belong to which item (`ipma`).
 */
import { checkSize } from '../picture.ts';
import { checkDeflated, damaged } from '../refusals.ts';
import { SRGB, cicpColor, iccColor } from './sourceColor.ts';
import type { SourceColor } from './sourceColor.ts';

export interface HeifHeader {
  width: number;
  height: number;
  /** Bits of a sample, as stored: 8, 10, 12. */
  depth: number;
  /** Undefined if an ICC profile with tables says what the colours are. */
  color: SourceColor | undefined;
  /** How to turn the stored picture upright, as EXIF counts orientations: one after the other. */
  turns: number[];
}

/** Most boxes that are looked at in one place: enough for any camera's file of tiles. */
const MOST_BOXES = 100000;

interface Box {
  type: string;
  body: DataView;
}

/** The boxes of a range. @throws RangeError where one leaves it. */
function boxes(view: DataView, from = 0): Box[] {
  const found: Box[] = [];
  for (let at = from; at + 8 <= view.byteLength && found.length < MOST_BOXES; ) {
    const short = view.getUint32(at);
    const head = short === 1 ? 16 : 8;
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short === 0 ? view.byteLength - at : short;
    if (size < head || at + size > view.byteLength) throw new RangeError('a box leaves the file');
    found.push({ type: text(view, at + 4), body: new DataView(view.buffer, view.byteOffset + at + head, size - head) });
    at += size;
  }
  return found;
}

const text = (view: DataView, at: number): string =>
  String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));

/**
 * Reads the header.
 * @throws InputError naming the file, if it is damaged, too large, or of colours that are not read.
 */
export function heifHeader(bytes: Uint8Array, name: string): HeifHeader {
  let properties: Box[];
  try {
    properties = primaryProperties(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw damaged(name, cause);
  }
  const sizes = properties.filter(({ type, body }) => type === 'ispe' && body.byteLength >= 12);
  if (sizes.length === 0) throw damaged(name, 'it does not say how large its picture is');
  const [{ body }] = sizes;
  const [width, height] = [body.getUint32(4), body.getUint32(8)];
  checkSize(width, height, name);
  checkDeflated(name, width, height, 8, bytes.length);
  return { width, height, depth: depthOf(properties), color: colorOf(properties, name), turns: turnsOf(properties) };
}

/** The properties of the primary item. */
function primaryProperties(file: DataView): Box[] {
  const meta = find(boxes(file), 'meta');
  const inMeta = boxes(meta, 4);
  const item = find(inMeta, 'pitm');
  const primary = item.getUint8(0) === 0 ? item.getUint16(4) : item.getUint32(4);
  const inProperties = boxes(find(inMeta, 'iprp'));
  const all = boxes(find(inProperties, 'ipco'));
  return associations(find(inProperties, 'ipma'), primary).flatMap((index) => all[index - 1] ?? []);
}

function find(list: readonly Box[], type: string): DataView {
  const found = list.find((box) => box.type === type);
  if (!found) throw new RangeError(`it has no box ${type}`);
  return found.body;
}

/** Numbers, from 1, of an item's properties. */
function associations(ipma: DataView, item: number): number[] {
  const version = ipma.getUint8(0);
  const isWide = (ipma.getUint8(3) & 1) === 1;
  const count = ipma.getUint32(4);
  for (let i = 0, at = 8; i < count; i++) {
    const id = version < 1 ? ipma.getUint16(at) : ipma.getUint32(at);
    at += version < 1 ? 2 : 4;
    const own = ipma.getUint8(at++);
    const step = isWide ? 2 : 1;
    if (id === item)
      return Array.from({ length: own }, (_, k) =>
        isWide ? ipma.getUint16(at + 2 * k) & 0x7fff : ipma.getUint8(at + k) & 0x7f,
      );
    at += own * step;
  }
  throw new RangeError('its picture has no properties');
}

/** By `pixi`, or the codec's own configuration. */
function depthOf(properties: readonly Box[]): number {
  for (const { type, body } of properties) {
    if (type === 'pixi' && body.byteLength > 5) return body.getUint8(5);
    if (type === 'av1C' && body.byteLength >= 3) {
      const flags = body.getUint8(2);
      return flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8;
    }
    if (type === 'hvcC' && body.byteLength >= 18) return 8 + (body.getUint8(17) & 7);
  }
  return 8;
}

/** By `colr`: an ICC profile counts more than code points (ISO/IEC 23000-22, MIAF). */
function colorOf(properties: readonly Box[], name: string): SourceColor | undefined {
  const colors = properties.filter(({ type, body }) => type === 'colr' && body.byteLength >= 4);
  const icc = colors.find(({ body }) => ['prof', 'rICC'].includes(text(body, 0)))?.body;
  if (icc) return iccColor(new Uint8Array(icc.buffer, icc.byteOffset + 4, icc.byteLength - 4));
  const nclx = colors.find(({ body }) => text(body, 0) === 'nclx' && body.byteLength >= 8)?.body;
  return nclx ? cicpColor(nclx.getUint16(4), nclx.getUint16(6), name) : SRGB;
}

/** By `irot` (quarters of a turn, anticlockwise) and `imir`, in their order. libheif applies them, libavif does not. */
function turnsOf(properties: readonly Box[]): number[] {
  return properties.flatMap(({ type, body }) => {
    if (type === 'irot' && body.byteLength >= 1) return [[1, 8, 3, 6][body.getUint8(0) & 3]];
    // Axis 0 exchanges top and bottom, 1 left and right.
    if (type === 'imir' && body.byteLength >= 1) return [body.getUint8(0) & 1 ? 2 : 4];
    return [];
  });
}
