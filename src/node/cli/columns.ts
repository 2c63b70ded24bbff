import { shown } from '../../shown.ts';

/**
 * Lines of a table, with columns as wide as needed and two spaces apart.
 * @param isLeft which columns are text, aligned left; the others are numbers, aligned right.
 */
export function columns(cells: readonly (readonly string[])[], isLeft: (column: number) => boolean): string[] {
  const rows = cells.map((row) => row.map(shown));
  const widths = rows[0].map((_, c) => Math.max(...rows.map((row) => row[c].length)));
  return rows.map((row) =>
    row
      .map((cell, c) => (isLeft(c) ? cell.padEnd(widths[c]) : cell.padStart(widths[c])))
      .join('  ')
      .trimEnd(),
  );
}
