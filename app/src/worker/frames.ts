/**
 * The frames of the stack, decoded, by the page's number for each. Files are decoded one after another, because each
 * takes memory while it is decoded.
 */
import { InputError } from '../../../src/errors.ts';
import { countClipped } from '../../../src/image/chooseReference.ts';
import { defaultResponse } from '../../../src/image/chooseResponse.ts';
import { MAX_FRAMES, checkSameSize } from '../../../src/image/frame.ts';
import type { Frame } from '../../../src/image/frame.ts';
import type { DecodedImage } from '../../../src/image/picture.ts';
import type { FrameInfo, FrameToMerge } from '../messages.ts';
import { decodeFile } from './decode/index.ts';
import { makePreview } from './preview.ts';

interface Held {
  name: string;
  image: DecodedImage;
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
      const { data, width, height } = held.image;
      return { data, width, height, exposure, name: held.name };
    });
  }

  /** The EXIF block of a frame. */
  exifOf(id: number): Uint8Array | undefined {
    return this.#held.get(id)?.image.exifBlock;
  }

  /** The default response for frames. */
  response(list: readonly FrameToMerge[]): 'auto' | 'gamma' {
    return defaultResponse(list.flatMap(({ id }) => this.#held.get(id)?.image ?? []));
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
    this.#held.set(id, { name, image });
    const clipped = { encoded: countClipped(image), linear: countClipped(image, true) };
    return { width, height, bits, exif, brightness, clipped, preview };
  }
}
