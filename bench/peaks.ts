/**
 * What the adapter can do at best: multiply-adds in registers, and bytes copied. Fractions in the tables are of these,
 * measured in the same run.
 */
import type { Gpu } from '../src/device.ts';
import { elementwise } from '../src/kernels/elementwise.ts';
import type { ElementwiseDispatch } from '../src/kernels/elementwise.ts';
import type { Dispatch } from '../src/kernels/program.ts';
import type { View } from '../src/kernels/tensor.ts';
import { median, time } from './timing.ts';

/**
 * Enough independent chains to fill the pipes, few enough for registers; many steps a round, because loops cost
 * something on software adapters.
 */
const CHAINS = 4;
const STEPS = 24;
const ROUNDS = 64;

const range = Array.from({ length: CHAINS }, (_, i) => i);

/** Independent chains of vec4 multiply-adds: only arithmetic takes time. */
const multiplyAdd = elementwise({
  label: 'peak multiply-add',
  inputs: ['input'],
  body: `
  let k = load_input(0u);
  let c = load_input(1u);
${range.map((i) => `  var a${i} = k + ${i}.0;`).join('\n')}
  for (var r = 0u; r < ${ROUNDS}u; r++) {
${Array.from({ length: STEPS }, () => range.map((i) => `    a${i} = a${i} * k + c;`).join(' ')).join('\n')}
  }
  let value = ${range.map((i) => `a${i}`).join(' + ')};`,
});

const copy = elementwise({ label: 'peak copy', inputs: ['input'], body: '  let value = load_input(index);' });

/** Milliseconds of one dispatch: the median of several measurements of many dispatches. */
async function timeDispatch(gpu: Gpu, dispatch: Dispatch, elements: number): Promise<number> {
  const { device } = gpu;
  const { program } = dispatch;
  const layout = device.createBindGroupLayout({ entries: program.layoutEntries(GPUShaderStage.COMPUTE) });
  const module = device.createShaderModule({ label: program.label, code: program.source });
  const pipeline = await device.createComputePipelineAsync({
    label: program.label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module },
  });
  const storage = (size: number): GPUBuffer =>
    device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const params = device.createBuffer({ size: 256, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(params, 0, program.pack(dispatch.params));
  const buffers = [params, storage(elements * 16), storage(elements * 16)];
  // Near one, so that chains neither overflow nor become denormal.
  device.queue.writeBuffer(buffers[1], 0, new Float32Array(8).fill(0.5));
  const group = device.createBindGroup({
    layout,
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const run = async (): Promise<void> => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...dispatch.workgroups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await gpu.wait(device.queue.onSubmittedWorkDone());
  };
  const samples = await time(run, { seconds: 1 });
  buffers.forEach((buffer) => buffer.destroy());
  return median(samples);
}

export interface Peaks {
  /** 1e9 floating-point operations a second, a multiply-add being two. */
  gflops: number;
  /** 1e9 bytes a second, read and written each counted. */
  gbytes: number;
}

/** The better of two measurements: a peak is what the adapter can do when nothing else runs. */
export function best(a: Peaks, b: Peaks): Peaks {
  return { gflops: Math.max(a.gflops, b.gflops), gbytes: Math.max(a.gbytes, b.gbytes) };
}

export async function measurePeaks(gpu: Gpu): Promise<Peaks> {
  const run = (kernel: ElementwiseDispatch, elements: number): Promise<number> => {
    const shape = { channels: 4, height: 1, width: elements };
    const [input, output] = [0, 1].map((buffer): View => ({ shape, dtype: 'f32', buffer, block: 0 }));
    return timeDispatch(gpu, kernel(output, [input]), elements);
  };
  const arithmetic = 2 ** 15;
  const copied = 2 ** 21;
  return {
    gflops: (2 * 4 * CHAINS * STEPS * ROUNDS * arithmetic) / (await run(multiplyAdd, arithmetic)) / 1e6,
    gbytes: (2 * 16 * copied) / (await run(copy, copied)) / 1e6,
  };
}
