/** What results are named. */
import { expect, it } from 'vitest';
import { mergedName } from '../../app/src/mergedName.ts';

it.each([
  ['IMG_1.jpg', 'IMG_1-merged'],
  ['a.b.tif', 'a.b-merged'],
  ['../../etc/passwd.png', '__.._etc_passwd-merged'],
  ['a\\u202eb:c.png', 'a_u202eb_c-merged'],
  ['', 'deghost-merged'],
])('%s becomes %s', (name, expected) => expect(mergedName(name)).toBe(expected));
