/** The page's reader of EXIF against the package exifr, which the command line uses. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import exifr from 'exifr';
import { expect, it } from 'vitest';
import { exifReader } from '../../app/src/worker/decode/exifReader.ts';
import { SHOT_TAGS } from '../../src/brackets/shots.ts';
import { readExifTags, readExposureInfo } from '../../src/image/exif.ts';
import { exposureFields, tiff } from '../node/pictures.ts';
import type { TiffField } from '../node/pictures.ts';

const text = (tag: number, value: string): TiffField => [tag, 2, value];
const rational = (tag: number, ...parts: number[]): TiffField => [tag, 5, parts];

const BLOCKS: Record<string, Uint8Array> = {
  'a JPEG of a camera': readFileSync(fileURLToPath(new URL('../../examples/balloons/1.jpg', import.meta.url))),
  'all tags': tiff(
    [text(271, 'Maker'), text(272, 'Model 5'), [274, 3, [6]]],
    [
      ...exposureFields({ time: [1, 320], fNumber: [56, 10], iso: 65535 }),
      [34866, 4, [102400]],
      [34867, 4, [204800]],
      text(36867, '2026:11:27 10:09:26'),
      text(37521, '042'),
      rational(37378, 497, 100),
      rational(37386, 50, 1),
      text(42033, '0012345'),
      [40962, 4, [6000]],
      [40963, 3, [4000]],
    ],
  ),
  'APEX values alone': tiff([], [rational(37378, 6, 1), [37377, 10, [-1, 3]], [37380, 10, [-4, 3]]]),
  'values that are none': tiff([], [rational(33434, 1, 0), rational(33437, 0, 0), [34855, 3, [100, 0]]]),
  'no EXIF': tiff([[256, 3, [4]]]),
};

it.each(Object.entries(BLOCKS))('reads what exifr reads: %s', async (_, bytes) => {
  const [ours, theirs] = await Promise.all([exifReader, exifr].map((reader) => readExposureInfo(reader, bytes)));
  expect(ours).toEqual(theirs);
  const [our, their] = await Promise.all([exifReader, exifr].map((reader) => readExifTags(reader, bytes, SHOT_TAGS)));
  const plain = (tags: Record<string, unknown> = {}) =>
    Object.fromEntries(Object.entries(tags).map(([k, v]) => [k, ArrayBuffer.isView(v) ? [...(v as Uint16Array)] : v]));
  expect(plain(our)).toEqual(plain(their));
});
