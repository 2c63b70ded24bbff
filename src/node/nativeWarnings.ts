/**
 * Hides warnings of native code on a terminal.
 *
 * Dawn and the Vulkan loader print directly to the file descriptor, bypassing Node: two lines about unrequested limits
 * on every start, and stack traces of drivers that were only tried. They print during the search for an adapter, before
 * the call returns, so it is enough to redirect the descriptor during that synchronous call. This happens only on a
 * terminal, which can be reopened by name. Files and pipes stay untouched, and so does everything if `DEGHOST_DEBUG` is
 * set.
 */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

const STDERR = 2;

/** Runs `call` with stderr's descriptor on /dev/null if that is safe. */
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
