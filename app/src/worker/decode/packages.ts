/**
 * Packages that decoding and encoding use, each its own chunk.
 *
 * They are fetched once, at the start: nothing is fetched after the page has loaded, so that it works without a network
 * and its traffic shows that no picture leaves the machine.
 */
export const exifr = async () => (await import('exifr')).default;
export const fastPng = () => import('fast-png');
export const tiff = () => import('tiff');
/**
 * What joins a JPEG and its gain map: a part of hdrify, which does not export it by name. All of hdrify would add
 * coders for EXR and JPEG as well.
 */
export const joinGainMap = async () =>
  (await import('hdrify/dist/gainmap/libultrahdr/encode-jpeg-metadata.js')).encodeJPEGMetadata;

/** Fetches all of them. */
export async function preloadPackages(): Promise<void> {
  await Promise.all([exifr(), fastPng(), tiff(), joinGainMap()]);
}
