/** Notes on the frames' exposures, above their list: contradictions, estimates, and what is missing. */
import type { EstimateState } from '../exposureEstimate.ts';
import type { Exposed } from '../exposures.ts';
import { number, words } from '../words/index.ts';
import { byId, make } from './dom.ts';

/** What the notes are about. */
interface Known {
  /** The frames that are loaded. */
  ready: readonly Exposed[];
  /** Why EXIF cannot be used. */
  contradiction: string | undefined;
  /** Whether no file is being read; the next file may bring what is missing. */
  isSettled: boolean;
  estimate: EstimateState;
}

/** The text on exposures, and whether to offer the usual ones. */
function exposureText({ ready, isSettled, estimate }: Known): { text: string; offers: boolean } | undefined {
  if (!isSettled || ready.length < 2) return undefined;
  if (estimate.state === 'used')
    return { text: words.frames.estimated(number(Math.max(0.1, estimate.uncertainty), 1)), offers: true };
  const missing = ready.filter(({ ev }) => ev === undefined);
  if (missing.length === 0 || estimate.state === 'waiting') return undefined;
  if (missing.length < ready.length) {
    const names = missing.map(({ name }) => name).join(', ');
    return { text: words.frames.missing(names), offers: false };
  }
  const incomparable = estimate.state === 'impossible' ? estimate.between : undefined;
  return { text: words.frames.allMissing(incomparable), offers: true };
}

/** Shows the notes. */
export function showFrameNotes(known: Known, onPropose: () => void): void {
  const { ready, contradiction } = known;
  const exposure = exposureText(known);
  const notes = byId('frames-notes', HTMLDivElement);
  const key = JSON.stringify([contradiction, exposure, ready.map(({ id }) => id)]);
  if (notes.dataset.key === key) return; // screen readers read a live region whenever it is written to
  notes.dataset.key = key;
  notes.replaceChildren();
  if (contradiction) notes.append(make('p', { className: 'note warn', textContent: `${contradiction}.` }));
  if (!exposure) return;
  notes.append(make('p', { className: 'note warn', textContent: exposure.text }));
  if (exposure.offers)
    notes.append(
      make('button', { type: 'button', className: 'wide', textContent: words.frames.propose, onclick: onPropose }),
    );
}
