/**
 * The list of keys: a dialog, opened by a button or by `?`. That key alone can be turned off, for who dictates. A chunk
 * of its own.
 */
import { words } from '../words/index.ts';
import { make } from './dom.ts';
import './keys.css';

/** Where the browser keeps that `?` is turned off. */
const KEPT = 'deghost-question-mark';

/** Keys as they are written on keyboards, by the names of what they do. */
const KEYS: {
  [Group in keyof typeof words.keys.groups]: readonly (readonly [string, keyof typeof words.keys.does])[];
} = {
  everywhere: [
    ['?', 'list'],
    ['Ctrl V', 'paste'],
    ['Esc', 'close'],
  ],
  picture: [
    ['← → ↑ ↓', 'move'],
    ['Shift ← → ↑ ↓', 'moveFar'],
    ['+ −', 'zoom'],
    ['0', 'fit'],
    ['1', 'full'],
    ['Enter', 'nextThing'],
    ['Shift Enter', 'lastThing'],
    ['U', 'undo'],
    ['Ctrl Z', 'undo'],
    ['Ctrl Y', 'redo'],
  ],
  brush: [
    ['← → ↑ ↓', 'moveBrush'],
    ['Space', 'paint'],
    ['[ ]', 'size'],
    ['Esc', 'brushOff'],
  ],
  frames: [['← →', 'otherFrame']],
  crop: [
    ['← → ↑ ↓', 'moveCrop'],
    ['Shift ← → ↑ ↓', 'sizeCrop'],
    ['Enter', 'endCrop'],
  ],
  sliders: [
    ['← →', 'change'],
    ['Delete', 'restore'],
  ],
};

let isOff = false;
try {
  isOff = localStorage.getItem(KEPT) === 'off';
} catch {
  // Browsers that keep nothing for a page throw an error.
}

function turn(off: boolean): void {
  isOff = off;
  try {
    if (off) localStorage.setItem(KEPT, 'off');
    else localStorage.removeItem(KEPT);
  } catch {
    // It holds until the page is closed.
  }
}

/** Opens the list, unless another dialog is open. */
export function openKeys(): void {
  if (document.querySelector('dialog[open]')) return;
  const { title, close, groups, does, names, single } = words.keys;
  const leave = (): void => dialog.close();
  const shut = make('button', { type: 'button', className: 'icon', textContent: '×', onclick: leave });
  shut.setAttribute('aria-label', close);
  const parts = Object.entries(KEYS).map(([group, keys]) =>
    make(
      'section',
      {},
      make('h3', { textContent: groups[group as keyof typeof groups] }),
      make(
        'dl',
        {},
        ...keys.map(([key, what]) =>
          make(
            'div',
            {},
            make(
              'dt',
              {},
              ...key
                .split(' ')
                .flatMap((one) => [make('kbd', { textContent: names[one as keyof typeof names] ?? one }), ' ']),
            ),
            make('dd', { textContent: does[what] }),
          ),
        ),
      ),
    ),
  );
  const opens = make('input', { type: 'checkbox', checked: !isOff, onchange: () => turn(!opens.checked) });
  const dialog = make(
    'dialog',
    { id: 'keys', onclose: () => dialog.remove() },
    make('header', {}, make('h2', { id: 'keys-title', textContent: title }), shut),
    ...parts,
    make('label', { className: 'check' }, opens, make('span', { textContent: single })),
  );
  dialog.setAttribute('aria-labelledby', 'keys-title');
  document.body.append(dialog);
  dialog.showModal();
}

/** Opens the list, unless its key is turned off. */
export function openKeysByKey(): void {
  if (!isOff) openKeys();
}
