/**
 * Compiles every implementation of every class of steps for the GPU whose stub this process sees, and prints what its
 * compiler says: a `Compiled` a line. run.ts starts it in the folder that setup.sh makes; nothing runs on the device.
 *
 *     compile.ts f32|f16 WEIGHTS
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { deviceCapabilities } from '../../src/device.ts';
import { plan } from '../../src/graph/plan.ts';
import { loadWeights } from '../../src/index.ts';

import type { Program } from '../../src/kernels/program.ts';
import type { Target } from '../../src/kernels/target.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { openWithMatrices } from '../../src/node/matrices.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import type { Compiled } from './vendors.ts';

const [precision, weights] = process.argv.slice(2) as [DType, string];
/** The file that the layer writes to (stats.c). */
const STATS = process.env.ISA_STATS!;
/** Variants do not depend on the tile's size. */
const TILE = { width: 256, height: 256 };
const FRAMES = 3;

/** What the layer wrote about the pipeline that was made since the file was emptied. */
function readStatistics(): Record<string, number> {
  const lines = readFileSync(STATS, 'utf8').trim().split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(': ')), Number(line.slice(line.lastIndexOf(': ') + 2))]),
  );
}

type Verdict = Pick<Compiled, 'ms' | 'statistics' | 'error'>;

/** By source. Several classes run one program, and Dawn returns a pipeline that it has instead of compiling again. */
const verdicts = new Map<string, Verdict>();

/** Compiles a program. @returns what the compiler says about it */
async function compile(device: GPUDevice, program: Program): Promise<Verdict> {
  const code = program.source;
  const known = verdicts.get(code);
  if (known) return known;
  writeFileSync(STATS, '');
  const begun = performance.now();
  device.pushErrorScope('validation');
  let failure: string | undefined;
  try {
    const layout = device.createBindGroupLayout({ entries: program.layoutEntries(GPUShaderStage.COMPUTE) });
    const module = device.createShaderModule({ label: program.label, code });
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
  const verdict: Verdict = { ms, statistics, ...((error || silent) && { error: (error ?? silent)!.split('\n')[0] }) };
  verdicts.set(code, verdict);
  return verdict;
}

/** Ends with a reason, which run.ts passes on. */
function refuse(reason: string): never {
  console.error(`refused: ${reason}`);
  return process.exit(1);
}

Object.assign(globalThis, globals);
const gpu = create(['backend=vulkan', 'enable-dawn-features=allow_unsafe_apis']);
const adapter = await gpu.requestAdapter();
if (!adapter) refuse('Dawn finds no adapter: the stub or the driver does not start');
const { info } = adapter;
console.error(
  `${info.description || info.device}, ${info.architecture}, subgroups of ${info.subgroupMinSize} to ` +
    `${info.subgroupMaxSize}`,
);
if (precision === 'f16' && !adapter.features.has('shader-f16')) refuse('this driver offers no shader-f16: take f32');
const device = await openWithMatrices(adapter);
// Some stubs count as software.
const { cpu: _, ...capabilities } = deviceCapabilities(device);
const target: Target = { capabilities, precision };
const { config } = await loadWeights(new Uint8Array(readFileSync(weights)));
for (const { name, implementations, share, graph } of stepClasses(config, FRAMES, TILE, target)) {
  for (const [i, implementation] of implementations.entries()) {
    const { steps } = plan(graph, { ...target, choices: new Map([[name, implementation]]) });
    // In f16 the step is between two that convert.
    const { program } = steps.find(({ op }) => op !== 'copy')!.dispatch;
    const compiled: Compiled = {
      class: name,
      implementation,
      isDefault: i === 0,
      share,
      program: program.label,
      ...(await compile(device, program)),
    };
    console.log(JSON.stringify(compiled));
  }
}
// Dawn needs its instance and adapter until the end.
process.exit(gpu && adapter ? 0 : 1);
