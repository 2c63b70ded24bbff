/**
 * What the page's worker holds in memory: objects, and the buffers behind arrays.
 *
 * A worker is a target of its own in the DevTools protocol, attached to through the browser's session.
 */
import type { Browser, CDPSession } from 'playwright-core';
import { ownBytes } from './pageHeap.ts';

export interface WorkerHeap {
  /** Bytes of objects. */
  objects: number;
  /** Bytes of the buffers behind arrays: pictures. */
  arrays: number;
}

/** What the worker's own objects take, without compiled code: as `ownHeap` of a page. */
export function ownWorkerHeap(browser: Browser): Promise<number> {
  return attached(browser, async (session, sessionId) => {
    for (let k = 0; k < 2; k++) await ask(session, sessionId, 'HeapProfiler.collectGarbage');
    const pieces: string[] = [];
    const listen = ({ message }: { message: string }): void => {
      const { method, params } = JSON.parse(message) as { method?: string; params?: { chunk: string } };
      if (method === 'HeapProfiler.addHeapSnapshotChunk') pieces.push(params!.chunk);
    };
    session.on('Target.receivedMessageFromTarget', listen);
    await ask(session, sessionId, 'HeapProfiler.takeHeapSnapshot');
    session.off('Target.receivedMessageFromTarget', listen);
    return ownBytes(pieces.join(''));
  });
}

/** Measures after collecting garbage. @param browser with one page that has one worker. */
export function workerHeap(browser: Browser): Promise<WorkerHeap> {
  return attached(browser, async (session, sessionId) => {
    // What a worker has been sent or has finished may be held a moment longer: a second collection finds it.
    for (let i = 0; i < 2; i++) await ask(session, sessionId, 'HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = (await ask(session, sessionId, 'Runtime.getHeapUsage')) as {
      usedSize: number;
      backingStorageSize: number;
    };
    return { objects: usedSize, arrays: backingStorageSize };
  });
}

/** Runs with a session of the worker's. */
async function attached<T>(browser: Browser, work: (session: CDPSession, sessionId: string) => Promise<T>): Promise<T> {
  const session = await browser.newBrowserCDPSession();
  try {
    const { targetInfos } = await session.send('Target.getTargets', { filter: [{ type: 'worker' }] });
    if (targetInfos.length !== 1) throw new Error(`${targetInfos.length} workers, there should be one`);
    const { sessionId } = await session.send('Target.attachToTarget', {
      targetId: targetInfos[0].targetId,
      flatten: false,
    });
    const result = await work(session, sessionId);
    await session.send('Target.detachFromTarget', { sessionId });
    return result;
  } finally {
    await session.detach();
  }
}

let lastId = 0;

/** One command to the worker, and its answer. */
async function ask(session: CDPSession, sessionId: string, method: string): Promise<object> {
  const id = ++lastId;
  const answer = new Promise<object>((resolve, reject) => {
    const listen = ({ message }: { message: string }) => {
      const {
        id: answered,
        result,
        error,
      } = JSON.parse(message) as { id?: number; result?: object; error?: { message: string } };
      if (answered !== id) return;
      session.off('Target.receivedMessageFromTarget', listen);
      if (result) resolve(result);
      else reject(new Error(`${method}: ${error?.message}`));
    };
    session.on('Target.receivedMessageFromTarget', listen);
  });
  await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
  return answer;
}
