/** A stand-in for a lost device does what a real one does after its loss. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDevice } from '../../src/device.ts';
import { adapterChoice, requestAdapter } from '../../src/node/adapter.ts';
import { LossyGpu } from './lossy.ts';

let real: GPUDevice;
let behind: GPUDevice;

beforeAll(async () => {
  const open = async (): Promise<GPUDevice> =>
    openDevice((await requestAdapter({ software: adapterChoice(process.env.DEGHOST_ADAPTER) })).adapter);
  [real, behind] = [await open(), await open()];
});

afterAll(() => behind?.destroy());

const NOTHING = '@compute @workgroup_size(1) fn main() {}';
const READ = { size: 16, usage: 1 | 8 };

/** What each call gives after a loss, and each wait that began before it. */
async function afterLoss(device: GPUDevice, lose: () => void): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const note = (name: string, work: () => unknown): Promise<void> =>
    (async () => work())().then(
      (value) => void (found[name] = (value as object | null)?.constructor.name ?? value),
      (error: Error) => void (found[name] = `${error.constructor.name} ${error.name}`),
    );
  const { queue } = device;
  const buffer = device.createBuffer(READ);
  const module = device.createShaderModule({ code: NOTHING });
  const waits = [note('an earlier mapAsync', () => buffer.mapAsync(GPUMapMode.READ))];
  device.pushErrorScope('validation');
  lose();
  const made: Record<string, unknown> = {};
  const call = (name: string, work: () => unknown): void => {
    waits.push(note(name, () => (made[name] = work())));
  };
  call('popErrorScope', () => device.popErrorScope());
  call('createBuffer', () => device.createBuffer(READ));
  call('createBuffer, mapped', () => device.createBuffer({ size: 16, usage: 8, mappedAtCreation: true }));
  call('getMappedRange of it', () => (made['createBuffer, mapped'] as GPUBuffer).getMappedRange());
  call('getMappedRange', () => buffer.getMappedRange());
  call('createTexture', () => device.createTexture({ size: [4, 4], format: 'rgba8unorm', usage: 4 }));
  call('createBindGroupLayout', () => device.createBindGroupLayout({ entries: [] }));
  const layout = made.createBindGroupLayout as GPUBindGroupLayout;
  call('createPipelineLayout', () => device.createPipelineLayout({ bindGroupLayouts: [layout] }));
  call('createBindGroup', () => device.createBindGroup({ layout, entries: [] }));
  call('createShaderModule', () => device.createShaderModule({ code: NOTHING }));
  call('createComputePipelineAsync', () => device.createComputePipelineAsync({ layout: 'auto', compute: { module } }));
  call('createCommandEncoder', () => device.createCommandEncoder());
  call('submit', () => queue.submit([(made.createCommandEncoder as GPUCommandEncoder).finish()]));
  call('writeBuffer', () => queue.writeBuffer(made.createBuffer as GPUBuffer, 0, new Uint8Array(16)));
  call('onSubmittedWorkDone', () => queue.onSubmittedWorkDone());
  call('mapAsync', () => (made.createBuffer as GPUBuffer).mapAsync(GPUMapMode.READ));
  call('pushErrorScope', () => device.pushErrorScope('validation'));
  call('popErrorScope of it', () => device.popErrorScope());
  await Promise.all(waits);
  found.lost = (await device.lost).reason;
  return found;
}

it('like the real one', async () => {
  const expected = await afterLoss(real, () => real.destroy());
  const lossy = new LossyGpu(behind);
  const device = await lossy.open();
  expect(await afterLoss(device, () => lossy.opened[0].lose(false, 'destroyed'))).toEqual(expected);
  device.destroy();
  expect(lossy.opened[0].live).toEqual([]);
});
