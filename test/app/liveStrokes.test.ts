/** Strokes that are merged while the brush paints: the same picture as one merged at its end, and one step. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { brush } from '../../app/src/worker/brush.ts';
import { Changes } from '../../app/src/worker/changes.ts';
import type { ChangesEvents } from '../../app/src/worker/changes.ts';
import type { Stroke } from '../../app/src/messages.ts';
import { DeviceLostError, Deghoster } from '../../src/index.ts';
import type { OpenMerge } from '../../src/index.ts';
import { testDevice } from '../gpu.ts';
import { worst } from '../moment/blend.ts';
import { eightBit } from '../reference/frames.ts';
import { readGolden } from '../reference/goldens.ts';

const [WIDTH, HEIGHT] = [336, 48];
const WHOLE = { x: 0, y: 0, width: WIDTH, height: HEIGHT };
const FRAMES = eightBit(WIDTH, HEIGHT, [1, 4, 16]);
/** The first line's end is the next one's start, as the page sends them. */
const LINES: Stroke[] = [
  [40, 10, 40, 10],
  [40, 10, 60, 20],
  [60, 20, 150, 30],
  [150, 30, 150, 44],
].map(([fromX, fromY, toX, toY], k) => ({
  ...{ fromX, fromY, toX, toY },
  radius: 6,
  hardness: 0.5,
  value: 1,
  motionOf: 'all',
  starts: k === 0,
}));

let deghoster: Deghoster;

beforeAll(async () => {
  deghoster = await Deghoster.create({ device: await testDevice(), weights: readGolden('fixed-halo').weightsBytes });
});

afterAll(() => deghoster.dispose());

interface Painted {
  changes: Changes;
  open: OpenMerge;
  before: Float32Array;
  /** Whether each change that was shown was under the brush. */
  shown: boolean[];
  failed: unknown[];
}

async function painted(liveMs: number, more: Partial<ChangesEvents> = {}): Promise<Painted> {
  const open = await deghoster.open(FRAMES, { align: 'none', response: 'gamma' });
  const [shown, failed]: [boolean[], unknown[]] = [[], []];
  const events: ChangesEvents = {
    changed: async (_, isUnderBrush) => void shown.push(isUnderBrush),
    painted: () => undefined,
    tell: () => undefined,
    failed: (error) => failed.push(error),
    openAgain: () => Promise.reject(new Error('not to be opened again')),
    ...more,
  };
  const changes = new Changes(open, {}, events, liveMs);
  return { changes, open, before: open.result.radiance.slice(), shown, failed };
}

/** Waits until nothing is merged. */
const rest = (changes: Changes): Promise<void> => vi.waitFor(() => expect(changes.isBusy).toBe(false), 60_000);

/** A merge of the whole with the maps that all lines at once give. */
async function expected({ motion }: { motion: readonly Float32Array[] }): Promise<{
  radiance: Float32Array;
  maps: Float32Array[];
}> {
  const maps = motion.map((map) => map.slice());
  for (const line of LINES) brush(maps, WHOLE, line, 1);
  const { radiance } = await deghoster.merge(FRAMES, {
    align: 'none',
    response: 'gamma',
    reference: 1,
    motion: maps,
  });
  return { radiance, maps };
}

it('are merged part by part under the brush, and are one step', async () => {
  const { changes, open, before, shown, failed } = await painted(Infinity);
  const whole = await expected(open.result);
  for (const line of LINES) {
    changes.paint(line);
    expect([changes.undoable, changes.isBusy, changes.isLive]).toEqual([1, true, true]);
    await rest(changes);
  }
  // The brush is still down, and all of it is in the picture.
  expect(shown).toEqual(LINES.map(() => true));
  const live = open.result.radiance.slice();
  expect(worst(live, before)).toBeGreaterThan(1e-3);
  expect(worst(live, whole.radiance)).toBeLessThan(1e-5);
  changes.lift(false);
  await changes.settled();
  expect([shown.at(-1), changes.isLive]).toEqual([false, false]);
  expect([changes.undoable, changes.redoable, changes.differs]).toEqual([1, 0, true]);
  expect(open.result.radiance).toEqual(live);
  for (const k of [0, 2]) expect(open.result.motion[k]).toEqual(whole.maps[k]);
  changes.undo();
  await changes.settled();
  expect([changes.undoable, changes.redoable]).toEqual([0, 1]);
  expect(worst(open.result.radiance, before)).toBeLessThan(1e-5);
  changes.redo();
  await changes.settled();
  expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  for (const k of [0, 2]) expect(open.result.motion[k]).toEqual(whole.maps[k]);
  expect(failed).toEqual([]);
  changes.close();
});

it('take what was painted meanwhile together, also at the end', async () => {
  const { changes, open, shown, failed } = await painted(Infinity);
  const whole = await expected(open.result);
  for (const line of LINES) changes.paint(line);
  changes.lift(false);
  await changes.settled();
  // The first part had begun with the first line alone.
  expect(shown).toEqual([true, false]);
  expect(changes.undoable).toBe(1);
  expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  expect(failed).toEqual([]);
  changes.close();
});

it.each([
  ['dropped', (changes: Changes) => changes.lift(true)],
  ['undone', (changes: Changes) => changes.undo()],
])('leave nothing where they are %s under way, merged or not', async (_, take) => {
  const { changes, open, before, shown } = await painted(Infinity);
  const { motion } = open.result;
  const maps = motion.map((map) => map.slice());
  changes.paint(LINES[0]);
  await rest(changes);
  changes.paint(LINES[1]);
  changes.paint(LINES[2]);
  // While a part is merged.
  take(changes);
  await changes.settled();
  expect(shown).toEqual([true, true, false]);
  expect([changes.undoable, changes.redoable, changes.differs]).toEqual([0, 0, false]);
  // It leaves no trace, not even maps that count as given.
  expect(changes.edited).toEqual({});
  expect(worst(open.result.radiance, before)).toBeLessThan(1e-5);
  expect(open.result.motion).toEqual(maps);
  expect(changes.bytes(WHOLE, 0)).toEqual(Uint8Array.from(maps[0], (w) => Math.round(255 * w)));
  changes.close();
});

it.each([
  ['dropped under way', (changes: Changes) => changes.lift(true)],
  [
    'undone',
    (changes: Changes) => {
      changes.lift(false);
      changes.undo();
    },
  ],
])('leave other moments as they were, the first stroke too, where they are %s', async (_, take) => {
  const { changes, open, failed } = await painted(Infinity);
  const rect = { x: 250, y: 8, width: 40, height: 30 };
  const thing = { rect, mask: new Uint8Array(1200).fill(1) };
  /** Of a picture, a part that shows the other moment. */
  const cut = (radiance: Float32Array): Float32Array => {
    const at = 3 * (20 * WIDTH + rect.x);
    return radiance.slice(at, at + 3 * rect.width);
  };
  changes.show(thing, 2);
  await changes.settled();
  const shown = (): Float32Array[] => [open.result.radiance, ...open.result.motion].map((one) => one.slice());
  const before = shown();
  changes.paint(LINES[0]);
  await rest(changes);
  // With maps that are given, what moves in the other moment follows from those.
  expect(worst(cut(open.result.radiance), cut(before[0]))).toBeGreaterThan(1e-4);
  take(changes);
  await changes.settled();
  for (const [k, one] of shown().entries()) expect(worst(one, before[k])).toBeLessThan(1e-5);
  expect(Object.keys(changes.edited)).toEqual(['moment']);
  // Nor does what follows differ.
  changes.show({ rect: { ...rect, x: 190 }, mask: thing.mask }, 2);
  await changes.settled();
  const whole = await deghoster.merge(FRAMES, {
    ...{ align: 'none', response: 'gamma', reference: 1 },
    moment: changes.moment,
  });
  expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  expect(failed).toEqual([]);
  changes.close();
});

it('wait for the end where a part takes too long, and where the CPU merges', async () => {
  for (const [liveMs, before, after] of [
    [1e-6, [true], [true, false]],
    [0, [], [false]],
  ] as const) {
    const { changes, open, shown } = await painted(liveMs);
    const whole = await expected(open.result);
    for (const line of LINES) {
      changes.paint(line);
      await rest(changes);
    }
    expect(shown).toEqual(before);
    // What waits is in the overlay.
    expect(changes.bytes(WHOLE, 0)).toEqual(Uint8Array.from(whole.maps[0], (w) => Math.round(255 * w)));
    changes.lift(false);
    await changes.settled();
    expect(shown).toEqual(after);
    expect(changes.undoable).toBe(1);
    expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
    // The next stroke tries again.
    shown.length = 0;
    changes.paint(LINES[0]);
    await rest(changes);
    expect(shown).toEqual(before);
    changes.close();
  }
});

it('are merged at the end where that failed under the brush, and a failure is told once', async () => {
  let fails = 0;
  const { changes, open, shown, failed, before } = await painted(Infinity, {
    openAgain: async () => {
      throw new DeviceLostError('the GPU was lost');
    },
  });
  const update = open.update.bind(open);
  vi.spyOn(open, 'update').mockImplementation((change) =>
    fails-- > 0 ? Promise.reject(new DeviceLostError('the GPU was lost')) : update(change),
  );
  const whole = await expected(open.result);
  const paint = async (): Promise<void> => {
    for (const line of LINES) {
      changes.paint(line);
      await rest(changes);
    }
    changes.lift(false);
    await changes.settled();
  };
  fails = 1;
  await paint();
  expect([shown, failed]).toEqual([[false], []]);
  expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  changes.undo();
  await changes.settled();
  expect(worst(open.result.radiance, before)).toBeLessThan(1e-5);
  fails = 2;
  await paint();
  expect(failed).toHaveLength(1);
  // It is not lost: the next merge has it.
  expect(changes.edited.motion![0]).toEqual(whole.maps[0]);
  changes.close();
});

it('wait for the end where they cannot be shown, which is told once', async () => {
  let fails = true;
  const calls: boolean[] = [];
  const { changes, open, failed } = await painted(Infinity, {
    changed: async (_, isUnderBrush) => {
      calls.push(isUnderBrush);
      if (fails) throw new Error('it cannot be shown');
    },
  });
  const whole = await expected(open.result);
  for (const line of LINES) {
    changes.paint(line);
    await rest(changes);
  }
  expect([calls, failed]).toEqual([[true], []]);
  fails = false;
  changes.lift(false);
  await changes.settled();
  expect([calls, failed]).toEqual([[true, false], []]);
  expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  changes.close();
});

it('are not lost where the frames are merged once more meanwhile', async () => {
  let fails = 0;
  let again: OpenMerge | undefined;
  const { changes, open, failed } = await painted(Infinity, {
    openAgain: async ({ motion }) =>
      (again = await deghoster.open(FRAMES, { align: 'none', response: 'gamma', reference: 1, motion })),
  });
  const update = open.update.bind(open);
  vi.spyOn(open, 'update').mockImplementation((change) =>
    fails-- > 0 ? Promise.reject(new DeviceLostError('the GPU was lost')) : update(change),
  );
  const whole = await expected(open.result);
  for (const [k, line] of LINES.entries()) {
    // The second part finds that the GPU is gone.
    fails = k === 1 ? 1 : 0;
    changes.paint(line);
    await rest(changes);
  }
  changes.lift(false);
  await changes.settled();
  expect(failed).toEqual([]);
  expect(changes.open).toBe(again);
  expect(changes.undoable).toBe(1);
  expect(worst(changes.open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
  const { motion } = await deghoster.merge(FRAMES, { align: 'none', response: 'gamma', reference: 1 });
  changes.undo();
  await changes.settled();
  for (const k of [0, 2]) expect(worst(changes.open.result.motion[k], motion[k])).toBeLessThan(1e-6);
  changes.close();
});

describe('a change that could not be merged', () => {
  /** Over a part of the others. */
  const ERASED: Stroke = { ...LINES[2], fromX: 90, toX: 130, fromY: 20, toY: 32, radius: 8, value: 0, starts: true };
  const lost = (): Error => new DeviceLostError('the GPU was lost');
  let canOpen: boolean;
  /** How many updates fail, and frames that are merged once more. */
  let fails: number;
  let opened: number;

  async function failing(liveMs: number): Promise<Painted> {
    [canOpen, fails, opened] = [false, 0, 0];
    const found = await painted(liveMs, {
      openAgain: async (edited) => {
        if (!canOpen) throw lost();
        opened++;
        return failsSometimes(
          await deghoster.open(FRAMES, { align: 'none', response: 'gamma', reference: 1, ...edited }),
        );
      },
    });
    failsSometimes(found.open);
    return found;
  }

  function failsSometimes(open: OpenMerge): OpenMerge {
    const update = open.update.bind(open);
    vi.spyOn(open, 'update').mockImplementation((change) => (fails-- > 0 ? Promise.reject(lost()) : update(change)));
    return open;
  }

  async function stroke(changes: Changes, lines: readonly Stroke[]): Promise<void> {
    for (const line of lines) changes.paint(line);
    changes.lift(false);
    await changes.settled();
  }

  function over(motion: readonly Float32Array[], lines: readonly Stroke[]): Float32Array[] {
    const maps = motion.map((map) => map.slice());
    for (const line of lines) brush(maps, WHOLE, line, 1);
    return maps;
  }

  function expectMotion(found: readonly Float32Array[], expected: readonly Float32Array[]): void {
    for (const k of [0, 2]) expect(worst(found[k], expected[k])).toBeLessThan(1e-6);
  }

  it.each([
    ['the next one, before it', false],
    ['the frames once more, in its order', true],
  ])('is merged with %s, and undone in its order', async (_, isOpenedAgain) => {
    const { changes, open, failed } = await failing(0);
    const own = open.result.motion.map((map) => map.slice());
    fails = isOpenedAgain ? Infinity : 1;
    await stroke(changes, LINES);
    expect([failed.length, changes.undoable]).toEqual([1, 1]);
    expectMotion(open.result.motion, own);
    // The overlay has it.
    const both = over(over(own, LINES), [ERASED]);
    expect(changes.bytes(WHOLE, 0)).toEqual(Uint8Array.from(over(own, LINES)[0], (w) => Math.round(255 * w)));
    if (isOpenedAgain) {
      await stroke(changes, [ERASED]);
      expect(failed.length).toBe(2);
      expectMotion(open.result.motion, own);
      expectMotion(changes.edited.motion!, both);
      canOpen = true;
      // Whatever is next finds that the merge is gone.
      changes.show({ rect: { x: 300, y: 4, width: 8, height: 8 }, mask: new Uint8Array(64).fill(1) }, 2);
      await changes.settled();
      expect(opened).toBe(1);
      fails = 0;
      changes.undo();
    } else await stroke(changes, [ERASED]);
    await changes.settled();
    expectMotion(changes.open.result.motion, both);
    expectMotion(changes.edited.motion!, both);
    const { radiance } = await deghoster.merge(FRAMES, {
      ...{ align: 'none', response: 'gamma', reference: 1 },
      motion: both,
    });
    expect(worst(changes.open.result.radiance, radiance)).toBeLessThan(1e-5);
    expect(failed.length).toBe(isOpenedAgain ? 2 : 1);
    changes.undo();
    await changes.settled();
    expectMotion(changes.open.result.motion, over(own, LINES));
    changes.undo();
    await changes.settled();
    expectMotion(changes.open.result.motion, own);
    changes.redo();
    changes.redo();
    await changes.settled();
    expectMotion(changes.open.result.motion, both);
    changes.close();
  });

  it.each([
    ['a part of it was merged', Infinity],
    ['nothing of it was', 0],
  ])('is gone when it is undone, where %s, and is done again', async (_, liveMs) => {
    const { changes, open, failed, shown } = await failing(liveMs);
    const { radiance, motion } = open.result;
    const before = [radiance, ...motion].map((one) => one.slice());
    changes.paint(LINES[0]);
    await rest(changes);
    fails = Infinity;
    await stroke(changes, LINES.slice(1));
    expect(failed.length).toBe(1);
    fails = 0;
    shown.length = 0;
    changes.undo();
    await changes.settled();
    // All is well again.
    expect(shown).toEqual([false]);
    expect(changes.edited).toEqual({});
    for (const [k, one] of [radiance, ...motion].entries()) expect(worst(one, before[k])).toBeLessThan(1e-5);
    changes.redo();
    await changes.settled();
    expectMotion(open.result.motion, over(before.slice(1), LINES));
    expect(failed.length).toBe(1);
    changes.close();
  });

  it('is merged with the next one where it is a moment', async () => {
    const { changes, open, failed } = await failing(0);
    const thing = { rect: { x: 20, y: 8, width: 40, height: 30 }, mask: new Uint8Array(1200).fill(1) };
    fails = 1;
    changes.show(thing, 2);
    await changes.settled();
    expect(failed.length).toBe(1);
    changes.show({ ...thing, rect: { ...thing.rect, x: 250 } }, 0);
    await changes.settled();
    const whole = await deghoster.merge(FRAMES, {
      ...{ align: 'none', response: 'gamma', reference: 1 },
      moment: changes.moment,
    });
    expect(worst(open.result.radiance, whole.radiance)).toBeLessThan(1e-5);
    expect(failed.length).toBe(1);
    changes.close();
  });
});
