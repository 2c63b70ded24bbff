/** The things that move, one after another: each as it was in every frame, and which frame's moment of it is shown. */
import type { FromWorker, ToWorker } from '../messages.ts';
import type { Changes } from './changes.ts';
import type { Showing } from './showing.ts';
import type { Point, Thing } from './things.ts';
import type { Rect } from './viewer.ts';

/** Code that nothing needs before something is merged: fetched behind the weights. */
export async function loadLook() {
  const [{ thingAt, thingsIn }, { cropAround, crops }] = await Promise.all([
    import('./things.ts'),
    import('./loupe.ts'),
  ]);
  return { thingAt, thingsIn, cropAround, crops };
}

export class Looking {
  readonly #showing: Showing;
  readonly #tell: (message: FromWorker) => void;
  /** The thing that was looked at last, and where. */
  #thing: Thing | undefined;
  #lookedAt: Point = { x: 0, y: 0 };
  #things: { points: Point[]; next: number } = { points: [], next: -1 };

  constructor(showing: Showing, tell: (message: FromWorker) => void) {
    this.#showing = showing;
    this.#tell = tell;
  }

  /** To be called with another result. */
  forget(): void {
    this.#thing = undefined;
    this.#things = { points: [], next: -1 };
  }

  /** Shows a thing as it was in each frame. */
  async look({ at, grow }: Extract<ToWorker, { type: 'look' }>): Promise<void> {
    const { result: looking, viewer } = this.#showing;
    if (!looking?.changes || !viewer) return this.#tell({ type: 'look' });
    const { changes, merged } = looking;
    const { reference } = merged;
    const { thingAt, thingsIn, cropAround, crops } = await loadLook();
    await changes.settled();
    const union = changes.open.result.motion[reference];
    if (at === 'same') {
      // The region of the thing becomes larger or smaller.
    } else if ('step' in at) {
      if (this.#things.next < 0) this.#things = { points: thingsIn(union, merged), next: 0 };
      else this.#things.next += at.step;
      const { points, next } = this.#things;
      if (points.length > 0) this.#lookedAt = points[((next % points.length) + points.length) % points.length];
    } else this.#lookedAt = at;
    const found = thingAt(union, changes.moment, merged, this.#lookedAt, grow);
    const { finishing, finish } = this.#showing;
    if (!found || !finishing) return this.#tell({ type: 'look' });
    const area = cropAround(found.rect, merged);
    const { result } = changes.open;
    const open = { result, view: (frame: number, region: Rect) => changes.view(frame, region) };
    const images = await crops(open, merged, area, finishing.settingsOf(finish), viewer.device);
    if (this.#showing.result !== looking) return;
    this.#thing = found;
    const shown = momentOf(changes, found, reference);
    this.#tell({ type: 'look', thing: { ...found.rect, crops: images, shown, grow } });
  }

  /** Shows a frame's moment of the thing that was looked at last. */
  choose(frame: number): void {
    const { result } = this.#showing;
    if (this.#thing) result?.changes?.show(this.#thing, frame === result.merged.reference ? 255 : frame);
  }
}

/** The frame whose moment a thing shows; undefined for several. */
function momentOf({ moment, open }: Changes, { rect, mask }: Thing, reference: number): number | undefined {
  const found = new Set<number>();
  mask.forEach((isPart, i) => {
    const at = (rect.y + Math.floor(i / rect.width)) * open.result.width + rect.x + (i % rect.width);
    if (isPart) found.add(moment[at]);
  });
  const [only] = found;
  return found.size > 1 ? undefined : only === 255 ? reference : only;
}
