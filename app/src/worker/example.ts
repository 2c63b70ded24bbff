/** The frames of the example that comes with the page. */
import type { NamedFile } from '../messages.ts';
import { fetchFile } from './fetchFile.ts';

let example: Promise<NamedFile[]> | undefined;

/** @param base the page's address. @throws InputError where they cannot be had; another call tries again. */
export function exampleFiles(base: string): Promise<NamedFile[]> {
  example ??= Promise.all(
    ['1.jpg', '2.jpg', '3.jpg'].map(async (name) => ({
      name: `balloons-${name}`,
      file: new Blob([await fetchFile(new URL(`example/${name}`, base), 'the example')]),
    })),
  );
  example.catch(() => (example = undefined));
  return example;
}
