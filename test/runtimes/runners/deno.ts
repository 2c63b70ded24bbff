/** The suite in Deno, which runs the TypeScript sources as they are; its WebGPU is wgpu, its WGSL compiler naga. */
import { runSuite } from '../suite.ts';
import { goldenFolder, main, print } from './files.ts';
import { platformDevice, requestPlatformAdapter } from './platform.ts';

await main(async () => {
  const { device, adapter } = await platformDevice();
  await runSuite({
    device,
    requestAdapter: requestPlatformAdapter,
    adapter,
    version: navigator.userAgent.replace('/', ' '),
    goldens: goldenFolder(),
    report: print,
  });
});
