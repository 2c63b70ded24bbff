/** The suite in Node or Bun, through npm's `webgpu` (Dawn). `DEGHOST_ADAPTER` chooses the adapter. */
import { openDevice } from '../../../src/device.ts';
import { adapterChoice, requestAdapter, requestDevice } from '../../../src/node/adapter.ts';
import { runSuite } from '../suite.ts';
import { goldenFolder, main, print } from './files.ts';

const software = adapterChoice(process.env.DEGHOST_ADAPTER);

await main(async () => {
  const { adapter, info } = await requestAdapter({ software });
  const device = await openDevice(adapter);
  const { bun, node } = process.versions;
  const version = bun ? `Bun ${bun}` : `Node ${node}`;
  await runSuite({
    device,
    open: () => requestDevice({ software }),
    requestAdapter: async () => (await requestAdapter({ software })).adapter,
    version,
    adapter: info.name,
    goldens: goldenFolder(),
    report: print,
  });
});
