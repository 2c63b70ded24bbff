/**
 * Messages above the page: what is wrong with the whole, and what was recovered. What is wrong with one file is shown
 * beside that file instead.
 */
import { say, words } from '../words/index.ts';
import type { Words } from '../words/index.ts';
import { byId, make } from './dom.ts';

/** A `warning` is about a result that exists. */
type Tone = 'error' | 'warning' | 'info';

/** Shows a notice; one of the same key is replaced. */
export function notify(key: string, said: () => Words, tone: Tone = 'error', dismissible = true): void {
  dismiss(key);
  const notice = make(
    'div',
    { className: `notice ${tone}` },
    make(
      'div',
      {},
      say(make('strong'), () => said().title),
      say(make('p'), () => said().text),
      ...more(said),
    ),
  );
  notice.dataset.key = key;
  notice.setAttribute('role', tone === 'error' ? 'alert' : 'status');
  if (dismissible) {
    const close = make('button', {
      type: 'button',
      className: 'icon',
      textContent: '×',
      onclick: () => notice.remove(),
    });
    say(close, () => words.page.dismiss(said().title), 'aria-label');
    notice.append(close);
  }
  byId('notices', HTMLDivElement).append(notice);
  // On a phone the notice would be above the visible part.
  notice.scrollIntoView({ block: 'nearest' });
}

/** The steps of a notice, and what works instead. */
function more(said: () => Words): HTMLElement[] {
  const { steps, instead } = said();
  const items = (steps ?? []).map((_, k) => say(make('li'), () => said().steps?.[k] ?? ''));
  return [
    ...(items.length > 0 ? [make('ul', {}, ...items)] : []),
    ...(instead
      ? [say(make('p'), () => said().instead?.text ?? ''), make('code', { textContent: instead.command })]
      : []),
  ];
}

export function dismiss(key: string): void {
  byId('notices', HTMLDivElement).querySelector(`[data-key="${key}"]`)?.remove();
}
