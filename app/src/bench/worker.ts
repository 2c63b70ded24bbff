/** The bench's worker: opens the GPU, measures it, and tells what it finds as it is found. */
import { EXTENTS } from '../../../bench/extent.ts';
import { GOLDENS } from '../../../bench/goldenNames.ts';
import { measure, nothingMeasured } from '../../../bench/measure.ts';
import type { Report } from '../../../bench/report.ts';
import { isSoftware, openDevice } from '../../../src/device.ts';
import { CancelledError, InputError, NoAdapterError } from '../../../src/errors.ts';
import { goldenFiles, parseGolden } from '../../../test/reference/golden.ts';
import type { Golden } from '../../../test/reference/golden.ts';
import { failureOf } from '../worker/failure.ts';
import { adapterText, browserText } from './browserText.ts';
import type { ExtentChoice, FromWorker, ToWorker } from './messages.ts';

/** `self` as a worker sees it; the DOM's types know it as a window. */
const scope = self as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker): void;
};

const WEIGHTS = 'weights/fixed.safetensors';

let stopping: AbortController | undefined;

scope.onmessage = ({ data }) => {
  if (data.type === 'cancel') stopping?.abort();
  else void run(data.extent, data.base);
};

async function run(choice: ExtentChoice, base: string): Promise<void> {
  stopping = new AbortController();
  let device: GPUDevice | undefined;
  try {
    const adapter = await requestAdapter();
    // Before the device: an adapter that gave one has no other use.
    const software = isSoftware(adapter.info);
    const info = { ...adapterText(adapter.info), software, source: 'browser' } as const;
    device = await openDevice(adapter);
    await measureAll(device, info, choice === 'auto' ? (software ? 'trial' : 'usual') : choice, base);
    scope.postMessage({ type: 'end' });
  } catch (error) {
    const cancelled = error instanceof CancelledError;
    scope.postMessage(cancelled ? { type: 'end', cancelled } : { type: 'end', failure: failureOf(error) });
  } finally {
    device?.destroy();
  }
}

async function requestAdapter(): Promise<GPUAdapter> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapterError('WebGPU offers no adapter');
  return adapter;
}

async function measureAll(
  device: GPUDevice,
  adapter: Report['adapter'],
  extent: keyof typeof EXTENTS,
  base: string,
): Promise<void> {
  const found = nothingMeasured(device);
  const head = {
    date: new Date().toISOString().slice(0, 10),
    runtime: browserText(navigator),
    cpu: { cores: navigator.hardwareConcurrency },
    adapter,
    weights: WEIGHTS,
    remarks: [`Measured in a browser by bench.html (extent: ${extent}), whose timestamps may be rounded to 0.1 ms.`],
  };
  const tell = (): void => scope.postMessage({ type: 'found', report: { ...head, ...found, contests: [] } });
  tell();
  const [weights, ...goldens] = await Promise.all([
    fetchBytes(new URL(WEIGHTS, base)),
    ...GOLDENS.map((name) => fetchGolden(name, base)),
  ]);
  await measure(found, {
    device,
    goldens,
    weights,
    extent: EXTENTS[extent],
    signal: stopping!.signal,
    onProgress: (progress) => scope.postMessage({ type: 'progress', ...progress }),
    onFound: tell,
  });
}

async function fetchGolden(name: string, base: string): Promise<Golden> {
  const [stages, weights] = await Promise.all(
    goldenFiles(name).map((file) => fetchBytes(new URL(`goldens/${file}`, base))),
  );
  return parseGolden(name, stages, weights);
}

/** @throws InputError naming a file that is not beside the page. */
async function fetchBytes(url: URL): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new InputError(`${url.pathname} could not be fetched: check the connection`, { cause });
  }
  if (!response.ok) throw new InputError(`${url.pathname} is not beside the page (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}
