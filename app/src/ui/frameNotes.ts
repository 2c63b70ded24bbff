/** Notes on the frames' exposures, above their list: contradictions, and what is missing. */
import type { Exposed } from '../exposures.ts';
import { byId, make } from './dom.ts';

/**
 * Shows the notes.
 * @param ready the frames that are loaded.
 * @param contradiction why EXIF cannot be used.
 * @param settled whether no file is being read; the next file may bring what is missing.
 */
export function showFrameNotes(
  ready: readonly Exposed[],
  contradiction: string | undefined,
  settled: boolean,
  onPropose: () => void,
): void {
  const notes = byId('frames-notes', HTMLDivElement);
  const missing = ready.filter(({ ev }) => ev === undefined);
  const key = JSON.stringify([contradiction, missing.map(({ id }) => id), ready.length, settled]);
  if (notes.dataset.key === key) return; // screen readers read a live region whenever it is written to
  notes.dataset.key = key;
  notes.replaceChildren();
  if (contradiction) notes.append(make('p', { className: 'note warn', textContent: `${contradiction}.` }));
  if (missing.length === 0 || !settled || ready.length < 2) return;
  if (missing.length < ready.length) {
    notes.append(
      make('p', {
        className: 'note warn',
        textContent:
          `No exposure is known of ${missing.map(({ name }) => name).join(', ')}: fill in the EV, counted ` +
          'from the reference.',
      }),
    );
    return;
  }
  notes.append(
    make('p', {
      className: 'note warn',
      textContent:
        'These files do not say how they were exposed. Fill in the EV of each, or take what most cameras do: two ' +
        'stops apart, in the order of brightness.',
    }),
    make('button', { type: 'button', className: 'wide', textContent: 'Use −2, 0, +2 …', onclick: onPropose }),
  );
}
