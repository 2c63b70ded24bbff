/**
 * Packages that decoding and encoding use, each its own chunk.
 *
 * They are fetched once, at the start: nothing is fetched after the page has loaded, so that it works without a network
 * and its traffic shows that no picture leaves the machine.
 */
export const exifr = async () => (await import('exifr')).default;
export const fastPng = () => import('fast-png');
export const tiff = () => import('tiff');
/** Fetches all of them. */
export async function preloadPackages(): Promise<void> {
  await Promise.all([exifr(), fastPng(), tiff()]);
}
