/** Saves the result as a file, and as what a page that is loaded again will need. */
import { openPlatformDevice } from '../../../src/device.ts';
import { cropPicture } from '../../../src/finish/crop.ts';
import type { Crop } from '../../../src/finish/pictures.ts';
import type { FromWorker, KeptResult, ToWorker } from '../messages.ts';
import { developed } from './developed.ts';
import { failureOf } from './failure.ts';
import { finishFile } from './finishing.ts';
import { copyFile, readResult, writeResult } from './keep.ts';
import { loadSave } from './later.ts';
import type { Result, Showing } from './showing.ts';

type Request<K extends ToWorker['type']> = Extract<ToWorker, { type: K }>;

export class Saving {
  readonly #showing: Showing;
  readonly #tell: (message: FromWorker) => void;

  constructor(showing: Showing, tell: (message: FromWorker) => void) {
    this.#showing = showing;
    this.#tell = tell;
  }

  async save({ format, finish, crop, stem }: Request<'save'>): Promise<void> {
    const { result } = this.#showing;
    if (!result) return;
    try {
      await result.changes?.settled();
      // Not before: the frames may have been merged once more.
      const { merged, shown } = result;
      const { edition } = this.#showing;
      const picture = crop ? await this.#crop(merged, crop) : merged;
      const saveFile = await loadSave();
      const { name, file } = await saveFile(picture, format, stem, async (use) => {
        const cut = crop && { crop, radiance: await developed(picture) };
        const { finishing } = this.#showing;
        if (finishing) return use(finishing.finished(finishing.settingsOf(finish), cut));
        // It cannot be shown, but saved.
        return finishFile({ ...merged, radiance: shown }, use, finish, cut);
      });
      this.#tell({ type: 'saved', format, name, file, isOutdated: this.#showing.edition !== edition });
    } catch (error) {
      this.#tell({ type: 'saveFailed', format, failure: failureOf(error) });
    }
  }

  /** Copies a photo for a page that is loaded again. */
  copy({ folder, name, file }: Request<'copy'>): Promise<void> {
    return this.#keep(name, async () => {
      await copyFile(folder, name, file);
      return undefined;
    });
  }

  /** Writes the result for a page that is loaded again. */
  keep({ folder, name }: Request<'keep'>): Promise<void> {
    return this.#keep(name, async () => {
      const { result } = this.#showing;
      if (!result) throw new Error('there is no result');
      const { merged, info } = result;
      const { radiance: _, ...rest } = merged;
      const { motion, moment } = (result.changes ?? result).edited ?? {};
      const maps = motion ?? result.maps;
      await writeResult(folder, name, merged, maps, moment);
      const changes = { isPainted: motion !== undefined, hasMoments: moment !== undefined };
      return { merged: rest, maps: maps.length, changes, info };
    });
  }

  /** Reads a result that was kept. @throws Error if it is gone. */
  async restored({ folder, name, kept }: Request<'restore'>): Promise<Result> {
    const { radiance, maps, edited } = await readResult(folder, name, kept);
    const merged = { ...kept.merged, radiance };
    const shown = await developed(merged);
    return { merged, changes: undefined, edited, maps, shown, request: undefined, info: kept.info };
  }

  async #keep(name: string, write: () => Promise<KeptResult | undefined>): Promise<void> {
    try {
      this.#tell({ type: 'kept', name, result: await write() });
    } catch {
      this.#tell({ type: 'keepFailed', name });
    }
  }

  async #crop(merged: Result['merged'], crop: Crop): Promise<Result['merged']> {
    const { viewer } = this.#showing;
    if (viewer) return cropPicture(viewer.device, merged, crop);
    const device = await openPlatformDevice();
    try {
      return await cropPicture(device, merged, crop);
    } finally {
      device.destroy();
    }
  }
}
