/**
 * A dispatch small enough to tell only whether an adapter computes; also a program that reports as JSON
 * (adapter.test.ts).
 */
import { pathToFileURL } from 'node:url';
import { adapterChoice, requestAdapter } from '../../src/node/adapter.ts';
import { openDevice } from '../../src/device.ts';

const COUNT = 1000;

/** The sum of 2 * i for i = 0..999, each computed by an invocation. */
export async function double(device: GPUDevice): Promise<number> {
  const code = `
    @group(0) @binding(0) var<storage, read_write> values: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < arrayLength(&values)) { values[id.x] = 2.0 * f32(id.x); }
    }`;
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const values = device.createBuffer({ size: COUNT * 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: COUNT * 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: values } }],
    }),
  );
  pass.dispatchWorkgroups(Math.ceil(COUNT / 64));
  pass.end();
  encoder.copyBufferToBuffer(values, 0, read, 0, COUNT * 4);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const sum = new Float32Array(read.getMappedRange()).reduce((a, b) => a + b, 0);
  values.destroy();
  read.destroy();
  return sum;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    if (process.env.HIDE_SWIFTSHADER) {
      await import('webgpu'); // it picks its binary by the same property
      Object.defineProperty(process, 'arch', { value: 'other' });
    }
    const { adapter, info } = await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) });
    console.log(JSON.stringify({ info, sum: await double(await openDevice(adapter)) }));
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    console.log(JSON.stringify({ code, message }));
  }
}
