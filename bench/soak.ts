/**
 * `npm run soak`: many merges one after another, in this process and in a page, and what memory and handles do
 * meanwhile. Exit code 0: flat within 2 % after the first fifth; 1: something grows.
 *
 * Options: --merges N in Node (1000 by default), --page N in Chromium (100 by default), 0 for none.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Browser, CDPSession } from 'playwright-core';
import { Deghoster } from '../src/index.ts';
import { adapterChoice, requestAdapter } from '../src/node/adapter.ts';
import { columns } from '../src/node/cli/columns.ts';
import { openWithMatrices } from '../src/node/matrices.ts';
import { launchBrowser } from '../test/app/browser.ts';
import { dropFiles, mergeAndRest, openPage, settled } from '../test/app/drive.ts';
import { ownHeap } from '../test/app/pageHeap.ts';
import { serveSite } from '../test/app/site.ts';
import { pngStack } from '../test/app/stack.ts';
import { ownWorkerHeap, workerHeap } from '../test/app/workerHeap.ts';
import { liveObjects } from '../test/liveObjects.ts';
import { eightBit } from '../test/reference/frames.ts';

/** Measured values by name, in order of time. */
type Samples = Record<string, number[]>;

const MIB = 2 ** 20;
const SAMPLES = 20;
/** Of which the first warm up: caches fill, code is compiled. */
const WARMING = SAMPLES / 5;
const MOST_GROWTH = 0.02;

/** What grows: the mean of the last fifth against that of the fifth after warming up. */
function growthOf(values: readonly number[]): number {
  const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0) / part.length;
  return mean(values.slice(-WARMING)) / mean(values.slice(WARMING, 2 * WARMING)) - 1;
}

/** Prints samples. @returns whether all but some are flat. */
function report(title: string, samples: Samples, others: readonly string[] = []): boolean {
  const rows = Object.entries(samples).map(([name, values]) => {
    const growth = growthOf(values);
    const isJudged = !others.includes(name);
    const verdict = isJudged ? (growth <= MOST_GROWTH ? 'flat' : 'GROWS') : 'not ours alone';
    return [
      name,
      ...[0, WARMING, SAMPLES / 2, SAMPLES - 1].map((i) => values[i].toFixed(2)),
      `${(100 * growth).toFixed(1)} %`,
      verdict,
    ];
  });
  const lines = columns([['', 'first', 'warm', 'middle', 'last', 'growth', ''], ...rows], (column) => column === 0);
  console.log(`\n${title}\n${lines.join('\n')}`);
  return rows.every((row) => row.at(-1) !== 'GROWS');
}

function add(samples: Samples, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) (samples[name] ??= []).push(value);
}

/** Open files of this process, where the system tells. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Bytes that a process has in memory. */
function residentBytes(pid: number): number {
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  } catch {
    return 0;
  }
}

async function inNode(count: number): Promise<boolean> {
  const { adapter, info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  const device = await openWithMatrices(adapter);
  const { labels } = liveObjects(device);
  const weights = readFileSync(new URL('../test/goldens/fixed-halo.weights.safetensors', import.meta.url));
  const deghoster = await Deghoster.create({ device, weights });
  const frames = eightBit(64, 48, [1, 4, 16]);
  const samples: Samples = {};
  for (let i = 1; i <= count; i++) {
    await deghoster.merge(frames, { align: i % 4 === 0 ? 'auto' : 'none', method: i % 2 === 0 ? 'merge' : 'network' });
    if (i % Math.max(1, Math.floor(count / SAMPLES)) !== 0 || (samples.resident?.length ?? 0) >= SAMPLES) continue;
    for (let k = 0; k < 2; k++) globalThis.gc!();
    const { rss, heapUsed, external } = process.memoryUsage();
    add(samples, {
      'resident, MiB': rss / MIB,
      'heap, MiB': heapUsed / MIB,
      'external, MiB': external / MIB,
      'GPU objects': labels().length,
      'open files': openFiles(),
      'active handles': process.getActiveResourcesInfo().length + 1,
    });
    process.stderr.write(`\rNode: ${i} of ${count} merges `);
  }
  process.stderr.write('\n');
  deghoster.dispose();
  const isEmpty = labels().length === 0;
  device.destroy();
  const isFlat = report(`${count} merges in Node, on ${info.name}`, samples);
  if (!isEmpty) console.log('objects are left on the device');
  return isFlat && isEmpty;
}

/** Memory of the browser's processes by their kind. */
async function processBytes(browser: Browser): Promise<Record<string, number>> {
  const session: CDPSession = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const bytes = (type: string): number =>
    processInfo.filter((one) => one.type === type).reduce((sum, { id }) => sum + residentBytes(id), 0);
  return { 'renderer process, MiB': bytes('renderer') / MIB, 'GPU process, MiB': bytes('GPU') / MIB };
}

async function inPage(count: number): Promise<boolean> {
  const [browser, site] = await Promise.all([launchBrowser(), serveSite()]);
  const { page } = await openPage(browser, site, { align: false });
  await dropFiles(page, pngStack(48, 32));
  await settled(page, 3);
  const session = await page.context().newCDPSession(page);
  const samples: Samples = {};
  for (let i = 1; i <= count; i++) {
    if (i > 1) {
      // Another exposure, so that the page offers to merge again.
      await page.locator('#frames-section').evaluate((details) => ((details as HTMLDetailsElement).open = true));
      const ev = page.locator('.frame input.ev').last();
      await ev.fill(String(2 + (i % 5) / 100));
      await ev.blur();
    }
    await mergeAndRest(page);
    if (i % Math.max(1, Math.floor(count / SAMPLES)) !== 0) continue;
    const own = await ownHeap(session);
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    const worker = await workerHeap(browser);
    add(samples, {
      'page objects, MiB': own / MIB,
      'with code, MiB': usedSize / MIB,
      'worker objects, MiB': (await ownWorkerHeap(browser)) / MIB,
      'worker with code, MiB': worker.objects / MIB,
      'worker arrays, MiB': worker.arrays / MIB,
      'DOM nodes': nodes,
      listeners: jsEventListeners,
      ...(await processBytes(browser)),
    });
    process.stderr.write(`\rpage: ${i} of ${count} merges `);
  }
  process.stderr.write('\n');
  await browser.close();
  await site.close();
  return report(`${count} merges in a page`, samples, [
    'with code, MiB',
    'worker with code, MiB',
    'renderer process, MiB',
    'GPU process, MiB',
  ]);
}

const { values } = parseArgs({
  options: { merges: { type: 'string', default: '1000' }, page: { type: 'string', default: '100' } },
});
const [merges, pages] = [Number(values.merges), Number(values.page)];
for (const [name, count] of [
  ['--merges', merges],
  ['--page', pages],
] as const)
  if (count !== 0 && !(count >= SAMPLES)) throw new Error(`${name} is ${count}: 0, or at least ${SAMPLES}`);
const flat = [merges === 0 || (await inNode(merges)), pages === 0 || (await inPage(pages))];
process.exit(flat.every(Boolean) ? 0 : 1);
