/** Pictures of 8-bit codes, encoded by the browser. */

/** Pixels drawn at once. */
const BAND_PIXELS = 1 << 20;

/**
 * Encodes a picture. Only one band is held besides the canvas.
 * @param codes RGB, `[height, width, 3]`.
 * @throws RangeError without the memory for it.
 */
export async function drawCodes(
  codes: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
  options: ImageEncodeOptions,
): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new RangeError(`no canvas of ${width}x${height}`);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
  const band = new ImageData(width, rows);
  band.data.fill(255);
  for (let y = 0; y < height; y += rows) {
    const count = Math.min(rows, height - y);
    for (let i = 3 * y * width, j = 0; j < 4 * width * count; i += 3, j += 4) {
      band.data[j] = codes[i];
      band.data[j + 1] = codes[i + 1];
      band.data[j + 2] = codes[i + 2];
    }
    context.putImageData(band, 0, y);
  }
  const blob = await canvas.convertToBlob(options);
  canvas.width = canvas.height = 0; // its memory goes at once, not with the next garbage collection
  return blob;
}
