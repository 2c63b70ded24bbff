/** Counts what lives on a device: buffers, textures and query sets that were created and not destroyed. */

type Method = 'createBuffer' | 'createTexture' | 'createQuerySet';

const METHODS: readonly Method[] = ['createBuffer', 'createTexture', 'createQuerySet'];

/** Watches a device. Call `restore` at the end. */
export function liveObjects(device: GPUDevice): { labels: () => string[]; restore: () => void } {
  const live = new Map<object, string>();
  for (const method of METHODS) {
    const create = (device[method] as (descriptor: unknown) => { destroy(): void }).bind(device);
    Object.assign(device, {
      [method]: (descriptor: GPUObjectDescriptorBase) => {
        const made = create(descriptor);
        live.set(made, descriptor.label ?? method);
        const destroy = made.destroy.bind(made);
        made.destroy = () => {
          live.delete(made);
          destroy();
        };
        return made;
      },
    });
  }
  return {
    labels: () => [...live.values()].sort(),
    // The prototype's own methods are below.
    restore: () => METHODS.forEach((method) => delete (device as Partial<Record<Method, unknown>>)[method]),
  };
}
