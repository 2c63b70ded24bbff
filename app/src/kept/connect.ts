/** Connects what keeps the picture to the page's frames and result. */
import type { Merging } from '../merging.ts';
import type { NamedFile, ToWorker } from '../messages.ts';
import type { Stack } from '../stack.ts';
import { words } from '../words/index.ts';
import { Kept } from './index.ts';

export interface Page {
  send(message: ToWorker): void;
  /** Adds frames. @returns their ids, in the order given. */
  add(files: readonly NamedFile[]): number[];
  stack: Stack;
  merging: Merging;
  update(): void;
}

export function keep({ stack, merging, ...page }: Page): Kept {
  const { panel } = merging;
  return new Kept({
    ...page,
    shown: () => ({
      rows: stack.rows,
      referenceId: stack.referenceId,
      referenceChosen: stack.referenceChosen,
      result: merging.result && {
        names: merging.frameNames,
        isCurrent: merging.isCurrent,
        isSaved: merging.isSaved,
      },
      finish: panel.finish.finish,
      crop: panel.crop.crop,
    }),
    setFinish: (finish) => (panel.finish.finish = finish),
    setCrop: (crop) => (panel.crop.crop = crop),
    comparePlain(hasFrames) {
      if (hasFrames) page.send({ type: 'plain', ...merging.request() });
      else panel.refuseCompare(() => words.kept.missing);
    },
  });
}
