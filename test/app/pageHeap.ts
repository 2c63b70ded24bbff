/**
 * What the page's own objects take.
 *
 * `Runtime.getHeapUsage` also counts compiled code, which grows while the browser optimizes what runs often: over eight
 * merges by 130 kB, the page's own objects by 2 kB. A snapshot tells them apart, and from the browser's own objects:
 * entries of its performance timeline (long frames, events, layout shifts), which it keeps up to a limit of each kind.
 */
import type { CDPSession } from 'playwright-core';

/** Kinds of a snapshot's nodes that no page's program makes. */
const NOT_OURS = new Set(['code', 'native', 'hidden', 'synthetic']);

interface Snapshot {
  snapshot: { meta: { node_fields: string[]; node_types: [string[], ...unknown[]] } };
  nodes: number[];
}

/** Bytes of objects, arrays, texts and closures, after collecting garbage. */
export async function ownHeap(session: CDPSession): Promise<number> {
  const pieces: string[] = [];
  const listen = ({ chunk }: { chunk: string }): void => void pieces.push(chunk);
  session.on('HeapProfiler.addHeapSnapshotChunk', listen);
  for (let k = 0; k < 2; k++) await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  session.off('HeapProfiler.addHeapSnapshotChunk', listen);
  return ownBytes(pieces.join(''));
}

/** The same of a snapshot. */
export function ownBytes(text: string): number {
  const { snapshot, nodes } = JSON.parse(text) as Snapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, size] = [fields.indexOf('type'), fields.indexOf('self_size')];
  let sum = 0;
  for (let i = 0; i < nodes.length; i += fields.length)
    if (!NOT_OURS.has(types[0][nodes[i + type]])) sum += nodes[i + size];
  return sum;
}
