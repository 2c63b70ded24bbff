/**
 * A first look at a file, long before it is decoded: how it was taken, and a small picture. It comes from what the
 * camera put beside the picture, or else from the browser's own decoder.
 */
import type { ExposureInfo } from '../../../src/image/exif.ts';
import { embeddedPreview, headOf } from './embeddedPreview.ts';
import { makeThumbnail } from './preview.ts';

export interface Glimpse {
  exif: ExposureInfo;
  /** A small JPEG, turned upright. */
  preview?: Blob;
}

/** Looks at files. Pictures, which take memory, are looked at one after another. */
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
    const first = await headOf(file);
    const picture = this.#pictures
      .then(async () => (await embeddedPreview(file, first)) ?? makeThumbnail(file, name, false))
      .catch(() => undefined);
    this.#pictures = picture;
    return { exif: first.exif, preview: await picture };
  }
}
