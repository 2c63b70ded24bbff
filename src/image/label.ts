/**
 * Draws short labels into 8-bit pictures without system fonts, because machines have different fonts or none. Glyphs
 * have 5x7 dots; each row is a pair of octal digits (five bits). There are capitals, digits and a few signs; any other
 * character is a gap.
 */
const GLYPHS: Record<string, string> = {
  A: '16 21 21 37 21 21 21',
  B: '36 21 21 36 21 21 36',
  C: '16 21 20 20 20 21 16',
  D: '36 21 21 21 21 21 36',
  E: '37 20 20 36 20 20 37',
  F: '37 20 20 36 20 20 20',
  G: '16 21 20 27 21 21 16',
  H: '21 21 21 37 21 21 21',
  I: '16 04 04 04 04 04 16',
  J: '01 01 01 01 21 21 16',
  K: '21 22 24 30 24 22 21',
  L: '20 20 20 20 20 20 37',
  M: '21 33 25 25 21 21 21',
  N: '21 31 25 23 21 21 21',
  O: '16 21 21 21 21 21 16',
  P: '36 21 21 36 20 20 20',
  Q: '16 21 21 21 25 22 15',
  R: '36 21 21 36 24 22 21',
  S: '17 20 20 16 01 01 36',
  T: '37 04 04 04 04 04 04',
  U: '21 21 21 21 21 21 16',
  V: '21 21 21 21 21 12 04',
  W: '21 21 21 25 25 33 21',
  X: '21 21 12 04 12 21 21',
  Y: '21 21 12 04 04 04 04',
  Z: '37 01 02 04 10 20 37',
  0: '16 21 23 25 31 21 16',
  1: '04 14 04 04 04 04 16',
  2: '16 21 01 06 10 20 37',
  3: '36 01 01 16 01 01 36',
  4: '02 06 12 22 37 02 02',
  5: '37 20 36 01 01 21 16',
  6: '06 10 20 36 21 21 16',
  7: '37 01 02 04 04 04 04',
  8: '16 21 21 16 21 21 16',
  9: '16 21 21 17 01 02 14',
  '.': '00 00 00 00 00 14 14',
  ',': '00 00 00 00 04 04 10',
  '-': '00 00 00 37 00 00 00',
  '+': '00 04 04 37 04 04 00',
  ':': '00 14 14 00 14 14 00',
  '=': '00 00 37 00 37 00 00',
  '/': '01 01 02 04 10 20 20',
  '(': '02 04 10 10 10 04 02',
  ')': '10 04 02 02 02 04 10',
};
/** Columns and rows of a character, including its gap. */
const ADVANCE = 6;
const ROWS = 7;
/** Height of a label in rows. */
export const LABEL_HEIGHT = ROWS + 4;

/**
 * Writes white text into an RGB picture, its top left corner at (x, y), not beyond `room` columns.
 * @param data `[height, width, 3]`, changed in place.
 */
export function drawLabel(data: Uint8Array, width: number, x: number, y: number, text: string, room: number): void {
  [...text.toUpperCase()].slice(0, Math.floor(room / ADVANCE)).forEach((character, i) => {
    const rows = Object.hasOwn(GLYPHS, character) ? GLYPHS[character].split(' ') : [];
    rows.forEach((row, dy) => {
      const dots = parseInt(row, 8);
      for (let dx = 0; dx < 5; dx++) {
        if (dots & (16 >> dx))
          data.fill(
            255,
            3 * ((y + dy) * width + x + i * ADVANCE + dx),
            3 * ((y + dy) * width + x + i * ADVANCE + dx) + 3,
          );
      }
    });
  });
}
