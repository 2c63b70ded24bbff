/** Finishes the pictures of files on a device, where `deghost/finish` is loaded when the first is written. */
import type { Finisher, FinishSettings, LookName } from '../finish/index.ts';
import type { FinishPicture } from './writeImage.ts';

/** EV above white that Ultra HDR files hold: about what phones and laptops show. */
const HEADROOM = 3;

/**
 * What `writeImage` takes as `finish`.
 * @param device stays open. A function is called when the first picture is finished.
 * @param look a look's name, or settings.
 */
export function finishWith(
  device: GPUDevice | (() => Promise<GPUDevice>),
  look: LookName | Partial<FinishSettings>,
): FinishPicture {
  return async (picture, signal) => {
    const { Finisher } = await import('../finish/index.ts');
    const on = typeof device === 'function' ? await device() : device;
    const finisher: Finisher = await Finisher.create(on, picture, { signal });
    const settings = typeof look === 'string' ? finisher.settingsOf(look) : look;
    return {
      codes: () => finisher.finish('codes', settings, { signal }),
      bright: (use) => finisher.finishRows('linear', settings, use, { signal, headroom: HEADROOM }),
      dispose: () => finisher.dispose(),
    };
  };
}
