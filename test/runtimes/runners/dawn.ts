/** The suite in Node or Bun, through npm's `webgpu` (Dawn). `DEGHOST_ADAPTER` chooses the adapter. */
import { openDevice } from '../../../src/device.ts';
import { adapterChoice, requestAdapter } from '../../../src/node/adapter.ts';
import { runSuite } from '../suite.ts';
import { goldenFolder, main, print } from './files.ts';

await main(async () => {
  const { adapter, info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
  const device = await openDevice(adapter);
  const { bun, node } = process.versions;
  await runSuite({ device, version: bun ? `Bun ${bun}` : `Node ${node}`, adapter: info.name, goldens: goldenFolder(), platform: false, report: print });
});
