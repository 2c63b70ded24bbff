/**
 * The frames of the stack, decoded, by the page's number for each. Files are decoded one after another, because each
 * takes memory while it is decoded.
 */
import { InputError } from '../../../src/errors.ts';
import { countClipped } from '../../../src/image/chooseReference.ts';
import type { ColorSpace } from '../../../src/image/colorSpace.ts';
import { stackCamera, stackWhiteBalance } from '../../../src/image/decode/raw.ts';
import { clippedColorsNote } from '../../../src/image/decode/workingSpace.ts';
import { MAX_FRAMES, checkSameSize } from '../../../src/image/frame.ts';
import type { Frame } from '../../../src/image/frame.ts';
import type { CameraColor, DecodedImage } from '../../../src/image/picture.ts';
import { stackResponse } from '../../../src/image/stackResponse.ts';
import type { FrameInfo, FrameToMerge, ResponseChoice } from '../messages.ts';
import { decodeFile } from './decode/index.ts';
import { makePreview } from './preview.ts';

interface Held {
  name: string;
  file: Blob;
  image: DecodedImage;
  /** With the file's own white balance, of RAW files. */
  ownCamera?: CameraColor;
}

export class Frames {
  readonly #held = new Map<number, Held>();
  /** Frames that were removed before they were decoded. */
  readonly #unwanted = new Set<number>();
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * Decodes a file and keeps it.
   * @returns undefined if it was removed meanwhile.
   * @throws InputError: what is wrong with the file, or that it does not fit the others.
   */
  add(id: number, name: string, file: Blob): Promise<FrameInfo | undefined> {
    const work = this.#queue.then(() => this.#add(id, name, file));
    this.#queue = work.catch(() => undefined);
    return work;
  }

  remove(id: number): void {
    if (!this.#held.delete(id)) this.#unwanted.add(id);
  }

  /** The frames of a merge, in the order given. */
  stack(list: readonly FrameToMerge[]): Frame[] {
    return list.map(({ id, exposure }) => {
      const held = this.#held.get(id);
      if (!held) throw new InputError(`frame ${id} is not loaded`);
      const { data, width, height, coverage } = held.image;
      return { data, width, height, exposure, name: held.name, ...(coverage && { coverage }) };
    });
  }

  /** The EXIF block of a frame. */
  exifOf(id: number): Uint8Array | undefined {
    return this.#held.get(id)?.image.exifBlock;
  }

  /**
   * Brings frames into a working space, and RAW files to one white balance: what differs is decoded anew.
   * @param reference in exposure order, the middle by default: its white balance is the stack's.
   * @throws InputError: a file that can no longer be read; RAW files among others, or of two cameras.
   */
  async convertTo(list: readonly FrameToMerge[], colorSpace: ColorSpace, reference?: number): Promise<void> {
    const camera = this.camera(list);
    if (camera) {
      const frames = list.map(({ id, exposure }) => ({ camera: this.#held.get(id)!.ownCamera!, exposure }));
      const balance = stackWhiteBalance(frames, reference);
      for (const held of this.#of(list))
        if (held.image.camera!.whiteBalance.some((gain, c) => gain !== balance[c]))
          held.image = await decodeFile(held.file, held.name, colorSpace, balance);
    }
    for (const held of this.#of(list)) {
      const { image, file, name } = held;
      if (image.format !== 'npy' && !image.camera && (image.colorSpace ?? 'srgb') !== colorSpace)
        held.image = await decodeFile(file, name, colorSpace);
    }
  }

  /** The colours of the camera, if the frames are RAW. @throws InputError if some are not, or of another camera. */
  camera(list: readonly FrameToMerge[]): CameraColor | undefined {
    return stackCamera(this.#of(list).map(({ name, image }) => ({ name, camera: image.camera })));
  }

  /** The response for frames, and what to tell of them. @throws InputError where some are linear and others not. */
  response(
    list: readonly FrameToMerge[],
    choice: ResponseChoice,
  ): { response: 'auto' | 'gamma' | 'linear'; notes: string[] } {
    const images = this.#of(list).map(({ name, image }) => ({ ...image, name }));
    const { response, note } = stackResponse(images, choice === 'auto' ? undefined : choice);
    const colors = clippedColorsNote(images, () => 'choose a wider one under “Colours”');
    return { response, notes: [note, colors].filter((text) => text !== undefined) };
  }

  #of(list: readonly FrameToMerge[]): Held[] {
    return list.flatMap(({ id }) => this.#held.get(id) ?? []);
  }

  async #add(id: number, name: string, file: Blob): Promise<FrameInfo | undefined> {
    if (this.#unwanted.delete(id)) return undefined;
    if (this.#held.size >= MAX_FRAMES)
      throw new InputError(`${name} is one too many: at most ${MAX_FRAMES} frames are merged, remove another first`);
    const image = await decodeFile(file, name);
    if (this.#unwanted.delete(id)) return undefined;
    const { width, height, bits, exif } = image;
    const [first] = this.#held.values();
    if (first) checkSameSize(image, name, first.image, first.name);
    const { preview, brightness } = await makePreview(image);
    if (this.#unwanted.delete(id)) return undefined;
    this.#held.set(id, { name, file, image, ownCamera: image.camera });
    const clipped = { encoded: countClipped(image, image.linear), linear: countClipped(image, true) };
    return { width, height, bits, exif, brightness, clipped, preview };
  }
}
