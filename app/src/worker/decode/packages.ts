/**
 * Packages that decoding and encoding use, each its own chunk.
 *
 * They are fetched once, at the start: nothing is fetched after the page has loaded, so that it works without a network and its traffic
 * shows that no picture leaves the machine.
 */
export const exifr = async () => (await import('exifr')).default;
export const fastPng = () => import('fast-png');
export const tiff = () => import('tiff');
/** Parts of hdrify: all of it would bring coders for EXR and JPEG, which are not needed. */
export const gainMaps = async () => {
  const [encoder, joiner] = await Promise.all([import('hdrify/dist/gainmap/gainMapEncoder.js'), import('hdrify/dist/gainmap/libultrahdr/encode-jpeg-metadata.js')]);
  return { encodeGainMap: encoder.encodeGainMap, encodeJPEGMetadata: joiner.encodeJPEGMetadata };
};

/** Fetches all of them. */
export async function preloadPackages(): Promise<void> {
  await Promise.all([exifr(), fastPng(), tiff(), gainMaps()]);
}
