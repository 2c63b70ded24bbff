/** Connects what keeps the picture to the page's frames and result. */
import type { Intake } from '../intake.ts';
import type { Merging } from '../merging.ts';
import type { NamedFile, ToWorker } from '../messages.ts';
import type { Stack } from '../stack.ts';
import { words } from '../words/index.ts';
import { Kept } from './index.ts';

export interface Page {
  send(message: ToWorker): void;
  /** Adds frames. @returns their ids, in the order given. */
  add(files: readonly NamedFile[]): number[];
  intake: Intake;
  stack: Stack;
  merging: Merging;
  update(): void;
}

export function keep({ intake, stack, merging, ...page }: Page): Kept {
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
      list: intake.batch?.list,
    }),
    restoreList: async (list, opened) => (await intake.load()).restore(list, opened),
    setFinish: (finish) => (panel.finish.finish = finish),
    setCrop: (crop) => (panel.crop.crop = crop),
    comparePlain(hasFrames) {
      if (hasFrames) page.send({ type: 'plain', ...merging.request() });
      else panel.refuseCompare(() => words.kept.missing);
    },
  });
}
