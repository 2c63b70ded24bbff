/**
 * Keeps native code's own warnings off a terminal.
 *
 * Dawn and the Vulkan loader print to the file descriptor, past Node: two lines about limits that nobody asked for on
 * every start, and stack traces of drivers that were merely tried. They print while the adapter is being looked for,
 * before the call returns, so pointing the descriptor elsewhere during that synchronous call is enough. Only on a
 * terminal, which can be reopened by name; a file or pipe that someone collects is left alone, as is everything when
 * `DEGHOST_DEBUG` is set.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STDERR = 2;

/** Runs `call` with stderr's descriptor on /dev/null where that is safe. */
export function withoutNativeWarnings<T>(call: () => T): T {
  if (process.platform !== 'linux' || process.env.DEGHOST_DEBUG || !isatty(STDERR)) return call();
  let terminal: number;
  try {
    terminal = openSync(`/proc/self/fd/${STDERR}`, 'a');
  } catch {
    return call();
  }
  // open() takes the lowest free descriptor, so closing 2 and opening puts the new file there.
  closeSync(STDERR);
  const muted = openSync('/dev/null', 'w');
  try {
    return call();
  } finally {
    closeSync(muted);
    openSync(`/proc/self/fd/${terminal}`, 'a');
    closeSync(terminal);
  }
}
