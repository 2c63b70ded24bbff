/** What the page says when something is wrong: of failures, of warnings, and of the files. */
import type { MergeWarning } from '../../../src/warnings.ts';
import type { Failure, FileNote } from '../messages.ts';
import { words } from './index.ts';
import type { Words } from './index.ts';

/** What failed. */
export type Doing = 'start' | 'merge' | 'view' | 'change' | 'save';

export const WARNINGS = Object.keys(words.warnings);

/** What a merge warns of. */
export function warningWords({ kind, finding, frames = [] }: MergeWarning): Words {
  return { title: words.warnings[kind], text: words.warning(kind, finding, frames) };
}

/** What the files say of themselves. */
export function filesWords(notes: readonly FileNote[]): Words {
  // The same may be true of several files.
  return { title: words.notices.files, text: [...new Set(notes.map(noteWords))].join(' ') };
}

/** One thing that the files say of themselves. */
export function noteWords({ kind, text }: FileNote): string {
  const note = words.note(kind, text);
  return sentence(note[0].toUpperCase() + note.slice(1));
}

const COMMAND = 'npx deghost merge a.jpg b.jpg c.jpg -o merged.jpg';

/** The same, and what the command line can do. */
function withInstead(said: Words): Words {
  return { ...said, instead: { text: words.failures.commandLine, command: COMMAND } };
}

/** @param doing what failed; the frames and the result are still there in any case. */
export function failureWords(failure: Failure, doing: Doing): Words {
  const { failures } = words;
  const isView = doing === 'view';
  if (doing === 'change') return failures.change(sentence(reasonFor(failure)));
  switch (failure.kind) {
    case 'no-webgpu':
      return globalThis.isSecureContext ? withInstead(failures.noWebGpu) : failures.notSecure;
    case 'no-adapter':
      return withInstead(failures.noAdapter);
    case 'device-lost':
      return isView ? failures.lostView : failures.lost;
    case 'memory':
      return isView ? failures.memoryView : doing === 'save' ? failures.memorySave : failures.memory;
    case 'gpu-memory':
      return isView ? failures.gpuMemoryView : failures.gpuMemory;
    case 'input':
      return { title: failures.input, text: sentence(reasonFor(failure)) };
    default:
      return { title: failures.other, text: sentence(reasonFor(failure)) };
  }
}

/** Why a file cannot be used. */
export function fileProblem(name: string, failure: Failure): string {
  return failure.kind === 'memory' ? words.notices.fileMemory(name) : reasonFor(failure);
}

/** What the engine found, with the page's remedy where it has one. */
export function reasonFor({ message, finding, problem }: Failure): string {
  const remedies: Partial<Record<string, string>> = words.remedies;
  const remedy = problem && remedies[problem];
  return remedy ? `${finding}: ${remedy}` : message;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
