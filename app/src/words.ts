/** What the page says when something is wrong: a title, and what to do. */
import type { Failure } from './messages.ts';

export interface Words {
  title: string;
  text: string;
}

/** The library's remedies name options of the command line; here there are fields for them. */
export function pageWords(message: string): string {
  return message.replace(/give the (exposures|true ones) with --ev or --times/, (_, what: string) => `fill in the ${what === 'exposures' ? 'exposures' : 'true exposures'}`);
}

/** A failed merge, start or view. */
export function failureWords({ kind, message }: Failure): Words {
  switch (kind) {
    case 'no-webgpu':
      return globalThis.isSecureContext
        ? { title: 'This browser has no WebGPU', text: 'deghost computes with it. Open this page in a current Chrome, Edge, Safari or Firefox; on Linux and on older systems WebGPU may have to be switched on in the browser’s settings.' }
        : { title: 'This address is not secure', text: 'Browsers offer WebGPU only to pages from https: addresses or from localhost. Open this page at such an address.' };
    case 'no-adapter':
      return { title: 'No graphics adapter was found', text: 'The browser has WebGPU, but no graphics card that it may use. Update the graphics driver, switch on hardware acceleration in the browser’s settings, and load this page again.' };
    case 'device-lost':
      return { title: 'The graphics card was lost twice', text: 'It was reset or disconnected, opened anew, and lost again. Close other programs that use it and try again; if that does not help, load this page again, or scale the frames down.' };
    case 'memory':
      return { title: 'There is not enough memory', text: 'These frames need more than this tab or the graphics card has left. Close other tabs and programs, take out some frames, or scale them down; then try again.' };
    case 'input':
      return { title: 'These frames cannot be merged', text: sentence(pageWords(message)) };
    default:
      return { title: 'Something went wrong', text: sentence(message) };
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Seconds left, as one says it. */
export function timeLeft(seconds: number): string {
  if (seconds < 1) return 'nearly done';
  if (seconds < 60) return `about ${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** Bytes as people read them. */
export function formatBytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GB` : bytes >= 2 ** 20 ? `${Math.round(bytes / 2 ** 20)} MB` : `${Math.max(1, Math.round(bytes / 1024))} kB`;
}
