/** How every report writes an amount of memory. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes in a readable unit: `31.5 MiB`. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** The same, rounded up: whoever gives this much gives enough. */
export function enoughBytesText(bytes: number): string {
  const unit = 1024 ** Math.floor(Math.log2(bytes) / 10);
  const step = bytes < 100 * unit ? unit / 10 : unit;
  return bytesText(Math.ceil(bytes / step) * step);
}
