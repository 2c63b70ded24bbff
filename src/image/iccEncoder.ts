/**
 * Writes small ICC profiles (version 2.4) of the working spaces: three colorants under D50, and one curve, sRGB's or
 * none (linear). Layout: ICC.1:2001-04; colorants are adapted from D65 by the Bradford transform, as ICC.1:2022 Annex E
 * prescribes. Version 2, because every reader knows it; its curve is a table of 1024 entries.
 */
import { PRIMARIES, multiply3, rgbToXyz } from './colorSpace.ts';
import type { ColorSpace, Matrix3 } from './colorSpace.ts';
import { invert3, D65 } from './colorSpace.ts';
import { decodeSrgb } from './srgb.ts';

/** XYZ of D50, the profile connection space's white (ICC.1:2022, 7.2.16). */
const D50: readonly number[] = [0.9642, 1, 0.8249];
/** The Bradford cone response matrix. */
const BRADFORD: Matrix3 = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];
const CURVE_ENTRIES = 1024;
const NAMES: Record<ColorSpace, string> = { srgb: 'sRGB', p3: 'Display P3', rec2020: 'Rec. 2020' };

function apply(m: Matrix3, v: readonly number[]): number[] {
  return [0, 1, 2].map((i) => m[3 * i] * v[0] + m[3 * i + 1] * v[1] + m[3 * i + 2] * v[2]);
}

/** XYZ under D65 to XYZ under D50. */
function adaptation(): number[] {
  const white = [D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]];
  const from = apply(BRADFORD, white);
  const to = apply(BRADFORD, D50);
  const scale = [to[0] / from[0], 0, 0, 0, to[1] / from[1], 0, 0, 0, to[2] / from[2]];
  return multiply3(invert3(BRADFORD), multiply3(scale, BRADFORD));
}

/** A tag of `length` bytes after its type and four reserved bytes. */
function tag(type: string, length: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(8 + length);
  for (let i = 0; i < 4; i++) bytes[i] = type.charCodeAt(i);
  return { bytes, view: new DataView(bytes.buffer) };
}

function xyzTag(xyz: readonly number[]): Uint8Array {
  const { bytes, view } = tag('XYZ ', 12);
  xyz.forEach((value, i) => view.setInt32(8 + 4 * i, Math.round(value * 65536)));
  return bytes;
}

function textTag(text: string): Uint8Array {
  const { bytes } = tag('text', text.length + 1);
  bytes.set(new TextEncoder().encode(text), 8);
  return bytes;
}

/** A `desc` tag: ASCII, then an empty Unicode and an empty ScriptCode text. */
function descriptionTag(text: string): Uint8Array {
  const { bytes, view } = tag('desc', 4 + text.length + 1 + 4 + 4 + 2 + 1 + 67);
  view.setUint32(8, text.length + 1);
  bytes.set(new TextEncoder().encode(text), 12);
  return bytes;
}

function curveTag(curve: 'srgb' | 'linear'): Uint8Array {
  const count = curve === 'linear' ? 0 : CURVE_ENTRIES;
  const { bytes, view } = tag('curv', 4 + 2 * count);
  view.setUint32(8, count);
  for (let i = 0; i < count; i++) view.setUint16(12 + 2 * i, Math.round(65535 * decodeSrgb(i / (count - 1))));
  return bytes;
}

/** The ICC profile of a working space, with sRGB's curve or for linear samples. */
export function encodeIccProfile(space: ColorSpace, curve: 'srgb' | 'linear'): Uint8Array<ArrayBuffer> {
  const toD50 = multiply3(adaptation(), rgbToXyz(PRIMARIES[space]));
  const colorant = (i: number): Uint8Array => xyzTag([toD50[i], toD50[3 + i], toD50[6 + i]]);
  const shape = curveTag(curve);
  const tags: [string, Uint8Array][] = [
    ['desc', descriptionTag(curve === 'linear' ? `${NAMES[space]} linear (deghost)` : `${NAMES[space]} (deghost)`)],
    ['cprt', textTag('No copyright, use freely')],
    ['wtpt', xyzTag(D50)],
    ['rXYZ', colorant(0)],
    ['gXYZ', colorant(1)],
    ['bXYZ', colorant(2)],
    ['rTRC', shape],
    ['gTRC', shape],
    ['bTRC', shape],
  ];
  const places = new Map<Uint8Array, number>();
  let end = 132 + 12 * tags.length;
  for (const [, bytes] of tags) {
    if (places.has(bytes)) continue;
    places.set(bytes, end);
    end += Math.ceil(bytes.length / 4) * 4;
  }
  const out = new Uint8Array(end);
  const view = new DataView(out.buffer);
  const put = (at: number, text: string): void => out.set(new TextEncoder().encode(text), at);
  view.setUint32(0, end);
  view.setUint32(8, 0x02400000);
  put(12, 'mntrRGB XYZ ');
  [2026, 1, 1].forEach((value, i) => view.setUint16(24 + 2 * i, value));
  put(36, 'acsp');
  D50.forEach((value, i) => view.setInt32(68 + 4 * i, Math.round(value * 65536)));
  view.setUint32(128, tags.length);
  tags.forEach(([name, bytes], i) => {
    const place = places.get(bytes)!;
    put(132 + 12 * i, name);
    view.setUint32(136 + 12 * i, place);
    view.setUint32(140 + 12 * i, bytes.length);
    out.set(bytes, place);
  });
  return out;
}
