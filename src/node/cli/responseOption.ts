/** `--response`: a name, or a file that holds a response. */
import { parseResponse } from '../../image/response.ts';
import type { CameraResponse } from '../../image/response.ts';
import { readFileBytes } from '../plainFile.ts';
import { shown } from '../problems.ts';

/** A name, or a JSON file's path. */
export type ResponseChoice = { name: 'auto' | 'gamma' | 'linear' } | { file: string };

/** A response file is at most a few hundred KiB of numbers. */
const MAX_BYTES = 1 << 20;

/** The value of the option; undefined if it is absent. */
export function readResponseOption(text: string | undefined): ResponseChoice | undefined {
  if (text === undefined) return undefined;
  if (text === 'auto' || text === 'gamma' || text === 'linear') return { name: text };
  return { file: text };
}

/**
 * The chosen response, read from its file if it is one. @throws InputError naming the file and what is wrong with it.
 */
export async function readResponse(
  choice: ResponseChoice | undefined,
): Promise<'auto' | 'gamma' | 'linear' | CameraResponse | undefined> {
  if (choice === undefined) return undefined;
  if ('name' in choice) return choice.name;
  const bytes = await readFileBytes(choice.file, MAX_BYTES);
  return parseResponse(bytes.toString('utf8'), shown(choice.file));
}
