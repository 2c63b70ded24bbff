/** Command lines that are easily got wrong: the message names what was given. */
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deghost, picture, scene } from './commandLine.ts';
import { temporaryFolder } from './pictures.ts';

const { path: folder } = temporaryFolder();
const at = (name: string): string => join(folder, name);
for (const [i, exposure] of [0.25, 1].entries()) await picture(folder, `${i + 1}.png`, scene(8, 8, exposure), 8, 8);
linkSync(at('1.png'), at('link.png'));

it.each([
  ['a picture twice', ['merge', at('1.png'), at('1.png'), '-o', at('o.exr')], /the picture .*1\.png is given twice/],
  [
    'a picture and its link',
    ['merge', at('1.png'), at('2.png'), at('link.png'), '-o', at('o.exr')],
    /1\.png and .*link\.png are one file/,
  ],
  ['a picture twice', ['align', at('1.png'), at('1.png'), '-o', at('o')], /the picture .*1\.png is given twice/],
  [
    'a size beyond all',
    ['plan', '99999999x99999999'],
    /size is 99999999x99999999 \(.* megapixels\): at most \d+ megapixels/,
  ],
  ['a word', ['info', 'extra'], /"extra" is given to deghost info, which takes options alone/],
])('%s: %s', async (_, args, message) => {
  const { code, err } = await deghost(...args);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});

it('a name without letters', async () => {
  const { code, err } = await deghost('merge', '', at('1.png'), '--ev=-2,0', '-o', at('o.exr'), '--method=merge');
  expect([code, err]).toEqual([1, expect.stringContaining('cannot read "": no such file or folder')]);
});
