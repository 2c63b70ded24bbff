/** Grouping a folder of pictures into brackets. */
import { describe, expect, it } from 'vitest';
import { groupBrackets } from '../src/brackets/group.ts';
import { shotOf } from '../src/brackets/shots.ts';
import type { Shot } from '../src/brackets/shots.ts';

/** A shot at some seconds after noon. */
function shot(
  name: string,
  seconds: number,
  ev: number,
  { model = 'A', time = 2 ** ev / 100, ...tags }: Record<string, unknown> = {},
): Shot {
  const whole = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `12:${two(Math.floor(whole / 60))}:${two(whole % 60)}`;
  return shotOf(
    name,
    {
      Make: 'Maker',
      Model: model,
      FocalLength: 35,
      Orientation: 1,
      DateTimeOriginal: `2026:05:01 ${clock}`,
      SubSecTimeOriginal: (seconds - whole).toFixed(2).slice(2),
      ExposureTime: time,
      FNumber: 8,
      ISO: 100,
      ...tags,
    },
    { isRaw: /\.(nef|cr2)$/i.test(name), size: { width: 6000, height: 4000 } },
  );
}

const names = ({ brackets }: ReturnType<typeof groupBrackets>): string[] =>
  brackets.map(({ shots }) => shots.map(({ name }) => name).join(' '));

describe('a folder of forty pictures', () => {
  const folder: Shot[] = [
    // Camera A, RAW and JPEG of each: one bracket in the order 0, -, +.
    ...[0, -2, 2].flatMap((ev, i) => [
      shot(`A_0001${i}.NEF`, 10 + 0.3 * i, ev),
      shot(`A_0001${i}.JPG`, 10 + 0.3 * i, ev),
    ]),
    // A burst at one exposure.
    ...[0, 1, 2, 3, 4].map((i) => shot(`A_0002${i}.JPG`, 60 + 0.2 * i, 1)),
    // Two brackets back to back.
    ...[-2, 0, 2, -2, 0, 2].map((ev, i) => shot(`A_0003${i}.JPG`, 120 + 0.3 * i, ev)),
    // A panorama of three views, the camera turned between them.
    ...[-1, 0, 1, -1, 0, 1, -1, 0, 1].map((ev, i) => shot(`A_0004${i}.JPG`, 200 + 0.3 * i + 5 * Math.floor(i / 3), ev)),
    // Long exposures: the pause counts from the end of each.
    ...[0, 7, 38.5].map((start, i) => shot(`A_0005${i}.JPG`, 400 + start, i + 8, { time: [6, 30, 120][i] })),
    // A stray picture.
    shot('A_00060.JPG', 700, 0),
    // Camera B at the same time as camera A's first bracket, ISO instead of time.
    ...[100, 400, 1600].map((ISO, i) => shot(`B_${i + 8}.JPG`, 10.1 + 0.3 * i, 0, { model: 'B', ISO })),
    // A phone without fractions of a second, aborted after two of three.
    ...[0, -2].map((ev, i) => ({ ...shot(`P_${i}.JPG`, 500 + i, ev, { model: 'P' }), isPrecise: false })),
    // The same phone, less than a stop apart.
    ...[0, 0.4].map((ev, i) => shot(`P_${i + 5}.JPG`, 600 + i, ev, { model: 'P' })),
    // Its pictures on edge are no bracket with those before.
    ...[-2, 2, 0].map((ev, i) => shot(`P_${i + 10}.JPG`, 501.5 + 0.2 * i, ev, { model: 'P', Orientation: 6 })),
  ];

  it('is grouped as a person would', () => {
    expect(folder).toHaveLength(40);
    const found = groupBrackets(folder);
    expect(names(found)).toEqual([
      'A_00010.JPG A_00011.JPG A_00012.JPG',
      'A_00030.JPG A_00031.JPG A_00032.JPG',
      'A_00033.JPG A_00034.JPG A_00035.JPG',
      'A_00040.JPG A_00041.JPG A_00042.JPG',
      'A_00043.JPG A_00044.JPG A_00045.JPG',
      'A_00046.JPG A_00047.JPG A_00048.JPG',
      'A_00050.JPG A_00051.JPG A_00052.JPG',
      'B_8.JPG B_9.JPG B_10.JPG',
      'P_0.JPG P_1.JPG',
      'P_10.JPG P_11.JPG P_12.JPG',
    ]);
    expect(found.skipped.map(({ name }) => name)).toEqual([
      'A_00010.NEF',
      'A_00011.NEF',
      'A_00012.NEF',
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
    expect(reason['A_00010.NEF']).toBe('the same shot as A_00010.JPG');
    expect(reason['A_00022.JPG']).toMatch(/^no other picture of the scene with another exposure/);
    expect(reason['P_5.JPG']).toBe('exposures 0.4 EV apart, at least 1 EV are needed');
    // Every picture is somewhere, once.
    expect(found.skipped.length + found.brackets.flatMap(({ shots }) => shots).length).toBe(40);
  });

  it('is the same in any order, and takes RAW where it is read', () => {
    expect(groupBrackets([...folder].reverse())).toEqual(groupBrackets(folder));
    expect(names(groupBrackets(folder, { readsRaw: true }))[0]).toBe('A_00010.NEF A_00011.NEF A_00012.NEF');
    const raws = folder.filter(({ isRaw }) => isRaw);
    expect(groupBrackets(raws).skipped.map(({ reason }) => reason)).toEqual(
      new Array(3).fill('RAW, which is not read'),
    );
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
    expect(three.skipped).toEqual([{ name: 'IMG_10.jpg', reason: '1 left over after brackets of 3' }]);
  });

  it('with the exposure bias alone are grouped by it', () => {
    const biased = [-2, 0, 2].map((ExposureCompensation, i) =>
      shotOf(`${i}.jpg`, { ExposureCompensation, DateTimeOriginal: `2026:01:01 00:00:0${i}` }, { isRaw: false }),
    );
    expect(names(groupBrackets(biased))).toEqual(['0.jpg 1.jpg 2.jpg']);
  });

  it('more than sixteen in a row are no bracket', () => {
    const many = Array.from({ length: 17 }, (_, i) => shot(`${i}.jpg`, 0.3 * i, i / 2, { time: 0.001 * 2 ** (i / 2) }));
    expect(groupBrackets(many).skipped[0].reason).toBe('17 exposures in a row, at most 16 are merged');
  });
});
