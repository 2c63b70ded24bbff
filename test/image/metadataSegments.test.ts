/** EXIF and profiles put into files that an encoder has made. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { deflateStream } from '../../src/image/exr.ts';
import { encodeIccProfile } from '../../src/image/iccEncoder.ts';
import { jpegWith, pngWith } from '../../src/image/metadataSegments.ts';

const raw = { raw: { width: 8, height: 8, channels: 3 as const } };
const picture = () =>
  sharp(
    new Uint8Array(192).map((_, i) => i),
    raw,
  );
const icc = encodeIccProfile('p3', 'srgb');

/** How often a text stands in a file. */
const count = (file: Buffer, text: string): number => file.toString('latin1').split(text).length - 1;

describe('a profile', () => {
  it('takes the place of the one that the encoder wrote, in JPEG', async () => {
    const tagged = await picture().withIccProfile('srgb').jpeg().toBuffer();
    expect(count(tagged, 'ICC_PROFILE')).toBe(1);
    const file = Buffer.concat(jpegWith(tagged, { icc }));
    expect(count(file, 'ICC_PROFILE')).toBe(1);
    expect(Buffer.from((await sharp(file).metadata()).icc!)).toEqual(Buffer.from(icc));
    const [before, after] = await Promise.all([tagged, file].map((bytes) => sharp(bytes).raw().toBuffer()));
    expect(after).toEqual(before);
    // Without another one it stays.
    expect(count(Buffer.concat(jpegWith(tagged, {})), 'ICC_PROFILE')).toBe(1);
  });

  it('takes the place of what the encoder says of the colours, in PNG', async () => {
    const tagged = await picture().withIccProfile('srgb').png().toBuffer();
    const said = ['iCCP', 'sRGB', 'gAMA', 'cHRM', 'cICP'];
    expect(said.reduce((sum, name) => sum + count(tagged, name), 0)).toBeGreaterThan(0);
    const file = Buffer.concat(await pngWith(tagged, { icc }, deflateStream));
    expect(said.map((name) => count(file, name))).toEqual([1, 0, 0, 0, 0]);
    expect(Buffer.from((await sharp(file).metadata()).icc!)).toEqual(Buffer.from(icc));
  });

  it('is put into files without one', async () => {
    for (const file of [
      Buffer.concat(jpegWith(await picture().jpeg().toBuffer(), { icc })),
      Buffer.concat(await pngWith(await picture().png().toBuffer(), { icc }, deflateStream)),
    ])
      expect(Buffer.from((await sharp(file).metadata()).icc!)).toEqual(Buffer.from(icc));
  });
});
