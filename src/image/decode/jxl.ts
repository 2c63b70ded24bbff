/**
 * JPEG XL with jxl-oxide-wasm, which decodes it to PNG: 8 or 16 bit, with the picture's own colours as cICP or an ICC
 * profile. So the rest is as for any PNG.
 */
import { InputError } from '../../errors.ts';
import { checkSize } from '../picture.ts';
import { checkDeflated, damaged } from '../refusals.ts';

/** A part of the package, once its WebAssembly is there. Its objects live until they are freed. */
export interface JxlOxide {
  JxlImage: new () => {
    feedBytes(bytes: Uint8Array): number;
    /** Whether the header is complete. */
    tryInit(): boolean;
    /** Whether the picture is complete. */
    readonly loaded: boolean;
    readonly width: number | undefined;
    readonly height: number | undefined;
    /** Its result is freed by encoding it. */
    render(): { encodeToPng(): Uint8Array };
    free(): void;
  };
}

/**
 * The PNG of a JPEG XL file; of an animation its first picture.
 * @param onSize called before it is decoded.
 * @throws InputError naming the file.
 */
export function jxlToPng(
  { JxlImage }: JxlOxide,
  bytes: Uint8Array,
  name: string,
  onSize: (width: number, height: number) => void = () => undefined,
): Uint8Array {
  const image = new JxlImage();
  try {
    image.feedBytes(bytes);
    if (!image.tryInit() || image.width === undefined || image.height === undefined)
      throw damaged(name, 'its header is not complete');
    checkSize(image.width, image.height, name);
    checkDeflated(name, image.width, image.height, 24, bytes.length);
    onSize(image.width, image.height);
    if (!image.loaded) throw damaged(name, 'the end of the picture is missing');
    return image.render().encodeToPng();
  } catch (error) {
    throw error instanceof InputError ? error : damaged(name, error);
  } finally {
    image.free();
  }
}
