/**
 * The finish of the result that is shown: looks, the live picture on the canvas, the histogram, and files.
 *
 * Settings may come faster than the device follows. What is newer replaces what waits; the histogram is counted when
 * nothing waits.
 */
import { openPlatformDevice } from '../../../src/device.ts';
import type { Finisher } from '../../../src/finish/finisher.ts';
import type { FinishCut } from '../../../src/finish/pictures.ts';
import type { RadiancePicture } from '../../../src/finish/pictures.ts';
import { LOOK_NAMES } from '../../../src/finish/looks.ts';
import type { LookName } from '../../../src/finish/looks.ts';
import type { FinishSettings } from '../../../src/finish/settings.ts';
import { HDR_HEADROOM } from '../../../src/finish/ultraHdr.ts';
import type { FinishedForHdr } from '../../../src/finish/ultraHdr.ts';
import type { Finish, FromWorker, LookOffer } from '../messages.ts';
import { loadFinisher } from './later.ts';
import { jpegOf } from './preview.ts';
import type { Viewer } from './viewer.ts';

export const DEFAULT_LOOK: LookName = LOOK_NAMES[0];

/** What is to be shown. */
interface Wanted {
  settings: FinishSettings;
  /** Whether the display shows light above white. */
  bright: boolean;
}

export class Finishing {
  readonly #finisher: Finisher;
  readonly #viewer: Viewer;
  readonly #tell: (message: FromWorker) => void;
  readonly #fail: (error: unknown) => void;
  #wanted: Wanted | undefined;
  #shown: Wanted | undefined;
  #working: Promise<void> | undefined;
  #closed = false;

  private constructor(
    finisher: Finisher,
    viewer: Viewer,
    tell: (message: FromWorker) => void,
    fail: (error: unknown) => void,
  ) {
    this.#finisher = finisher;
    this.#viewer = viewer;
    this.#tell = tell;
    this.#fail = fail;
  }

  /** @param fail gets what goes wrong while the live picture is prepared. @throws as `Finisher.create`. */
  static async create(
    viewer: Viewer,
    picture: RadiancePicture,
    tell: (message: FromWorker) => void,
    fail: (error: unknown) => void,
  ): Promise<Finishing> {
    const Finisher = await loadFinisher();
    return new Finishing(await Finisher.create(viewer.device, picture), viewer, tell, fail);
  }

  /** The settings of a choice for this picture. */
  settingsOf({ look, settings }: Finish): FinishSettings {
    return settings ?? this.#finisher.settingsOf(look);
  }

  /** Shows settings as soon as the device can. @returns when they, or newer ones, are shown. */
  show(settings: FinishSettings, bright: boolean): Promise<void> {
    this.#wanted = { settings, bright };
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
    return this.#working;
  }

  /** All looks of the picture, small. */
  async offerLooks(): Promise<void> {
    const looks: LookOffer[] = [];
    try {
      for (const name of LOOK_NAMES) {
        const settings = this.#finisher.settingsOf(name);
        looks.push({ name, settings, thumbnail: await previewOf(this.#finisher, settings) });
        // The next picture is being made.
        if (this.#closed) return;
      }
    } catch (error) {
      if (!this.#closed) this.#fail(error);
      return;
    }
    this.#tell({ type: 'looks', looks });
  }

  /** Reads rows whose radiance has changed, and shows them. */
  async refresh(rows: { top: number; height: number }): Promise<void> {
    await this.#finisher.refresh(rows);
    const now = this.#wanted ?? this.#shown;
    if (now) await this.show(now.settings, now.bright);
  }

  /** For a file. */
  finished(settings: FinishSettings, cut?: FinishCut): FinishedForHdr {
    return finishedOf(this.#finisher, settings, cut);
  }

  close(): void {
    this.#closed = true;
    this.#finisher.dispose();
  }

  async #work(): Promise<void> {
    try {
      while (this.#wanted && !this.#closed) {
        const { settings, bright } = this.#wanted;
        this.#shown = this.#wanted;
        this.#wanted = undefined;
        const headroom = bright ? HDR_HEADROOM : 0;
        const live = await this.#finisher.live(settings, { headroom });
        if (this.#closed) return;
        this.#viewer.setFinish(live);
        if (this.#wanted) continue;
        const histogram = await this.#finisher.histogram(settings, { headroom });
        if (!this.#closed) this.#tell({ type: 'histogram', histogram });
      }
    } catch (error) {
      if (!this.#closed) this.#fail(error);
    }
  }
}

/** Finishes one picture for a file, and makes a small one of it. */
export async function finishFile<T>(
  picture: RadiancePicture,
  use: (finished: FinishedForHdr, small: () => Promise<Blob>) => Promise<T>,
  chosen: Finish = { look: DEFAULT_LOOK },
  cut?: FinishCut,
): Promise<T> {
  const Finisher = await loadFinisher();
  const device = await openPlatformDevice();
  try {
    const finisher = await Finisher.create(device, picture);
    const settings = chosen.settings ?? finisher.settingsOf(chosen.look);
    return await use(finishedOf(finisher, settings, cut), () => previewOf(finisher, settings));
  } finally {
    device.destroy();
  }
}

function finishedOf(finisher: Finisher, settings: FinishSettings, cut?: FinishCut): FinishedForHdr {
  return {
    codes: () => finisher.finish('codes', settings, { cut }),
    bright: (use) => finisher.finishRows('linear', settings, use, { headroom: HDR_HEADROOM, cut }),
  };
}

/** A small JPEG of the finished picture. */
async function previewOf(finisher: Finisher, settings: FinishSettings): Promise<Blob> {
  const { codes, width, height } = await finisher.preview(settings);
  const image = new ImageData(width, height);
  for (let i = 0, j = 0; i < codes.length; i += 3, j += 4) {
    image.data[j] = codes[i];
    image.data[j + 1] = codes[i + 1];
    image.data[j + 2] = codes[i + 2];
    image.data[j + 3] = 255;
  }
  return jpegOf(image);
}
