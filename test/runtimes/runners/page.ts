/** The suite in a browser's page: files come from the server that served it, events go back there (pageServer.ts). */
import { errorText } from '../events.ts';
import type { RunnerEvent } from '../events.ts';
import { runSuite } from '../suite.ts';
import { platformDevice, requestPlatformAdapter } from './platform.ts';

async function post(event: RunnerEvent): Promise<void> {
  const response = await fetch('/events', { method: 'POST', body: JSON.stringify(event) });
  if (!response.ok) throw new Error(`POST /events: ${response.status} ${response.statusText}`);
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${response.statusText}`);
  return response;
}

async function run(): Promise<void> {
  const files = (await (await get('/goldens/')).json()) as string[];
  const read = async (file: string): Promise<Uint8Array> =>
    new Uint8Array(await (await get(`/goldens/${file}`)).arrayBuffer());
  const { device, adapter } = await platformDevice();
  await runSuite({
    device,
    requestAdapter: requestPlatformAdapter,
    adapter,
    version: navigator.userAgent,
    goldens: { files, read },
    report: post,
  });
}

run().catch((error: unknown) => post({ type: 'error', message: errorText(error) }));
