/**
 * Devices without Dawn's own checks of accesses and divisions. Every dispatch on such a device must be proved first
 * (proof/prove.ts): the engine asks for that at each (`Gpu.check`).
 */
import { GpuError, plainText } from '../errors.ts';
import { capabilitiesOf } from '../device.ts';
import type { DispatchCheck } from '../device.ts';
import { provedParams, refusalOf } from './proof/prove.ts';
import type { BoundSize } from './proof/prove.ts';

/**
 * What is switched off: that indices are kept inside, and that integers are not divided by zero. Workgroup memory is
 * still zeroed, since no proof is made that it is written before it is read.
 */
export const UNCHECKED_TOGGLES = ['disable_robustness', 'disable_polyfills_on_integer_div_and_mod'];

/** A dispatch was refused on a device without robustness. */
export class UnprovedAccessError extends GpuError {
  /** The program. */
  readonly program: string;

  constructor(program: string, why: string) {
    super(
      `${plainText(program)}: this device checks no accesses, and it was not proved that all lie inside ` +
        `(${plainText(why)}): use a device with robustness`,
    );
    this.name = 'UnprovedAccessError';
    this.program = program;
  }
}

/** The size of what a dispatch binds; undefined if it is not known. */
function sizeOf(bound: Parameters<DispatchCheck>[1][number]): BoundSize | undefined {
  if ('buffer' in bound) {
    const { buffer, offset = 0, size = buffer.size - offset } = bound;
    return { bytes: size };
  }
  if ('size' in bound) return { bytes: bound.size };
  return 'width' in bound && 'height' in bound ? { width: bound.width, height: bound.height } : undefined;
}

/** The check of a device. Verdicts are kept: tiles and merges repeat dispatches. */
function checkOf(device: GPUDevice): DispatchCheck {
  const { subgroupSize } = capabilitiesOf(device.adapterInfo, device.features);
  const verdicts = new Map<string, string | undefined>();
  return ({ program, params, workgroups }, bound) => {
    const sizes = Object.fromEntries(Object.keys(program.bindings).map((name, i) => [name, sizeOf(bound[i])]));
    const key = JSON.stringify([
      program.source,
      provedParams(program, params, program.parts.params),
      workgroups,
      sizes,
    ]);
    if (!verdicts.has(key))
      verdicts.set(key, refusalOf({ program, params, workgroups, sizes, ...(subgroupSize && { subgroupSize }) }));
    const why = verdicts.get(key);
    if (why !== undefined) throw new UnprovedAccessError(program.label, why);
  };
}

/** Gives the devices of an adapter, of an instance with `UNCHECKED_TOGGLES`, their check. */
export function withProofs(adapter: GPUAdapter): void {
  const request = adapter.requestDevice.bind(adapter);
  Object.assign(adapter, {
    requestDevice: async (descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> => {
      const device = await request(descriptor);
      return Object.assign(device, { checkDispatch: checkOf(device) });
    },
  });
}
