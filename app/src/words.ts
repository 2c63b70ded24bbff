/** What the page says when something is wrong: a title, and what to do. */
import type { InputProblem } from '../../src/errors.ts';
import type { MergeWarning } from '../../src/warnings.ts';
import type { Failure } from './messages.ts';

/** What failed. */
export type Doing = 'start' | 'merge' | 'view' | 'save';

export interface Words {
  title: string;
  text: string;
}

/** A picture that cannot be shown is not lost. */
const SAVE_IT =
  'It is merged and can be saved. To see it too, close other tabs and programs, start over, and merge again.';

/** The page's remedies for problems that the engine names, in terms of its fields and buttons. */
export const REMEDIES: Partial<Record<InputProblem, string>> = {
  exposure: 'fill in the exposures',
  'equal-exposures': 'add brackets of different exposure, or fill in the true exposures',
  'memory-budget': 'take out some frames, or scale all of them down',
};

const WARNING_TITLES: Record<MergeWarning['kind'], string> = {
  'much-motion': 'Most of the picture counts as moving',
  unaligned: 'A frame could not be aligned',
  'weak-response': 'The files’ tone curve is uncertain',
  'poor-reference': 'The reference frame shows little',
  'contradicted-exposures': 'The exposures do not fit the pictures',
};
export const WARNINGS = Object.keys(WARNING_TITLES);

/** What a merge warns of. */
export function warningWords({ kind, message }: MergeWarning): Words {
  return { title: WARNING_TITLES[kind], text: message };
}

/** What the files say of themselves. */
export function filesWords(notes: readonly string[]): Words {
  return {
    title: 'About the files',
    text: notes.map((note) => sentence(note[0].toUpperCase() + note.slice(1))).join(' '),
  };
}

/** @param doing what failed; the frames and the result are still there in any case. */
export function failureWords({ kind, message }: Failure, doing: Doing): Words {
  switch (kind) {
    case 'no-webgpu':
      return globalThis.isSecureContext
        ? {
            title: 'This browser has no WebGPU',
            text:
              'deghost computes with WebGPU. Open this page in a current Chrome, Edge, Safari or Firefox; on Linux ' +
              'and on older systems WebGPU may have to be switched on in the browser’s settings.',
          }
        : {
            title: 'This address is not secure',
            text:
              'Browsers offer WebGPU only to pages from https: addresses or from localhost. Open this page at ' +
              'such an address.',
          };
    case 'no-adapter':
      return {
        title: 'No graphics adapter was found',
        text:
          'The browser has WebGPU, but no graphics card that it may use. Update the graphics driver, switch on ' +
          'hardware acceleration in the browser’s settings, and load this page again.',
      };
    case 'device-lost':
      if (doing === 'view') return { title: 'The graphics card was lost twice', text: SAVE_IT };
      return {
        title: 'The graphics card was lost twice',
        text:
          'It was reset or disconnected, opened again, and lost again. Close other programs that use it and try ' +
          'again; if that does not help, load this page again, or scale the frames down.',
      };
    case 'memory':
      if (doing === 'save')
        return {
          title: 'There is too little memory to make this file',
          text: 'Close other tabs and programs and try again, or save Radiance .hdr, which needs the least.',
        };
      if (doing === 'view') return { title: 'There is too little memory to show the picture', text: SAVE_IT };
      return {
        title: 'This tab has too little memory',
        text:
          'The frames and their merge need more than this tab can have. Close other tabs and programs, take out some ' +
          'frames, or scale all of them down; then merge again. The frames are still here.',
      };
    case 'gpu-memory':
      if (doing === 'view')
        return { title: 'The graphics card has too little memory to show the picture', text: SAVE_IT };
      return {
        title: 'The graphics card has too little memory',
        text:
          'Merging in smaller pieces was tried as well. Close other tabs and programs that use it, then merge ' +
          'again; if that does not help, scale the frames down.',
      };
    case 'input':
      return { title: 'These frames cannot be merged', text: sentence(message) };
    default:
      return { title: 'Something went wrong', text: sentence(message) };
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The time left, in words. */
export function timeLeft(seconds: number): string {
  if (seconds < 1) return 'nearly done';
  if (seconds < 60) return `about ${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
