/** A session that goes on: opens its photos again, and puts back what was chosen for them. */
import type { Crop } from '../../../src/finish/pictures.ts';
import type { NamedFile } from '../messages.ts';
import type { FrameRow } from '../ui/frameList.ts';
import { notify } from '../ui/notices.ts';
import { words } from '../words/index.ts';
import { writeControls } from './controls.ts';
import type { KeptFiles } from './files.ts';
import type { KeptHost } from './host.ts';
import type { KeptFrame, Session } from './session.ts';
import type { Store } from './store.ts';
import type { KeptView } from './view.ts';

/** What was chosen for the frames of a session that goes on. */
export interface Chosen {
  referenceId: number | undefined;
  referenceChosen: boolean;
  /** Whether the result was made from these frames and settings. */
  isCurrent: boolean;
}

/** Where a session's photos are, and whether the page still works on it. */
export interface Place {
  store: Store;
  id: string;
  isOurs(): boolean;
}

export class Resume {
  readonly #host: KeptHost;
  readonly #files: KeptFiles;
  readonly #view: KeptView;
  /** The session that goes on: its frames by the page's ids, once they are added. */
  #resuming: { session: Session; frames?: Map<number, KeptFrame> } | undefined;
  #missing: readonly KeptFrame[] = [];
  /** Whether some of them wait for the person's permission. */
  #isLocked = false;
  #isListLocked = false;
  /** Of a result that is restored. */
  #crop: Crop | undefined;
  /** Whether the worker is reading the result. */
  isRestoring = false;

  constructor(host: KeptHost, files: KeptFiles, view: KeptView) {
    [this.#host, this.#files, this.#view] = [host, files, view];
  }

  /** Whether frames are still being read. */
  get isUnderWay(): boolean {
    return this.#resuming !== undefined;
  }

  /** Frames of the session that could not be opened. */
  get missing(): readonly KeptFrame[] {
    return this.#missing;
  }

  /** What photos lack that could not be opened: a permission, or they are gone. */
  get lack(): 'locked' | 'gone' {
    return this.#isLocked || this.#isListLocked ? 'locked' : 'gone';
  }

  /** Puts back what was chosen for the whole session. Its photos are to be opened next. */
  begin(session: Session): void {
    this.#resuming = { session };
    this.#crop = session.crop;
    this.#missing = session.frames;
    writeControls(session.controls);
    this.#host.setFinish(session.finish);
  }

  /** The result is read. */
  restored(): void {
    this.isRestoring = false;
    // The page shows the result first.
    queueMicrotask(() => this.#host.setCrop(this.#crop));
  }

  /** The session is no longer the page's. */
  end(): void {
    this.#resuming = undefined;
    this.#missing = [];
    this.#view.showMissing([], false);
  }

  /**
   * What was chosen, once all frames are read: exposures are put back. undefined before, and from then on.
   * @param hasPicture whether the session has a result.
   */
  chosen(rows: readonly FrameRow[], hasPicture: boolean): Chosen | undefined {
    const { session, frames } = this.#resuming ?? {};
    if (!session || !frames || this.isRestoring || rows.some(({ state }) => state === 'loading')) return undefined;
    this.#resuming = undefined;
    let referenceId: number | undefined;
    let isWhole = this.#missing.length === 0;
    for (const [id, { ev, typed, estimated, isReference, size, modified }] of frames) {
      const row = rows.find((row) => row.id === id && row.state === 'ready');
      if (!row) {
        isWhole = false;
        continue;
      }
      Object.assign(row, { ev, typed, estimated });
      if (isReference) referenceId = id;
      const { size: sizeNow, lastModified } = row.file as File;
      isWhole &&= sizeNow === size && (modified === undefined || lastModified === modified);
    }
    if (hasPicture) queueMicrotask(() => this.#host.comparePlain(isWhole));
    return {
      referenceId,
      referenceChosen: session.referenceChosen,
      isCurrent: isWhole && session.picture?.isCurrent === true,
    };
  }

  /** Opens the photos of a list, as far as that goes, and plans their brackets. @returns whether there are any. */
  async openList({ store, id, isOurs }: Place, { list, frames }: Session): Promise<boolean> {
    if (!list) return false;
    const files: NamedFile[] = [];
    const gone: string[] = [];
    let isLocked = false;
    for (const kept of list.files)
      try {
        files.push({ name: kept.name, file: await this.#files.open(store, id, kept, true) });
      } catch (error) {
        gone.push(kept.name);
        isLocked ||= (error as Error).name === 'NotAllowedError';
      }
    this.#isListLocked = files.length === 0 && isLocked;
    if (files.length === 0 || !isOurs()) return false;
    const { folder, saved } = list;
    const shown = { files, ...(folder !== undefined && { folder }), frames: list.frames, saved };
    await this.#host.restoreList(
      shown,
      frames.map(({ name }) => name),
    );
    if (gone.length > 0)
      notify('kept', () => ({ title: words.kept.notOpened, text: words.kept.gone(gone.join(', ')) }));
    return true;
  }

  /** Opens the frames that are missing, as far as that goes. @param asks whether the person may be asked. */
  async openMissing({ store, id, isOurs }: Place, asks: boolean): Promise<void> {
    const opened: { frame: KeptFrame; file: File }[] = [];
    const missing: KeptFrame[] = [];
    this.#isLocked = false;
    for (const frame of this.#missing)
      try {
        opened.push({ frame, file: await this.#files.open(store, id, frame, asks) });
      } catch (error) {
        missing.push(frame);
        this.#isLocked ||= (error as Error).name === 'NotAllowedError';
      }
    // Forgotten meanwhile.
    if (!isOurs()) return;
    this.#missing = missing;
    this.#view.showMissing(
      missing.map(({ name }) => name),
      this.#isLocked,
    );
    const session = this.#resuming?.session ?? (await store.sessions()).find((one) => one.id === id);
    if (!session) return;
    const ids = this.#host.add(opened.map(({ frame: { name }, file }) => ({ name, file })));
    this.#resuming = { session, frames: new Map(ids.map((id, k) => [id, opened[k].frame])) };
  }
}
