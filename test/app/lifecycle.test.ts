/** Merges that end early, many merges in a row, and devices that go away. */
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { servePage } from './served.ts';
import { dropFiles, finished, merge, mergeAndRest, save, settled } from './drive.ts';
import { gpuBytes, loseDevice, watchGpu } from './gpuWatch.ts';
import { pngStack } from './stack.ts';
import { workerHeap } from './workerHeap.ts';
import type { WorkerHeap } from './workerHeap.ts';

const served = servePage();

beforeAll(async () => {
  watchGpu(served.site);
});

/** A page with a stack; larger ones take longer. */
async function loaded(width: number, height: number): Promise<Page> {
  const { page } = await served.open({ align: false });
  await dropFiles(page, pngStack(width, height));
  await settled(page, 3);
  await page.locator('#merge:enabled').waitFor();
  return page;
}

/** Waits until the merge has begun to compute. */
async function computing(page: Page): Promise<void> {
  await page.waitForFunction(() => /%/.test(document.querySelector('#progress-left')?.textContent ?? ''), undefined, {
    timeout: 60_000,
  });
}

/** Changes the middle EV a little, so that the page offers to merge again. */
async function nudge(page: Page, ev: string): Promise<void> {
  await page.locator('#frames-section').evaluate((details) => ((details as HTMLDetailsElement).open = true));
  const input = page.locator('.frame input.ev').last();
  await input.fill(ev);
  await input.blur();
}

describe('a merge in the page', () => {
  it('is cancelled within a moment, frees the GPU, and can be started again', async () => {
    const page = await loaded(256, 192);
    await page.locator('#merge').click();
    await computing(page);
    expect((await gpuBytes(page)).merging).toBeGreaterThan(1e6);
    const asked = Date.now();
    await page.locator('#cancel').click();
    await page.waitForFunction(() => document.body.dataset.state === 'loaded', undefined, { timeout: 20_000 });
    expect(Date.now() - asked).toBeLessThan(10_000);
    expect(await gpuBytes(page)).toMatchObject({ merging: 0, devices: 1 }); // the viewer's
    expect(await page.locator('.notice').count()).toBe(0);
    await merge(page);
    expect((await save(page, 'hdr')).bytes.length).toBeGreaterThan(256 * 192);
    await page.close();
  });

  it('leaves the page responsive, and keeps the screen on', async () => {
    const page = await loaded(192, 128);
    await page.evaluate(() => {
      const calls = ((window as unknown as { calls: string[] }).calls = []) as string[];
      navigator.wakeLock.request = async () => {
        calls.push('request');
        return { release: async () => void calls.push('release') } as WakeLockSentinel;
      };
    });
    // The longest time between two frames of the page during a merge.
    await page.evaluate(() => {
      const gaps = ((window as unknown as { gaps: number[] }).gaps = []) as number[];
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        gaps.push(now - last);
        last = now;
      }, 20);
    });
    await merge(page);
    expect(await page.evaluate(() => (window as unknown as { calls: string[] }).calls)).toEqual(['request', 'release']);
    const gaps = await page.evaluate(() => (window as unknown as { gaps: number[] }).gaps);
    gaps.sort((a, b) => a - b);
    expect(gaps.length).toBeGreaterThan(20);
    expect(gaps[Math.floor(0.99 * gaps.length)]).toBeLessThan(200);
    await page.close();
  });

  it('ten times in a row does not grow memory', async () => {
    const page = await loaded(48, 32);
    const gpu: number[] = [];
    const heap: number[] = [];
    const worker: WorkerHeap[] = [];
    const session = await page.context().newCDPSession(page);
    for (let i = 0; i < 10; i++) {
      if (i > 0) await nudge(page, String(2 + i / 100));
      await mergeAndRest(page);
      const { merging, viewing } = await gpuBytes(page);
      gpu.push(merging + viewing);
      await session.send('HeapProfiler.collectGarbage');
      heap.push((await session.send('Runtime.getHeapUsage')).usedSize);
      worker.push(await workerHeap(served.browser));
    }
    expect(gpu[0]).toBeGreaterThan(0);
    // Two fences of 16 bytes are made when they are first needed, at most.
    expect(Math.max(...gpu) - Math.min(...gpu)).toBeLessThanOrEqual(32);
    // The page's own heap, between the third and the tenth.
    expect(heap[9] - heap[2]).toBeLessThan(1e6);
    // The worker's memory: frames, weights, result and maps, and not one array more than after the third.
    const picture = 48 * 32 * 12;
    expect(worker[0].arrays).toBeGreaterThan(3 * 48 * 32 * 3 + picture);
    expect(worker[9].arrays - worker[2].arrays).toBeLessThan(1024);
    // What runs often is compiled during the first merges, which counts here: from the fifth on.
    expect(worker[9].objects - worker[4].objects).toBeLessThan(3e5);
    await page.close();
  });
});

describe('a lost device', () => {
  it('is opened again once, and the merge goes on', async () => {
    const page = await loaded(96, 64);
    await merge(page);
    const undisturbed = await save(page, 'exr-float');
    await page.locator('#frames-section').evaluate((details) => ((details as HTMLDetailsElement).open = true));
    await page.locator('#clear').click();
    await dropFiles(page, pngStack(96, 64));
    await settled(page, 3);
    await page.locator('#merge:enabled').click();
    await computing(page);
    expect(await loseDevice(page, 'deghost')).toBe(true);
    await finished(page);
    expect(await page.locator('.notice.info').innerText()).toContain('The graphics card was lost, and opened again');
    const { bytes } = await save(page, 'exr-float');
    expect(undisturbed.bytes.equals(bytes)).toBe(true);
    await page.close();
  });

  it('lost a second time is reported with what to do, and the page stays usable', async () => {
    const page = await loaded(96, 64);
    await page.locator('#merge').click();
    await computing(page);
    await loseDevice(page, 'deghost');
    await page.locator('.notice.info').waitFor({ timeout: 30_000 });
    for (let i = 0; i < 100 && !(await loseDevice(page, 'deghost')); i++) await page.waitForTimeout(50);
    await page.locator('.notice.error').waitFor({ timeout: 60_000 });
    expect(await page.locator('.notice.error').innerText()).toContain('The graphics card was lost twice');
    expect(await page.locator('.notice.error').innerText()).toContain('Close other programs');
    await page.locator('.notice.error button').click();
    await merge(page);
    await page.close();
  });

  it('of the viewer is opened again with the picture', async () => {
    const page = await loaded(96, 64);
    await mergeAndRest(page);
    expect(await loseDevice(page, 'viewer')).toBe(true);
    await page.locator('.notice.info').waitFor();
    const box = await page.locator('#view').boundingBox();
    if (!box) throw new Error('the view has no box');
    await page.waitForTimeout(500);
    const shot = await page.screenshot({
      clip: { x: box.x + box.width / 2 - 40, y: box.y + box.height / 2 - 30, width: 80, height: 60 },
    });
    const { entropy } = await (await import('sharp')).default(shot).stats();
    expect(entropy).toBeGreaterThan(2); // not one colour
    await page.close();
  });
});
