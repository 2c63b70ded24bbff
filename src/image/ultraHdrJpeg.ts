/**
 * Joins two JPEGs, a base and a gain map, into one Ultra HDR file: XMP in both (Adobe's `hdrgm` and Google's
 * `Container`), and a Multi-Picture index in the base (CIPA DC-007) that says where the gain map lies. Format:
 * https://developer.android.com/media/platform/hdr-image-format (Ultra HDR 1.1).
 */
import type { GainMapMetadata } from './gainMap.ts';
import { jpegSegment, jpegWith } from './metadataSegments.ts';
import type { Metadata } from './metadataSegments.ts';
import { TIFF_TYPE, bytesEntry, encodeDirectory, numbersEntry } from './tiffEntries.ts';

const XMP = 'http://ns.adobe.com/xap/1.0/\0';
const HDRGM = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"';
/** Attributes of the base in the index: representative picture, JPEG, "Baseline MP Primary Image". */
const PRIMARY = 0x30000;

const xmp = (description: string): Uint8Array<ArrayBuffer> =>
  jpegSegment(
    0xe1,
    XMP,
    new TextEncoder().encode(
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
        `<rdf:Description rdf:about="" ${description}</rdf:RDF></x:xmpmeta>`,
    ),
  );

const total = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0);

/** The index, for a base of `size` bytes that has its TIFF header at `at`, and a gain map right after it. */
function pictureIndex(size: number, at: number, gainMapSize: number): Uint8Array<ArrayBuffer> {
  const list = numbersEntry(0, TIFF_TYPE.long, [PRIMARY, size, 0, 0, 0, gainMapSize, size - at, 0]).value;
  const entries = encodeDirectory(
    [
      bytesEntry(0xb000, new TextEncoder().encode('0100')),
      numbersEntry(0xb001, TIFF_TYPE.long, [2]),
      bytesEntry(0xb002, list),
    ],
    8,
  );
  const block = new Uint8Array(8 + entries.length);
  block.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  block.set(entries, 8);
  return jpegSegment(0xe2, 'MPF\0', block);
}

/**
 * Joins both JPEGs.
 * @returns the file in pieces.
 */
export function joinUltraHdr(
  base: Uint8Array,
  gainMap: Uint8Array,
  coding: GainMapMetadata,
  metadata: Metadata = {},
): Uint8Array[] {
  const second = [
    gainMap.subarray(0, 2),
    xmp(
      `${HDRGM} hdrgm:GainMapMin="${coding.gainMapMin[0]}" hdrgm:GainMapMax="${coding.gainMapMax[0]}" ` +
        `hdrgm:Gamma="${coding.gamma[0]}" hdrgm:OffsetSDR="${coding.offsetSdr[0]}" ` +
        `hdrgm:OffsetHDR="${coding.offsetHdr[0]}" hdrgm:HDRCapacityMin="${coding.hdrCapacityMin}" ` +
        `hdrgm:HDRCapacityMax="${coding.hdrCapacityMax}" hdrgm:BaseRenditionIsHDR="False"/>`,
    ),
    gainMap.subarray(2),
  ];
  const item = (what: string): string =>
    `<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="${what} Item:Mime="image/jpeg"/></rdf:li>`;
  const directory = xmp(
    `${HDRGM} xmlns:Container="http://ns.google.com/photos/1.0/container/" ` +
      'xmlns:Item="http://ns.google.com/photos/1.0/container/item/"><Container:Directory><rdf:Seq>' +
      item('Primary"') +
      item(`GainMap" Item:Length="${total(second)}"`) +
      '</rdf:Seq></Container:Directory></rdf:Description>',
  );
  const parts = jpegWith(base, metadata);
  const rest = parts.pop()!;
  const before = [...parts, directory];
  const index = (size: number): Uint8Array => pictureIndex(size, total(before) + 8, total(second));
  const size = total(before) + index(0).length + rest.length;
  return [...before, index(size), rest, ...second];
}
