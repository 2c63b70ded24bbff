/** Both pictures of an Ultra HDR file from a finished picture: for ordinary displays, and for brighter ones. */
import { gainMap, gainOf } from '../image/gainMap.ts';
import type { GainMapMetadata } from '../image/gainMap.ts';

/** EV above white that Ultra HDR files hold: about what phones and laptops show. */
export const HDR_HEADROOM = 3;

/** A picture that is finished, for `finishedUltraHdr`. */
export interface FinishedForHdr {
  /** 8-bit codes under sRGB's curve, `[height, width, 3]`. */
  codes(): Promise<Uint8Array>;
  /** The same for displays that show more than white, rows at a time, linear: 1 is white. */
  bright(use: (rows: Float32Array, from: number) => void): Promise<void>;
}

/** Samples of both pictures, and what decoders must know. The picture is finished twice for displays that show more. */
export async function finishedUltraHdr(
  finished: FinishedForHdr,
): Promise<{ base: Uint8Array; map: Uint8ClampedArray<ArrayBuffer>; gains: GainMapMetadata }> {
  const base = await finished.codes();
  let [least, most] = [0, 0];
  await finished.bright((rows, from) => {
    for (let i = 0; i < rows.length; i++) {
      const gain = gainOf(rows[i], base[from + i]);
      if (gain < least) least = gain;
      else if (gain > most) most = gain;
    }
  });
  const coding = gainMap(least, most);
  const map = new Uint8ClampedArray(base.length);
  await finished.bright((rows, from) =>
    rows.forEach((light, i) => (map[from + i] = coding.gain(light, base[from + i]))),
  );
  return { base, map, gains: coding.metadata };
}
