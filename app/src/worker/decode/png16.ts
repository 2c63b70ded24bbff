/** 16-bit PNG, which the browser decodes to 8 bits only. */
import { toRgb } from '../../../../src/image/decode/channels.ts';
import type { StoredPicture } from '../../../../src/image/decode/channels.ts';
import { orient } from '../../../../src/image/decode/orient.ts';
import { SRGB } from '../../../../src/image/decode/sourceColor.ts';
import type { SourceColor } from '../../../../src/image/decode/sourceColor.ts';
import { damaged } from '../../../../src/image/refusals.ts';
import { exifr, fastPng } from './packages.ts';

/** A 16-bit PNG of the colours given. @throws InputError naming the file. */
export async function decodePng16(bytes: Uint8Array, name: string, color: SourceColor): Promise<StoredPicture> {
  const { decode } = await fastPng();
  let image: ReturnType<typeof decode>;
  try {
    image = decode(bytes);
  } catch (error) {
    throw damaged(name, error);
  }
  const { width, height, channels, transparency } = image;
  const { data, ...size } = orient(
    image.data as Uint16Array,
    width,
    height,
    (await (await exifr()).orientation(bytes).catch(() => undefined)) ?? 1,
    channels,
  );
  const rgb = toRgb(data, channels, name);
  return {
    ...size,
    ...rgb,
    ...(transparency && { coverage: exceptOneColour(data, channels, transparency) }),
    bits: 16,
    color: channels >= 3 ? color : SRGB,
  };
}

/** tRNS of pictures without alpha: one colour is transparent. */
function exceptOneColour(data: Uint16Array, channels: number, transparent: ArrayLike<number>): Uint8Array | undefined {
  const coverage = Uint8Array.from({ length: data.length / channels }, (_, p) => {
    for (let c = 0; c < channels; c++) if (data[p * channels + c] !== transparent[c]) return 1;
    return 0;
  });
  return coverage.includes(0) ? coverage : undefined;
}
