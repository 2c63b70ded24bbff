/** The result that is open, and what is seen of it: the picture on the canvas, its finish, and the motion overlay. */
import type { ChangedPart, OpenMerge } from '../../../src/moment/openMerge.ts';
import type { Finish, FromWorker, ResultInfo, ToWorker, View } from '../messages.ts';
import type { Changes, ChangesEvents, Edited } from './changes.ts';
import { developed } from './developed.ts';
import { failureOf } from './failure.ts';
import { DEFAULT_LOOK, Finishing } from './finishing.ts';
import { cut, seenMotion } from './maps.ts';
import type { MergeOutcome, MergeRequest } from './mergeFrames.ts';
import { Viewer } from './viewer.ts';
import type { Rect } from './viewer.ts';

export interface Result {
  merged: MergeOutcome['merged'];
  /** Undefined for one that was restored: it must be merged again before it can be changed. */
  changes: Changes | undefined;
  /** Motion maps as merged and changed. */
  maps: readonly Float32Array[];
  /** The radiance that is shown: in the working space. */
  shown: Float32Array;
  /** What was changed in one that was restored. */
  edited?: Edited;
  /** What the result was made from, for the plain merge; undefined for one that was restored, without its frames. */
  request: MergeRequest | undefined;
  info: ResultInfo;
}

/** Most milliseconds that a part of a stroke may take to be merged while the brush paints. */
const LIVE_MS = 300;

export class Showing {
  readonly #canvas: OffscreenCanvas;
  readonly #tell: (message: FromWorker) => void;
  readonly #onRecovered: () => void;
  #result: Result | undefined;
  #viewer: Viewer | undefined;
  /** Counts the pictures that were shown: another result, or a change of it. */
  #edition = 0;
  #losses = 0;
  #view: View | undefined;
  #shownMotion: View['motionOf'] | undefined;
  #display: Extract<ToWorker, { type: 'display' }>['display'];
  #finishing: Finishing | undefined;
  #bright = false;
  /** What the person chose; a new result begins with its look. */
  finish: Finish = { look: DEFAULT_LOOK };
  /** Whether the CPU does the adapter's work. */
  isSoftware = true;
  /** Rows that the finish has not seen yet. */
  #unfinished: { top: number; bottom: number } | undefined;

  /** @param onRecovered called when the result is shown again, with another device. */
  constructor(
    { canvas, display }: Extract<ToWorker, { type: 'start' }>,
    tell: (message: FromWorker) => void,
    onRecovered: () => void,
  ) {
    this.#canvas = canvas;
    this.#display = display;
    this.#tell = tell;
    this.#onRecovered = onRecovered;
  }

  get result(): Result | undefined {
    return this.#result;
  }

  /** Undefined where nothing can be drawn. */
  get viewer(): Viewer | undefined {
    return this.#viewer;
  }

  get edition(): number {
    return this.#edition;
  }

  get finishing(): Finishing | undefined {
    return this.#finishing;
  }

  /** @returns whether this browser can show light above white. @throws NoAdapterError; GpuError. */
  async open(): Promise<boolean> {
    this.#viewer = await this.#openViewer();
    return this.#viewer.setDisplay(this.#display);
  }

  /** Shows another result. What cannot be shown can still be saved. */
  async set(result: Result): Promise<void> {
    this.#result = result;
    this.#edition++;
    this.#unfinished = undefined;
    this.#losses = 0;
    await this.#show().catch((error: unknown) => this.failed(error));
  }

  /** Forgets the result. */
  forget(): void {
    this.#result?.changes?.close();
    this.#result = undefined;
  }

  /** Forgets the result, and what was chosen for it. */
  clear(): void {
    this.forget();
    this.finish = { look: DEFAULT_LOOK };
    this.#closeFinishing();
  }

  /**
   * What a person changes in a merge, shown as it is made.
   * @param ChangesClass from later.ts.
   * @param edited what had been changed before it was merged.
   * @param openAgain merges the frames of this result once more, with what is changed.
   */
  changesOf(
    ChangesClass: typeof Changes,
    open: OpenMerge,
    edited: Edited,
    openAgain: (edited: Edited) => Promise<OpenMerge>,
  ): Changes {
    const events: ChangesEvents = {
      openAgain: async (edited) => {
        const again = await openAgain(edited);
        if (this.#result?.changes === changes) await this.#replace(this.#result, again);
        return again;
      },
      changed: (parts, isUnderBrush) => this.#showParts(changes, parts, isUnderBrush),
      painted: (rect) => this.#refreshMotion([rect]),
      tell: () => this.tellEdits(),
      failed: (error) => this.#tell({ type: 'changeFailed', failure: failureOf(error) }),
    };
    const changes: Changes = new ChangesClass(open, edited, events, this.isSoftware ? 0 : LIVE_MS);
    return changes;
  }

  tellEdits(): void {
    if (!this.#result) return;
    const { changes } = this.#result;
    const { undoable = 0, redoable = 0, differs = false, isBusy = false, isLive = false } = changes ?? {};
    const canChange = changes !== undefined;
    // What follows the brush needs no waiting for.
    this.#tell({ type: 'edits', edits: { undoable, redoable, differs, isBusy: isBusy && !isLive, canChange } });
  }

  resize(width: number, height: number): void {
    this.#viewer?.resize(width, height);
  }

  setDisplay(display: Extract<ToWorker, { type: 'display' }>['display']): void {
    this.#display = display;
    this.#viewer?.setDisplay(display);
  }

  setView(view: View): void {
    this.#view = view;
    if (this.#result && view.motionOf !== this.#shownMotion) {
      this.#shownMotion = view.motionOf;
      const { width, height } = this.#result.merged;
      this.#refreshMotion([{ x: 0, y: 0, width, height }]);
    }
    this.#viewer?.show(view);
  }

  setFinish({ finish, bright }: Extract<ToWorker, { type: 'finish' }>): void {
    this.finish = finish;
    this.#bright = bright;
    this.#showFinish();
  }

  failed(error: unknown): void {
    this.#tell({ type: 'viewFailed', failure: failureOf(error) });
  }

  async #openViewer(): Promise<Viewer> {
    const opened = await Viewer.create(this.#canvas, () => void this.#recover());
    opened.setDisplay(this.#display);
    return opened;
  }

  /** The viewer's device was lost: opens another, once, with the result that is still here. */
  async #recover(): Promise<void> {
    this.#viewer = undefined;
    this.#closeFinishing();
    try {
      if (++this.#losses > 1) throw new Error('the GPU was lost again');
      this.#viewer = await this.#openViewer();
      if (!this.#result) return;
      await this.#show();
      this.#tell({ type: 'recovered', what: 'view' });
      this.#onRecovered();
    } catch (error) {
      this.#tell({ type: 'viewFailed', failure: { ...failureOf(error), kind: 'device-lost' } });
    }
  }

  /** The same picture, merged once more: shown anew, because what showed it reads the pixels of the one before. */
  async #replace(result: Result, { result: { radiance, motion } }: OpenMerge): Promise<void> {
    result.merged = { ...result.merged, radiance };
    Object.assign(result, { maps: motion, shown: await developed(result.merged) });
    await this.#show().catch((error: unknown) => this.failed(error));
    this.#onRecovered();
  }

  async #show(): Promise<void> {
    if (!this.#result) return;
    const { merged, shown } = this.#result;
    this.#closeFinishing();
    const viewer = (this.#viewer ??= await this.#openViewer()); // after a second loss
    const picture = { ...merged, radiance: shown };
    await viewer.setPicture(picture);
    this.#finishing = await Finishing.create(viewer, picture, this.#tell, (error) => this.failed(error));
    this.#showFinish();
    void this.#finishing.offerLooks();
    this.#shownMotion = undefined;
    if (this.#view) this.setView(this.#view);
  }

  /** Brings parts of the motion overlay up to date. */
  #refreshMotion(rects: readonly Rect[]): void {
    const motionOf = this.#shownMotion;
    if (!this.#result || motionOf === undefined) return;
    const { changes, maps, merged } = this.#result;
    for (const rect of rects) {
      const bytes = changes
        ? changes.bytes(rect, motionOf)
        : seenMotion(
            maps.map((map) => cut(map, merged.width, rect)),
            merged.reference,
            motionOf,
          );
      this.#viewer?.setMotion(bytes, rect).catch((error: unknown) => this.failed(error));
    }
  }

  /**
   * Shows parts of the picture that have changed. The finish reads the whole picture, so it follows at the end of a
   * stroke.
   */
  async #showParts(changes: Changes, parts: readonly ChangedPart[], isUnderBrush: boolean): Promise<void> {
    if (this.#result?.changes !== changes) return;
    this.#edition++;
    const { merged, shown } = this.#result;
    for (const { x, y, width, height, radiance } of parts) {
      if (shown !== merged.radiance) {
        const rgb = await developed({ ...merged, radiance });
        for (let row = 0; row < height; row++)
          shown.set(rgb.subarray(3 * row * width, 3 * (row + 1) * width), 3 * ((y + row) * merged.width + x));
      }
      await this.#viewer?.setPart(shown, { x, y, width, height }, merged.scale);
      const { top, bottom } = this.#unfinished ?? { top: y, bottom: y };
      this.#unfinished = { top: Math.min(top, y), bottom: Math.max(bottom, y + height) };
    }
    this.#refreshMotion(parts);
    if (!isUnderBrush && this.#unfinished) {
      const { top, bottom } = this.#unfinished;
      this.#unfinished = undefined;
      await this.#finishing?.refresh({ top, height: bottom - top });
    }
    this.#tell({ type: 'changed' });
  }

  #showFinish(): void {
    const finishing = this.#finishing;
    void finishing?.show(finishing.settingsOf(this.finish), this.#bright);
  }

  #closeFinishing(): void {
    // Before its buffers go.
    this.#viewer?.clear();
    this.#finishing?.close();
    this.#finishing = undefined;
  }
}
