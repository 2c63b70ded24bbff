/** Grouping a folder of pictures into brackets. */
import { describe, expect, it } from 'vitest';
import { groupBrackets } from '../src/brackets/group.ts';
import { shotOf } from '../src/brackets/shots.ts';
import type { Shot } from '../src/brackets/shots.ts';
import { groupFolders, pictureKind } from '../src/brackets/pictureFiles.ts';
import { FORTY_BRACKETS, fortyShots, tagsAt } from './folderOfForty.ts';

const names = ({ brackets }: ReturnType<typeof groupBrackets>): string[] =>
  brackets.map(({ shots }) => shots.map(({ name }) => name).join(' '));

describe('a folder of forty pictures', () => {
  const folder: Shot[] = fortyShots();

  it('is grouped as a person would', () => {
    expect(folder).toHaveLength(40);
    const found = groupBrackets(folder);
    expect(names(found)).toEqual(FORTY_BRACKETS);
    expect(found.skipped.map(({ name }) => name)).toEqual([
      'A_00010.JPG',
      'A_00011.JPG',
      'A_00012.JPG',
      'A_00020.JPG',
      'A_00021.JPG',
      'A_00022.JPG',
      'A_00023.JPG',
      'A_00024.JPG',
      'A_00060.JPG',
      'P_5.JPG',
      'P_6.JPG',
    ]);
    const reason = Object.fromEntries(found.skipped.map(({ name, reason: why }) => [name, why]));
    expect(reason['A_00010.JPG']).toBe('the same shot as A_00010.NEF');
    expect(reason['A_00022.JPG']).toMatch(/^no other picture of the scene with another exposure/);
    expect(reason['P_5.JPG']).toBe('exposures 0.4 EV apart, at least 1 EV are needed');
    // Every picture is somewhere, once.
    expect(found.skipped.length + found.brackets.flatMap(({ shots }) => shots).length).toBe(40);
  });

  it('is the same in any order, and RAW files without others are taken', () => {
    expect(groupBrackets([...folder].reverse())).toEqual(groupBrackets(folder));
    const raws = folder.filter(({ isRaw }) => isRaw);
    expect(names(groupBrackets(raws))).toEqual(['A_00010.NEF A_00011.NEF A_00012.NEF']);
  });
});

describe('pictures', () => {
  it('without EXIF are grouped by a given number alone', () => {
    const bare = [10, 9, 8, 7, 6, 5, 4].map((i) => shotOf(`IMG_${i}.jpg`, {}, { isRaw: false }));
    const found = groupBrackets(bare);
    expect(found.brackets).toEqual([]);
    expect(found.skipped[0].reason).toBe(
      'its EXIF says nothing of its exposure: give the number of frames of a bracket',
    );
    const three = groupBrackets(bare, { frames: 3 });
    expect(names(three)).toEqual(['IMG_4.jpg IMG_5.jpg IMG_6.jpg', 'IMG_7.jpg IMG_8.jpg IMG_9.jpg']);
    expect(three.skipped).toEqual([{ name: 'IMG_10.jpg', kind: 'rest', reason: '1 left over after brackets of 3' }]);
  });

  it('with the exposure bias alone are grouped by it', () => {
    const biased = [-2, 0, 2].map((ExposureCompensation, i) =>
      shotOf(`${i}.jpg`, { ExposureCompensation, DateTimeOriginal: `2026:01:01 00:00:0${i}` }, { isRaw: false }),
    );
    expect(names(groupBrackets(biased))).toEqual(['0.jpg 1.jpg 2.jpg']);
  });

  it('more than sixteen in a row are no bracket', () => {
    const many = Array.from({ length: 17 }, (_, i) =>
      shotOf(`${i}.jpg`, { ...tagsAt(0.3 * i, i / 2 - 3.3) }, { isRaw: false }),
    );
    expect(groupBrackets(many).skipped[0].reason).toBe('17 exposures in a row, at most 16 are merged');
  });

  it('of two folders are grouped by themselves', () => {
    const shots = ['a', 'a/copies', 'b'].flatMap((folder) =>
      [-2, 0, 2].map((ev, i) => shotOf(`${folder}/${i}.jpg`, { ...tagsAt(i, ev) }, { isRaw: false })),
    );
    expect(names(groupFolders(shots))).toEqual([
      'a/0.jpg a/1.jpg a/2.jpg',
      'a/copies/0.jpg a/copies/1.jpg a/copies/2.jpg',
      'b/0.jpg b/1.jpg b/2.jpg',
    ]);
    expect(names(groupBrackets(shots))).not.toContain('a/0.jpg a/1.jpg a/2.jpg');
  });
});

describe('files', () => {
  it('are pictures by their names', () => {
    expect(['a/b.JPG', 'b.tiff', 'c.nef', 'd.txt', 'jpg', 'a/._b.jpg', '.hidden.jpg'].map(pictureKind)).toEqual([
      'picture',
      'picture',
      'raw',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
