/**
 * Compiles every implementation of every class of steps for the GPU whose stub this process sees, and prints what its
 * compiler says, and what its code costs: a `Compiled` a line. lab.ts starts it in the folder that setup.sh makes;
 * nothing runs on the device.
 *
 *     compile.ts VENDOR f32|f16 WEIGHTS CLASSES checked|unchecked
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { capabilitiesOf, deviceCapabilities } from '../../src/device.ts';
import { plan } from '../../src/graph/plan.ts';
import type { Step } from '../../src/graph/plan.ts';
import { loadWeights } from '../../src/index.ts';
import type { Program } from '../../src/kernels/program.ts';
import type { Target } from '../../src/kernels/target.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { openWithMatrices } from '../../src/node/matrices.ts';
import { UNCHECKED_TOGGLES } from '../../src/node/robustness.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import { countsOf } from './counts.ts';
import { DIALECTS, readListing } from './listing.ts';
import type { CodeLoop } from './listing.ts';
import { roundsOf, sourceLoops, workgroupBytes } from './loops.ts';
import { FRAMES, TILE, VENDORS } from './vendors.ts';
import type { Compiled } from './vendors.ts';

const [vendor, precision, weights, classes, checks] = process.argv.slice(2) as [string, DType, string, string, string];
/** The files that the layer writes to (stats.c). */
const STATS = process.env.ISA_STATS!;
const CODE = process.env.ISA_CODE!;

/** What the layer wrote about the pipeline that was made since the file was emptied. */
function readStatistics(): Record<string, number> {
  const lines = readFileSync(STATS, 'utf8').trim().split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(': ')), Number(line.slice(line.lastIndexOf(': ') + 2))]),
  );
}

interface Verdict extends Pick<Compiled, 'ms' | 'statistics' | 'error' | 'uncounted'> {
  listing?: CodeLoop;
}

/** By source. Several classes run one program, and Dawn returns a pipeline that it has instead of compiling again. */
const verdicts = new Map<string, Verdict>();

/** Compiles a program. @returns what the compiler says about it */
async function compile(device: GPUDevice, program: Program): Promise<Verdict> {
  const { source } = program;
  const known = verdicts.get(source);
  if (known) return known;
  writeFileSync(STATS, '');
  writeFileSync(CODE, '');
  const begun = performance.now();
  device.pushErrorScope('validation');
  let failure: string | undefined;
  try {
    const layout = device.createBindGroupLayout({ entries: program.layoutEntries(GPUShaderStage.COMPUTE) });
    const module = device.createShaderModule({ label: program.label, code: source });
    const compute = { module, entryPoint: 'main' };
    await device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute,
    });
  } catch (error) {
    failure = (error as Error).message;
  }
  const error = (await device.popErrorScope())?.message ?? failure;
  const ms = Math.round(performance.now() - begun);
  const statistics = readStatistics();
  const silent = Object.keys(statistics).length === 0 ? 'the compiler said nothing' : undefined;
  const reason = (error ?? silent)?.split('\n')[0];
  const verdict: Verdict = { ms, statistics, ...(reason ? { error: reason } : readCode()) };
  verdicts.set(source, verdict);
  return verdict;
}

/** The code that the layer wrote, or why it cannot be read. */
function readCode(): Pick<Verdict, 'listing' | 'uncounted'> {
  try {
    return { listing: readListing(DIALECTS[vendor], readFileSync(CODE, 'utf8')) };
  } catch (reason) {
    return { uncounted: (reason as Error).message };
  }
}

/** What a step's program costs for each of its multiply-adds, or why that cannot be counted. */
function counted(
  { dispatch, multiplyAdds }: Step,
  { listing, uncounted }: Verdict,
): Pick<Compiled, 'counts' | 'uncounted'> {
  if (multiplyAdds === 0) return {};
  if (!listing) return uncounted ? { uncounted } : {};
  const { program, params, workgroups } = dispatch;
  const workgroup = program.parts.workgroup.reduce((a, b) => a * b);
  const rounds = roundsOf(sourceLoops(program.source, params, workgroup), listing);
  if (!rounds) return { uncounted: "the code's loops are not those of the source, or their bounds are not known" };
  return { counts: countsOf(rounds, multiplyAdds / workgroups.reduce((a, b) => a * b, workgroup)) };
}

/** Ends with a reason, which run.ts passes on. */
function refuse(reason: string): never {
  console.error(`refused: ${reason}`);
  return process.exit(1);
}

Object.assign(globalThis, globals);
const toggles = ['allow_unsafe_apis', ...(checks === 'unchecked' ? UNCHECKED_TOGGLES : [])];
const gpu = create(['backend=vulkan', `enable-dawn-features=${toggles.join()}`]);
const adapter = await gpu.requestAdapter();
if (!adapter) refuse('Dawn finds no adapter: the stub or the driver does not start');
const { info } = adapter;
console.error(`compiler: ${info.description || info.device}`);
if (precision === 'f16' && !adapter.features.has('shader-f16')) refuse('this driver offers no shader-f16: take f32');
const device = await openWithMatrices(adapter);

/** What kernels see of the adapter. Honeykrisp's stub counts as software, by Mesa: kernels must see a GPU of Apple. */
const seen: GPUAdapterInfo = {
  ...info,
  vendor: info.vendor,
  architecture: info.architecture,
  device: info.device,
  description: info.description,
  subgroupMinSize: info.subgroupMinSize,
  subgroupMaxSize: info.subgroupMaxSize,
  isFallbackAdapter: false,
  ...VENDORS[vendor].seen,
};
const { matrices } = deviceCapabilities(device);
const capabilities = { ...capabilitiesOf(seen, device.features), ...(matrices && { matrices }) };
const target: Target = { capabilities, precision };
const { config } = await loadWeights(new Uint8Array(readFileSync(weights)));
for (const { name, implementations, share, graph } of stepClasses(config, FRAMES, TILE, target)) {
  if (!name.includes(classes)) continue;
  for (const [i, implementation] of implementations.entries()) {
    const { steps } = plan(graph, { ...target, choices: new Map([[name, implementation]]) });
    // In f16 the step is between two that convert.
    const step = steps.find(({ op }) => op !== 'copy')!;
    const { program } = step.dispatch;
    const verdict = await compile(device, program);
    const compiled: Compiled = {
      class: name,
      implementation,
      isDefault: i === 0,
      share,
      program: program.label,
      workgroupBytes: workgroupBytes(program.source),
      ms: verdict.ms,
      statistics: verdict.statistics,
      ...(verdict.error && { error: verdict.error }),
      ...counted(step, verdict),
    };
    console.log(JSON.stringify(compiled));
  }
}
// Dawn needs its instance and adapter until the end.
process.exit(gpu && adapter ? 0 : 1);
