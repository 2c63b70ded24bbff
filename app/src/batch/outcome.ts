/** What a merge of many brackets has come to, in words. */
import { make } from '../ui/dom.ts';
import { say, words } from '../words/index.ts';
import type { RunResult } from './run.ts';

/** What is shown, and what is announced. */
export interface Outcome {
  tone: 'good' | 'bad';
  content: HTMLElement[];
  spoken: string;
}

/** @param count of the brackets that were to be merged. @param folder that they were saved in. */
export function outcomeOf(
  { saved, failed, isCancelled }: RunResult,
  count: number,
  folder: string | undefined,
): Outcome {
  const head = () => `${words.plan.merged(saved, count, folder)}.`;
  const line = (text: () => string) => say(make('p'), text);
  const failures = failed.map(({ card, why }) => {
    const rest = () => `: ${why().title}. ${why().text}`;
    return make(
      'li',
      {},
      say(make('strong'), () => card.title),
      say(make('span'), rest),
    );
  });
  return {
    tone: failed.length > 0 ? 'bad' : 'good',
    content: [
      make('p', {}, say(make('strong'), head)),
      ...(isCancelled ? [line(() => words.plan.cancelled)] : []),
      ...(failures.length > 0
        ? [
            line(() => `${words.plan.failed(failures.length)}:`),
            make('ul', {}, ...failures),
            line(() => words.plan.stillChosen),
          ]
        : []),
    ],
    spoken: `${head()}${failed.length > 0 ? ` ${words.plan.failed(failed.length)}.` : ''}`,
  };
}
