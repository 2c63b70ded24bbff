/** Where the divider of the proof (proof.ts) is: by itself, and by the keys. */

/** Where the divider goes by itself: milliseconds, and per cent. Moving for more than 5 s, it would need a button. */
const WAY: readonly (readonly [number, number])[] = [
  [0, 50],
  [600, 50],
  [2300, 92],
  [4000, 18],
  [4900, 50],
];
/** Per cent by which a key moves it. */
const STEP = 2;
const PAGE = 10;

/** Milliseconds until it is at rest. */
export const WAY_TIME = WAY.at(-1)![0];

/** Where the divider is at a time, moving without a jolt between two points of its way. */
export function wayAt(time: number): number {
  const next = WAY.findIndex(([at]) => at > time);
  if (next < 0) return WAY.at(-1)![1];
  if (next === 0) return WAY[0][1];
  const [[t0, from], [t1, to]] = [WAY[next - 1], WAY[next]];
  return from + (to - from) * (0.5 - 0.5 * Math.cos((Math.PI * (time - t0)) / (t1 - t0)));
}

/** Where a key moves the divider, in per cent; undefined for other keys. */
export function keyedTo(key: string, at: number): number | undefined {
  const to = {
    ArrowLeft: at - STEP,
    ArrowDown: at - STEP,
    ArrowRight: at + STEP,
    ArrowUp: at + STEP,
    PageDown: at - PAGE,
    PageUp: at + PAGE,
    Home: 0,
    End: 100,
  }[key];
  return to === undefined ? undefined : Math.min(100, Math.max(0, to));
}
