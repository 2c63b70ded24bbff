/**
 * The frames of the stack, decoded, by the page's number for each. Files are decoded one after another, because each
 * takes memory while it is decoded. When all that were given are decoded, frames whose orientation flags differ are
 * turned as they agree.
 */
import { CancelledError, InputError, reasonOf } from '../../../src/errors.ts';
import { estimateExposures } from '../../../src/image/estimateExposures.ts';
import type { EstimatedExposures } from '../../../src/image/estimateExposures.ts';
import { countClipped } from '../../../src/image/chooseReference.ts';
import type { ColorSpace } from '../../../src/image/colorSpace.ts';
import { stackCamera, stackWhiteBalance } from '../../../src/image/decode/raw.ts';
import { clippedColorsNote } from '../../../src/image/decode/workingSpace.ts';
import { MAX_FRAMES, checkSameSize } from '../../../src/image/frame.ts';
import type { Frame } from '../../../src/image/frame.ts';
import { agreeingOrientations } from '../../../src/image/orientation.ts';
import type { CameraColor, DecodedImage } from '../../../src/image/picture.ts';
import { stackExposures } from '../../../src/image/stackExposures.ts';
import { stackResponse } from '../../../src/image/stackResponse.ts';
import type { FileNote, FrameInfo, FrameToMerge, ResponseChoice } from '../messages.ts';
import { decodeFile } from './decode/index.ts';
import { makePreview } from './preview.ts';

interface Held {
  name: string;
  file: Blob;
  image: DecodedImage;
  /** What to tell of its orientation, if it was turned. */
  note?: string;
  /** With the file's own white balance, of RAW files. */
  ownCamera?: CameraColor;
}

/** What became of a frame when the others were known. */
export type Settled = { id: number } & ({ frame: FrameInfo } | { problem: string });

/** Whether two frames can be of one size though they are not: their orientation flags differ by a quarter turn. */
function mayBeTurned(a: DecodedImage, b: DecodedImage): boolean {
  return (a.exif.orientation ?? 1) !== (b.exif.orientation ?? 1) && a.width === b.height && a.height === b.width;
}

export class Frames {
  readonly #held = new Map<number, Held>();
  /** Frames that were removed before they were decoded. */
  readonly #unwanted = new Set<number>();
  /** The file that is being decoded. */
  #decoding: { id: number; abort: AbortController } | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** Files that are being decoded, or wait for it. */
  #coming = 0;
  readonly #onSettled: (changes: Settled[]) => void;

  /** @param onSettled called with the frames that were turned, and with those that do not fit the others after all. */
  constructor(onSettled: (changes: Settled[]) => void = () => undefined) {
    this.#onSettled = onSettled;
  }

  /**
   * Decodes a file and keeps it.
   * @param colorSpace that its colours are converted to.
   * @returns undefined if it was removed meanwhile.
   * @throws InputError: what is wrong with the file, or that it does not fit the others.
   */
  add(id: number, name: string, file: Blob, colorSpace?: ColorSpace): Promise<FrameInfo | undefined> {
    this.#coming++;
    const work = this.#queue.then(() => this.#add(id, name, file, colorSpace));
    this.#queue = work
      .catch(() => undefined)
      .then(() => {
        if (--this.#coming === 0) return this.#settle();
      });
    return work;
  }

  /** Resolves when all that were given are decoded, and turned as they agree. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  remove(id: number): void {
    if (this.#held.delete(id)) return;
    this.#unwanted.add(id);
    if (this.#decoding?.id === id) this.#decoding.abort.abort();
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

  /** Exposures in the order given: by EXIF, else by the pixels, with a note. @throws as `stackExposures`. */
  exposures(list: readonly { id: number }[], linear: boolean): ReturnType<typeof stackExposures> {
    return stackExposures(
      list.map(({ id }) => ({ ...this.#held.get(id)!.image, name: this.#held.get(id)!.name })),
      linear,
    );
  }

  /** Exposures from the pixels; undefined if a frame is no longer here. `incomparable` are indices into the list. */
  estimate(ids: readonly number[], linear: boolean): EstimatedExposures | undefined {
    const held = ids.flatMap((id) => this.#held.get(id) ?? []);
    if (held.length < ids.length) return undefined;
    return estimateExposures(
      held.map(({ image }) => image),
      linear || held[0].image.linear === true,
    );
  }

  /** The EXIF block of a frame. */
  exifOf(id: number): Uint8Array | undefined {
    return this.#held.get(id)?.image.exifBlock;
  }

  /**
   * Brings frames into a working space, and RAW files to one white balance: what differs is decoded anew.
   * @param reference in exposure order, the middle by default: its white balance is the stack's.
   * @throws InputError: a file that can no longer be read; RAW files among others, or of two cameras; CancelledError.
   */
  async convertTo(
    list: readonly FrameToMerge[],
    { colorSpace, reference, signal }: { colorSpace: ColorSpace; reference?: number; signal?: AbortSignal },
  ): Promise<void> {
    const camera = this.camera(list);
    if (camera) {
      const frames = list.map(({ id, exposure }) => ({ camera: this.#held.get(id)!.ownCamera!, exposure }));
      const balance = stackWhiteBalance(frames, reference);
      for (const held of this.#of(list))
        if (held.image.camera!.whiteBalance.some((gain, c) => gain !== balance[c]))
          held.image = await decodeFile(held.file, held.name, { colorSpace, whiteBalance: balance, signal });
    }
    for (const held of this.#of(list)) {
      const { image, file, name } = held;
      if (image.format !== 'npy' && !image.camera && (image.colorSpace ?? 'srgb') !== colorSpace)
        Object.assign(held, { image: await decodeFile(file, name, { colorSpace, signal }), note: undefined });
    }
    this.#turn();
  }

  /** The colours of the camera, if the frames are RAW. @throws InputError if some are not, or of another camera. */
  camera(list: readonly FrameToMerge[]): CameraColor | undefined {
    return stackCamera(this.#of(list).map(({ name, image }) => ({ name, camera: image.camera })));
  }

  /** The response for frames, and what to tell of them. @throws InputError where some are linear and others not. */
  response(
    list: readonly FrameToMerge[],
    choice: ResponseChoice,
  ): { response: 'auto' | 'gamma' | 'linear'; notes: FileNote[] } {
    const held = this.#of(list);
    const images = held.map(({ name, image }) => ({ ...image, name }));
    const { response, note } = stackResponse(images, choice === 'auto' ? undefined : choice);
    const colors = clippedColorsNote(images, () => 'choose a wider one under “Colours”');
    const noted = (kind: FileNote['kind'], text: string | undefined) => (text === undefined ? [] : [{ kind, text }]);
    const turned = held.flatMap((frame) => noted('turned', frame.note));
    return { response, notes: [...turned, ...noted('linear', note), ...noted('clipped-colors', colors)] };
  }

  #of(list: readonly FrameToMerge[]): Held[] {
    return list.flatMap(({ id }) => this.#held.get(id) ?? []);
  }

  async #add(id: number, name: string, file: Blob, colorSpace: ColorSpace | undefined): Promise<FrameInfo | undefined> {
    if (this.#unwanted.delete(id)) return undefined;
    if (this.#held.size >= MAX_FRAMES)
      throw new InputError(`${name} is one too many: at most ${MAX_FRAMES} frames are merged, remove another first`);
    const abort = new AbortController();
    this.#decoding = { id, abort };
    const image = await decodeFile(file, name, { colorSpace, signal: abort.signal }).catch((error: unknown) => {
      if (!(error instanceof CancelledError)) throw error;
    });
    if (this.#unwanted.delete(id) || !image) return undefined;
    const [first] = this.#held.values();
    if (first && !mayBeTurned(image, first.image)) checkSameSize(image, name, first.image, first.name);
    const info = await infoOf(image);
    if (this.#unwanted.delete(id)) return undefined;
    this.#held.set(id, { name, file, image, ownCamera: image.camera });
    return info;
  }

  /** Turns frames whose orientation flags differ as they agree. @returns those that were turned. */
  #turn(): [number, Held][] {
    const all = [...this.#held];
    const { images, notes } = agreeingOrientations(all.map(([, { name, image }]) => ({ ...image, name })));
    return all.filter(([, held], k) => {
      const { name: _, ...image } = images[k];
      if (image.data === held.image.data) return false;
      Object.assign(held, { image, note: notes.shift() });
      return true;
    });
  }

  async #settle(): Promise<void> {
    const changes: Settled[] = [];
    for (const [id, { image }] of this.#turn()) changes.push({ id, frame: await infoOf(image) });
    const [first] = this.#held.values();
    for (const [id, { name, image }] of this.#held)
      try {
        checkSameSize(image, name, first.image, first.name);
      } catch (error) {
        this.#held.delete(id);
        changes.push({ id, problem: reasonOf(error) });
      }
    if (changes.length > 0) this.#onSettled(changes);
  }
}

async function infoOf(image: DecodedImage): Promise<FrameInfo> {
  const { width, height, bits, exif } = image;
  const { preview, brightness } = await makePreview(image);
  const clipped = { encoded: countClipped(image, image.linear), linear: countClipped(image, true) };
  return { width, height, bits, exif, brightness, clipped, preview };
}
