/**
 * A first look at a file, long before it is decoded: how it was taken, and a small picture. It comes from what the
 * camera put beside the picture, or else from the browser's own decoder.
 */
import { HEAD_BYTES } from '../../../src/brackets/pictureFiles.ts';
import { embeddedThumbnail } from '../../../src/image/decode/embeddedThumbnail.ts';
import { readExposureInfo } from '../../../src/image/exif.ts';
import type { ExposureInfo } from '../../../src/image/exif.ts';
import { exifReader } from './decode/exifReader.ts';
import { makeThumbnail, thumbnailOf } from './preview.ts';

export interface Glimpse {
  exif: ExposureInfo;
  /** A small JPEG, turned upright. */
  preview?: Blob;
}

/** Looks at files. Whole pictures, which take memory, are looked at one after another. */
export class Glimpses {
  #pictures: Promise<unknown> = Promise.resolve();
  #all: Promise<unknown> = Promise.resolve();

  /** Never fails: what cannot be read says so when it is decoded. */
  look(file: Blob, name: string): Promise<Glimpse> {
    const glimpse = this.#look(file, name).catch(() => ({ exif: {} }));
    this.#all = Promise.all([this.#all, glimpse]);
    return glimpse;
  }

  /** Resolves when all that were asked for are done. */
  async done(): Promise<void> {
    for (let all: unknown; all !== this.#all; ) {
      all = this.#all;
      await all;
    }
  }

  async #look(file: Blob, name: string): Promise<Glimpse> {
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    const exif = await readExposureInfo(exifReader, head).catch(() => ({}));
    const small = embeddedThumbnail(head);
    const preview = small && (await thumbnailOf(new Blob([new Uint8Array(small)]), exif));
    if (preview) return { exif, preview };
    const whole = this.#pictures.then(() => makeThumbnail(file, name, false));
    this.#pictures = whole;
    return { exif, preview: await whole };
  }
}
