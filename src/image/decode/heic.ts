/**
 * HEIC with libheif-js (libheif and libde265 in WebAssembly), 8 to 12 bit.
 *
 * The package's convenience function gives 8 bits; the C API beneath gives all of them. What libheif applies itself:
 * the
 * picture's rotation and mirroring, so EXIF's orientation must not be applied once more, and the conversion from YCbCr.
 */
import { InputError, reasonOf } from '../../errors.ts';
import { checkSize } from '../picture.ts';
import { damaged, profileNotRead } from '../refusals.ts';
import { toRgb } from './channels.ts';
import type { StoredPicture } from './channels.ts';
import { heifHeader } from './heifHeader.ts';
import { decoderBytes } from './wasmMemory.ts';

/** A part of libheif-js's module. Its objects live in WebAssembly's memory until they are released. */
export interface LibHeif {
  heif_colorspace: { heif_colorspace_RGB: unknown };
  heif_chroma: Record<`heif_chroma_interleaved_${'RGB' | 'RGBA' | 'RRGGBB_LE' | 'RRGGBBAA_LE'}`, unknown>;
  heif_error_code: { heif_error_Ok: unknown };
  heif_context_alloc(): object;
  heif_context_free(context: object): void;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): HeifError;
  heif_js_context_get_primary_image_handle(context: object): object | HeifError;
  heif_image_handle_release(handle: object): void;
  heif_image_handle_has_alpha_channel(handle: object): number;
  heif_image_handle_is_premultiplied_alpha(handle: object): number;
  heif_js_decode_image2(handle: object, colorspace: unknown, chroma: unknown): HeifPicture | HeifError;
  heif_image_release(image: object): void;
}

interface HeifError {
  code: unknown;
  message: string;
}

interface HeifPicture {
  image: object;
  channels: { width: number; height: number; stride: number; bits_per_pixel: number; data: Uint8Array }[];
}

/**
 * Decodes a HEIC.
 * @param start starts libheif, with so many bytes of memory at most.
 * @throws InputError naming the file; what `start` throws.
 */
export async function decodeHeic(
  start: (mostBytes: number) => Promise<LibHeif>,
  bytes: Uint8Array,
  name: string,
): Promise<StoredPicture> {
  const { width, height, depth, color } = heifHeader(bytes, name);
  if (!color) throw profileNotRead(name);
  return decodeWith(await start(decoderBytes(width, height)), bytes, name, depth, color);
}

function decodeWith(
  libheif: LibHeif,
  bytes: Uint8Array,
  name: string,
  depth: number,
  color: StoredPicture['color'],
): StoredPicture {
  const context = libheif.heif_context_alloc();
  const check = <T extends object>(answer: T | HeifError): T => {
    if ('code' in answer && answer.code !== libheif.heif_error_code.heif_error_Ok) {
      if (/not been built in/.test(answer.message))
        throw new InputError(`${name} is a HEIF file whose codec is not HEVC, which is not read: convert it to PNG`);
      throw damaged(name, answer.message);
    }
    return answer as T;
  };
  try {
    check(libheif.heif_context_read_from_memory(context, bytes));
    const handle = check(libheif.heif_js_context_get_primary_image_handle(context));
    try {
      const channels = libheif.heif_image_handle_has_alpha_channel(handle) ? 4 : 3;
      const isPremultiplied = libheif.heif_image_handle_is_premultiplied_alpha(handle) !== 0;
      const wide = channels === 4 ? 'heif_chroma_interleaved_RRGGBBAA_LE' : 'heif_chroma_interleaved_RRGGBB_LE';
      const narrow = channels === 4 ? 'heif_chroma_interleaved_RGBA' : 'heif_chroma_interleaved_RGB';
      const bits = depth > 8 ? 16 : 8;
      const chroma = libheif.heif_chroma[bits === 16 ? wide : narrow];
      const picture = check(libheif.heif_js_decode_image2(handle, libheif.heif_colorspace.heif_colorspace_RGB, chroma));
      try {
        const [plane] = picture.channels;
        const { width, height } = plane;
        checkSize(width, height, name);
        const samples = bits === 16 ? wideSamples(plane, channels) : narrowSamples(plane, channels);
        return { ...toRgb(samples, channels, name, isPremultiplied), width, height, bits, color };
      } finally {
        libheif.heif_image_release(picture.image);
      }
    } finally {
      libheif.heif_image_handle_release(handle);
    }
  } catch (error) {
    // A damaged file may also make WebAssembly trap.
    throw error instanceof InputError ? error : damaged(name, reasonOf(error));
  } finally {
    libheif.heif_context_free(context);
  }
}

type Plane = HeifPicture['channels'][number];

function narrowSamples({ data, width, height, stride }: Plane, channels: number): Uint8Array {
  const out = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++)
    out.set(data.subarray(y * stride, y * stride + width * channels), y * width * channels);
  return out;
}

/** 10 or 12 bits, scaled to 16. */
function wideSamples({ data, width, height, stride, bits_per_pixel: bits }: Plane, channels: number): Uint16Array {
  const out = new Uint16Array(width * height * channels);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const scale = 65535 / (2 ** bits - 1);
  for (let y = 0, to = 0; y < height; y++)
    for (let i = 0; i < width * channels; i++) out[to++] = Math.round(view.getUint16(y * stride + 2 * i, true) * scale);
  return out;
}
