/**
 * The page as a program that is installed: its service worker (../serviceWorker.ts), photos that come from other
 * programs, and word of a new version. A chunk of its own.
 */
import { byId, make } from '../ui/dom.ts';
import { dismiss, notify } from '../ui/notices.ts';
import type { Picked } from '../ui/pickFiles.ts';
import { named } from '../ui/pickFiles.ts';
import { say, words } from '../words/index.ts';
import { launched, sharedFiles } from './received.ts';

export interface OfflineHost {
  /** Takes photos as if they had been picked. */
  take(picked: Picked): void;
  /** Whether there is work that another load could disturb, or a result that is not saved. */
  isOccupied(): boolean;
}

export class Offline {
  readonly #host: OfflineHost;
  #isNew = false;

  constructor(host: OfflineHost) {
    this.#host = host;
    launched((picked) => host.take(named(picked)));
    void this.#takeShared();
  }

  /** Registers the service worker. To be called when the page has fetched what it needs. */
  async register(): Promise<void> {
    // Absent in some private windows. In development files change all the time.
    const container = import.meta.hot ? undefined : navigator.serviceWorker;
    if (!container) return;
    const isFirst = container.controller === null;
    let isClaimed = !isFirst;
    container.addEventListener('controllerchange', () => {
      this.#isNew ||= isClaimed;
      isClaimed = true;
      this.update();
    });
    try {
      await container.register('./serviceWorker.js');
      (await container.ready).active?.postMessage('keep');
    } catch {
      // Without it the page needs a network, as before.
    }
  }

  /** Tells of a new version, while nothing would be lost. */
  update(): void {
    if (!this.#isNew) return;
    if (this.#host.isOccupied()) return dismiss('version');
    const notices = byId('notices', HTMLDivElement);
    if (notices.querySelector('[data-key=version]')) return;
    notify('version', () => words.offline.newer, 'info');
    const reload = make('button', { type: 'button', onclick: () => location.reload() });
    say(reload, () => words.offline.reload);
    notices.querySelector('[data-key=version] > div')!.append(reload);
  }

  async #takeShared(): Promise<void> {
    if (!new URLSearchParams(location.search).has('shared')) return;
    history.replaceState(null, '', location.pathname);
    const files = await sharedFiles().catch(() => []);
    if (files.length > 0) this.#host.take(named({ files }));
    else notify('shared', () => words.offline.notShared, 'warning');
  }
}
