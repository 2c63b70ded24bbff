/** Notes on the frames' exposures, above their list: contradictions, estimates, and what is missing. */
import type { EstimateState } from '../exposureEstimate.ts';
import type { Exposed } from '../exposures.ts';
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

const SILENT = 'These files do not say how they were exposed';
const USUAL = 'or take what most cameras do: two stops apart, in the order of brightness';

/** The text on exposures, and whether to offer the usual ones. */
function exposureText({ ready, isSettled, estimate }: Known): { text: string; offers: boolean } | undefined {
  if (!isSettled || ready.length < 2) return undefined;
  if (estimate.state === 'used') {
    const off = Math.max(0.1, estimate.uncertainty).toFixed(1);
    return {
      text:
        `${SILENT}. Their EV is estimated from the pixels, and each step may be off by ${off}: correct what you know ` +
        `better, ${USUAL}.`,
      offers: true,
    };
  }
  const missing = ready.filter(({ ev }) => ev === undefined);
  if (missing.length === 0 || estimate.state === 'waiting') return undefined;
  if (missing.length < ready.length) {
    const names = missing.map(({ name }) => name).join(', ');
    return { text: `No exposure is known of ${names}: fill in the EV, counted from the reference.`, offers: false };
  }
  const why =
    estimate.state === 'impossible'
      ? `, and ${estimate.between.join(' and ')} have too little brightness in common to estimate it`
      : '';
  return { text: `${SILENT}${why}. Fill in the EV of each, ${USUAL}.`, offers: true };
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
      make('button', { type: 'button', className: 'wide', textContent: 'Use −2, 0, +2 …', onclick: onPropose }),
    );
}
