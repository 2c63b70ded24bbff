/**
 * The suite that every runtime runs: all goldens through the public API, every kernel's cases, then what is on the
 * device. It imports nothing but the library's core and the tests' references; files come through a function, the
 * device from the caller.
 */
import { goldenFiles, goldensAmong, isWhole, parseGolden } from '../reference/golden.ts';
import type { Golden } from '../reference/golden.ts';
import { TooFarError } from '../reference/random.ts';
import { KERNEL_CHECKS } from '../kernels/checks.ts';
import { KERNEL_TOLERANCE } from '../kernels/kernelCheck.ts';
import { FUSED_CHECKS } from '../kernels/fusedChecks.ts';
import { KernelHarness } from '../kernels/harness.ts';
import { deviceChecks } from './deviceChecks.ts';
import { errorText } from './events.ts';
import type { Report, TestResult } from './events.ts';
import { GOLDEN_TOLERANCE, checkGolden } from './goldenCheck.ts';

/** The golden files, wherever they are. */
export interface GoldenFolder {
  /** Names of all files. */
  files: readonly string[];
  read(file: string): Promise<Uint8Array>;
}

export interface SuiteOptions {
  device: GPUDevice;
  /** Opens another device. Absent where there is `navigator.gpu`: then the library must find one by itself. */
  open?: () => Promise<GPUDevice>;
  requestAdapter: () => Promise<GPUAdapter>;
  /** The runtime's name and version, and its adapter's, for the report. */
  version: string;
  adapter: string;
  goldens: GoldenFolder;
  report: Report;
}

/** The golden whose weights device checks take: the smallest network. */
const THIN = 'fixed-halo';

interface Test {
  name: string;
  group: TestResult['group'];
  tolerance: number;
  /** @returns the worst difference. @throws TooFarError where it is beyond the tolerance. */
  run(): Promise<number>;
}

/**
 * Runs everything and reports each result. A failed test does not stop it; a lost device does.
 * @throws when the device is lost, or when there are no goldens.
 */
export async function runSuite({
  device,
  open,
  requestAdapter,
  version,
  adapter,
  goldens,
  report,
}: SuiteOptions): Promise<void> {
  // Every failure of the GPU must reach the library's caller; one that does not is a separate bug.
  const stray: string[] = [];
  device.addEventListener('uncapturederror', (event) => stray.push(event.error.message));
  let lost: GPUDeviceLostInfo | undefined;
  void device.lost.then((info) => (lost = info));

  const all = goldensAmong(goldens.files);
  if (all.length === 0) throw new Error(`no goldens among ${goldens.files.length} files: is test/goldens complete?`);
  const read = async (name: string): Promise<Golden> => {
    const [stages, weights] = await Promise.all(goldenFiles(name).map((file) => goldens.read(file)));
    return parseGolden(name, stages, weights);
  };
  const names: string[] = [];
  for (const name of all) if (isWhole((await read(name)).config)) names.push(name);
  const kernels = new KernelHarness(device);
  const tests: Test[] = [
    ...names.map(
      (name): Test => ({
        name: `golden ${name}`,
        group: 'golden',
        tolerance: GOLDEN_TOLERANCE,
        run: async () => checkGolden(await read(name), device),
      }),
    ),
    ...[...KERNEL_CHECKS, ...FUSED_CHECKS]
      .filter(({ needs }) => !needs || kernels.capabilities[needs])
      .map(
        (check): Test => ({
          name: check.name,
          group: 'kernel',
          tolerance: check.tolerance ?? KERNEL_TOLERANCE,
          run: () => check.run(kernels),
        }),
      ),
  ];
  for (const { name, tolerance, run } of deviceChecks(device)) {
    tests.push({
      name,
      group: 'device',
      tolerance,
      run: async () => run({ golden: await read(THIN), device, open, requestAdapter }),
    });
  }
  tests.push({
    name: "no GPU error outside the library's error scopes",
    group: 'device',
    tolerance: 0,
    run: async () => expectNone(stray),
  });

  await report({ type: 'begin', version, adapter, tests: tests.length });
  for (const test of tests) {
    await report({ type: 'test', name: test.name });
    await report({ type: 'result', result: await runTest(test) });
    if (lost) throw new Error(`the device was lost: ${lost.message.trim().split('\n')[0] || lost.reason}`);
  }
  kernels.dispose();
  await report({ type: 'end' });
}

async function runTest({ name, group, tolerance, run }: Test): Promise<TestResult> {
  const begun = performance.now();
  const result = { name, group, tolerance };
  try {
    const error = await run();
    return { ...result, error, ms: performance.now() - begun, ok: error <= tolerance };
  } catch (cause) {
    // JSON has no Infinity; such a large difference says as little as none.
    const share = cause instanceof TooFarError && Number.isFinite(cause.share) ? cause.share : null;
    return { ...result, error: share, ms: performance.now() - begun, ok: false, message: errorText(cause) };
  }
}

function expectNone(stray: readonly string[]): number {
  if (stray.length > 0) throw new Error(`${stray.length} reported, the first: ${stray[0].trim().split('\n')[0]}`);
  return 0;
}
