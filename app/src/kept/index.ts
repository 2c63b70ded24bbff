/**
 * Keeps the picture that the person works on, so that a page that is loaded again goes on with it: frames, what was
 * chosen, and the result. A chunk of its own. What cannot be kept is told once; the page works on without it.
 */
import type { FromWorker } from '../messages.ts';
import type { FrameRow } from '../ui/frameList.ts';
import { dismiss, notify } from '../ui/notices.ts';
import { words } from '../words/index.ts';
import { readControls } from './controls.ts';
import { KeptFiles } from './files.ts';
import type { KeptHost } from './host.ts';
import { Resume } from './resume.ts';
import type { Chosen, Place } from './resume.ts';
import type { KeptFile, KeptFrame, KeptPicture, Session } from './session.ts';
import { Store, folderOf, hold, ifFree } from './store.ts';
import { isSwitchedOn, rememberSwitch } from './switch.ts';
import { KeptView } from './view.ts';

/** Between a change and its being kept. */
const PATIENCE_MS = 400;

export class Kept {
  readonly #host: KeptHost;
  readonly #view: KeptView;
  #isOn = isSwitchedOn();
  #hasFailed = false;
  #store: Store | undefined;
  /** The session of this page, and what releases its lock. */
  #own: { id: string; release: () => void } | undefined;
  readonly #files: KeptFiles;
  /** Whether it was told that a list is not kept. */
  #isListTooLarge = false;
  #picture: KeptPicture | undefined;
  /** The result that is being written. */
  #writing: { file: string; names: string[] } | undefined;
  /** Whether the picture has changed since it was written. */
  #isStale = false;
  #thumbnail: Blob | undefined;
  readonly #resume: Resume;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(host: KeptHost) {
    this.#host = host;
    this.#files = new KeptFiles(host.send);
    this.#view = new KeptView(
      {
        onContinue: (session) => void this.#continue(session),
        onForget: (session) => this.#do(() => this.#forgetOther(session)),
        onOpenAgain: () => void this.#openAgain(),
        onSwitch: (isOn) => this.#switch(isOn),
      },
      this.#isOn,
    );
    this.#resume = new Resume(host, this.#files, this.#view);
    addEventListener('visibilitychange', () => document.hidden && this.#timer !== undefined && this.#flush());
    // A browser that keeps nothing says so when there is something to keep.
    this.#work = this.#offer().catch(() => undefined);
  }

  /** Whether frames of a session that goes on are still being read. */
  get isResuming(): boolean {
    return this.#resume.isUnderWay;
  }

  /** The result that is kept. */
  get picture(): KeptPicture | undefined {
    return this.#picture;
  }

  /** To be called when anything changes that is kept. */
  changed(): void {
    if (!this.#isOn || this.#hasFailed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), PATIENCE_MS);
  }

  /** To be called with every message of the worker. */
  receive(message: FromWorker): void {
    switch (message.type) {
      case 'looks':
        this.#thumbnail = message.looks.find(({ name }) => name === this.#host.shown().finish.look)?.thumbnail;
        return this.changed();
      case 'merged':
        this.#isStale = false;
        return this.#do(() => this.#keepResult());
      case 'changed':
        this.#isStale = true;
        return this.changed();
      case 'restored':
        return this.#resume.restored();
      case 'restoreFailed':
        this.#resume.isRestoring = false;
        this.#picture = undefined;
        return notify('kept', () => words.kept.notRestored, 'info');
      case 'kept': {
        if (message.name === this.#writing?.file && message.result) {
          const { file, names } = this.#writing;
          this.#writing = undefined;
          // If the picture has changed, the file may hold some of both: the one before stays until the next is there.
          if (!this.#isStale) this.#picture = { ...message.result, file, names, isCurrent: true, isSaved: false };
        }
        this.#files.has(message.name, true);
        return this.changed();
      }
      case 'keepFailed': {
        if (this.#files.has(message.name, false) || message.name === this.#writing?.file) this.#fail('noRoom');
      }
    }
  }

  /**
   * What was chosen, once all frames of a session that goes on are read: exposures are put back. undefined before, and
   * from then on.
   */
  chosen(rows: readonly FrameRow[]): Chosen | undefined {
    return this.#resume.chosen(rows, this.#picture !== undefined);
  }

  /** Forgets the picture of this page; a list of brackets, if there is one, stays. */
  forget(): void {
    if (!this.#host.shown().list) return this.#forgetAll();
    this.#leavePicture();
    this.changed();
  }

  #forgetAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const own = this.#leave();
    if (!own) return;
    // At once: the page may be closed next. A save that waits sees that the session is no longer this page's.
    const removed = this.#store?.remove(own.id);
    removed?.catch(() => undefined);
    this.#do(async () => {
      await removed;
      own.release();
      await this.#offer();
    });
  }

  /** From here on the page has no session. @returns the one that it had. */
  #leave(): { id: string; release: () => void } | undefined {
    const own = this.#own;
    this.#own = undefined;
    this.#leavePicture();
    this.#files.clear();
    return own;
  }

  #leavePicture(): void {
    this.#picture = this.#writing = this.#thumbnail = undefined;
    this.#resume.end();
  }

  /** Does one thing after another. */
  #do(work: () => Promise<unknown>): void {
    this.#work = this.#work.then(async () => {
      try {
        await work();
      } catch (error) {
        this.#fail((error as Error).name === 'QuotaExceededError' ? 'noRoom' : 'noStore');
      }
    });
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#do(() => this.#save());
  }

  /** Told once; from then on nothing more is kept. */
  #fail(why: 'noRoom' | 'noStore' | 'tooLarge'): void {
    if (this.#hasFailed || !this.#isOn) return;
    this.#hasFailed = true;
    notify('kept', () => ({ title: words.kept.failed, text: words.kept[why] }), 'info');
  }

  #switch(isOn: boolean): void {
    this.#isOn = isOn;
    this.#hasFailed = false;
    dismiss('kept');
    rememberSwitch(isOn);
    if (!isOn) return this.#forgetAll();
    if (this.#host.shown().result) this.#do(() => this.#keepResult());
    this.changed();
  }

  /** The session of this page. @throws where the browser keeps nothing. */
  async #session(): Promise<{ store: Store; id: string }> {
    const store = (this.#store ??= await Store.open());
    if (!this.#own) {
      const id = crypto.randomUUID();
      this.#own = { id, release: (await hold(id))! };
      this.#view.offer(undefined);
      // It takes the place of the last; what other tabs have open is theirs.
      for (const other of await store.sessions()) await ifFree(other.id, () => store.remove(other.id));
    }
    return { store, id: this.#own.id };
  }

  async #save(): Promise<void> {
    if (!this.#isOn || this.#hasFailed || this.#resume.isUnderWay) return;
    const before = this.#host.shown();
    const ready = before.rows.filter(({ state }) => state === 'ready');
    const isEmpty = ready.length + this.#resume.missing.length === 0 && !this.#picture && !before.list;
    if (isEmpty || before.rows.some(({ state }) => state === 'loading')) return;
    if (this.#isStale) {
      this.#isStale = false;
      await this.#keepResult();
    }
    const { store, id } = await this.#session();
    let { list } = before;
    let files = [...ready, ...(list?.files ?? [])].map(({ file }) => file);
    let described = await this.#files.describe(id, files);
    if (!described && list) {
      if (!this.#isListTooLarge) notify('kept', () => words.kept.listTooLarge, 'info');
      this.#isListTooLarge = true;
      list = undefined;
      files = ready.map(({ file }) => file);
      if (files.length === 0) return;
      described = await this.#files.describe(id, files);
    }
    if (!described) return this.#fail('tooLarge');
    const about = (file: Blob): Omit<KeptFile, 'name'> => described.get(file)!;
    // What has changed meanwhile comes with the next change.
    const { referenceId, referenceChosen, result, finish, crop } = before;
    const [first] = [
      ...(result?.names ?? []),
      ...ready.map(({ name }) => name),
      ...this.#resume.missing.map(({ name }) => name),
      list?.folder ?? list?.files[0].name.replace(/^.*\//, '') ?? '',
    ];
    const frames = ready.map((row): KeptFrame => {
      const { name, file, ev, typed, estimated } = row;
      return { ...about(file), name, ev, typed, estimated, isReference: row.id === referenceId };
    });
    if (this.#picture && result) {
      // As long as frames are missing, the page cannot know.
      const isCurrent = result.isCurrent || (this.#resume.missing.length > 0 && this.#picture.isCurrent);
      const { isSaved } = result;
      this.#picture = { ...this.#picture, isCurrent, isSaved };
    }
    const picture = this.#picture;
    if (this.#own?.id !== id) return;
    await store.put({
      id,
      changed: Date.now(),
      name: first.replace(/\.\w+$/, ''),
      frames: [...frames, ...this.#resume.missing],
      list: list && {
        files: list.files.map(({ name, file }) => ({ ...about(file), name })),
        folder: list.folder,
        frames: list.frames,
        saved: list.saved,
      },
      referenceChosen,
      controls: readControls(),
      finish,
      crop,
      thumbnail: this.#thumbnail,
      picture,
    });
    const copies = [...this.#files.copiesOf(files), ...this.#resume.missing.map(({ copy }) => copy)];
    // The record's result, and one that was written since.
    const used = [...copies, picture?.file, this.#picture?.file, this.#writing?.file];
    await store.keepOnly(
      id,
      used.filter((name) => name !== undefined),
    );
  }

  async #keepResult(): Promise<void> {
    if (!this.#isOn || this.#hasFailed) return;
    const { id } = await this.#session();
    const { result } = this.#host.shown();
    if (!result) return;
    const file = this.#files.newName('result');
    this.#writing = { file, names: result.names };
    this.#host.send({ type: 'keep', folder: folderOf(id), name: file });
  }

  /** Offers the latest session that no other tab has open. */
  async #offer(): Promise<void> {
    const store = (this.#store ??= await Store.open());
    await store.sweep();
    const sessions = await store.sessions();
    let free = await firstFree(sessions);
    if (!free && sessions.length > 0) {
      // The page that is loaded again may not be gone completely.
      await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
      free = await firstFree(sessions);
    }
    this.#view.offer(this.#own ? undefined : free);
  }

  async #forgetOther({ id }: Session): Promise<void> {
    await ifFree(id, async () => this.#store?.remove(id));
    await this.#offer();
  }

  async #continue(session: Session): Promise<void> {
    this.#view.offer(undefined);
    const release = await hold(session.id).catch(() => undefined);
    if (!release) {
      notify('kept', () => words.kept.elsewhere, 'info');
      return this.#do(() => this.#offer());
    }
    dismiss('kept');
    this.#own = { id: session.id, release };
    const { picture } = session;
    this.#picture = picture;
    this.#thumbnail = session.thumbnail;
    const resume = this.#resume;
    resume.begin(session);
    const place = this.#place()!;
    const hasList = await resume.openList(place, session);
    if (!place.isOurs()) return;
    resume.isRestoring = picture !== undefined;
    if (picture) this.#host.send({ type: 'restore', folder: folderOf(session.id), name: picture.file, kept: picture });
    await resume.openMissing(place, true);
    if (picture || hasList || resume.missing.length < session.frames.length || !place.isOurs())
      return this.#host.update();
    // There is nothing to show: it can be tried again.
    const names = [...resume.missing, ...(session.list?.files ?? [])].map(({ name }) => name).join(', ');
    const { lack } = resume;
    notify('kept', () => ({ title: words.kept.notOpened, text: words.kept[lack](names) }), 'info');
    this.#leave();
    release();
    this.#do(() => this.#offer());
  }

  /** Opens the frames that are missing; the person may be asked. */
  async #openAgain(): Promise<void> {
    const place = this.#place();
    if (place) await this.#resume.openMissing(place, true);
    this.#host.update();
  }

  /** Where the photos of this page's session are; undefined without one. */
  #place(): Place | undefined {
    const [own, store] = [this.#own, this.#store];
    return own && store && { store, id: own.id, isOurs: () => this.#own === own };
  }
}

async function firstFree(sessions: readonly Session[]): Promise<Session | undefined> {
  for (const session of sessions) if (await ifFree(session.id, async () => undefined)) return session;
  return undefined;
}
