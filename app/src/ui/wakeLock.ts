/** Keeps the screen on while a merge runs: phones and laptops that go to sleep take the graphics card with them. */

let lock: Promise<WakeLockSentinel | undefined> | undefined;
let isWanted = false;

/**
 * Requests the wake lock, or releases it. Where the browser refuses it (a page in the background, a low battery)
 * nothing happens.
 */
export function keepAwake(wanted: boolean): void {
  if (wanted === isWanted) return;
  isWanted = wanted;
  if (wanted) request();
  else void lock?.then((sentinel) => sentinel?.release());
}

function request(): void {
  lock = navigator.wakeLock?.request('screen').catch(() => undefined);
}

// Browsers release the lock when the page is hidden.
document.addEventListener('visibilitychange', () => isWanted && document.visibilityState === 'visible' && request());
