/** Finishes the pictures of files on a device, where `deghost/finish` is loaded when the first is written. */
import { DEVICE, OBJECT, expect } from '../checks.ts';
import type { Rule } from '../checks.ts';
import { LOOK_NAMES } from '../finish/looks.ts';
import { HDR_HEADROOM } from '../finish/ultraHdr.ts';
import type { Finisher, FinishSettings, LookName } from '../finish/index.ts';
import type { FinishPicture } from './writeImage.ts';

const DEVICE_OR_OPENER: Rule = [
  `${DEVICE[0]}, or a function that gives one`,
  (value) => typeof value === 'function' || DEVICE[1](value),
];
const LOOK: Rule = [
  `one of ${LOOK_NAMES.join(', ')}, or settings`,
  (value) => (LOOK_NAMES as readonly unknown[]).includes(value) || OBJECT[1](value),
];

/**
 * What `writeImage` takes as `finish`.
 * @param device stays open. A function is called when the first picture is finished.
 * @param look a look's name, or settings.
 * @throws UsageError
 */
export function finishWith(
  device: GPUDevice | (() => Promise<GPUDevice>),
  look: LookName | Partial<FinishSettings>,
): FinishPicture {
  expect('device', device, DEVICE_OR_OPENER);
  expect('look', look, LOOK);
  return async (picture, signal) => {
    const { Finisher } = await import('../finish/index.ts');
    const on = typeof device === 'function' ? await device() : device;
    const finisher: Finisher = await Finisher.create(on, picture, { signal });
    const settings = typeof look === 'string' ? finisher.settingsOf(look) : look;
    return {
      codes: () => finisher.finish('codes', settings, { signal }),
      bright: (use) => finisher.finishRows('linear', settings, use, { signal, headroom: HDR_HEADROOM }),
      dispose: () => finisher.dispose(),
    };
  };
}
