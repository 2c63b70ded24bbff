/** What GPUs of each vendor choose from: few implementations, but enough, for every class of a merge. */
import { describe, expect, it } from 'vitest';
import { capabilitiesOf } from '../../src/device.ts';
import { VENDORS } from '../../src/kernels/target.ts';
import { stepClasses } from '../../src/tune/classes.ts';
import { FIXED } from '../cases/networks.ts';

describe.each([undefined, ...VENDORS])('on a GPU of %s', (vendor) => {
  const target = { capabilities: vendor ? { vendor } : {} };
  const classes = stepClasses(FIXED, 3, { width: 64, height: 64 }, target).filter(({ name }) =>
    name.startsWith('conv2d'),
  );

  it('every 3x3 class has four to ten implementations, `direct` first, and the others at most ten', () => {
    expect(classes.length).toBeGreaterThan(10);
    for (const { name, implementations } of classes) {
      if (name.includes('3x3')) expect(implementations.length, name).toBeGreaterThanOrEqual(4);
      expect(implementations.length, name).toBeLessThanOrEqual(10);
      expect(implementations[0], name).toMatch(/^direct /);
    }
  });

  it("Winograd's method is there for 3x3, unless the result is pooled", () => {
    for (const { name, implementations } of classes)
      expect(
        implementations.some((implementation) => implementation.startsWith('winograd')),
        name,
      ).toBe(name.includes('3x3') && !name.includes('pool'));
  });

  it('several dilations run apart', () => {
    for (const { name, implementations } of classes)
      if (name.includes('dilations'))
        expect(implementations.filter((implementation) => !implementation.includes('apart'))).toEqual([]);
  });
});

describe('in f16 on a GPU of AMD', () => {
  const target = { precision: 'f16', capabilities: { vendor: 'amd', f16: true } } as const;
  const classes = stepClasses(FIXED, 3, { width: 64, height: 64 }, target).filter(({ name }) =>
    name.startsWith('conv2d'),
  );

  it('packed halves come first, and there are at most two tiles of each method', () => {
    expect(classes.length).toBeGreaterThan(10);
    for (const { name, implementations } of classes) {
      const methods = implementations.map((implementation) => implementation.replace(/ \S+$/, ''));
      for (const method of methods) expect(methods.filter((other) => other === method).length, name).toBeLessThan(3);
      const isHalves = /3x3/.test(name) && !/encoder|pair|picture/.test(name);
      expect(methods[0].startsWith('direct halves'), name).toBe(isHalves);
    }
  });
});

describe('the vendor', () => {
  const info = (parts: Partial<GPUAdapterInfo>): GPUAdapterInfo =>
    ({ vendor: '', architecture: '', device: '', description: '', ...parts }) as GPUAdapterInfo;
  const none = new Set<string>() as unknown as GPUSupportedFeatures;

  it.each([
    [{ vendor: 'nvidia', architecture: 'lovelace' }, 'nvidia'],
    [{ vendor: 'apple', architecture: 'metal-3' }, 'apple'],
    [{ vendor: 'mesa', device: 'apple-m1-g13g-a0-' }, 'apple'],
    [{ description: 'NVIDIA GeForce RTX 4090' }, 'nvidia'],
    [{ vendor: 'img-tec' }, undefined],
    [{ vendor: 'mesa', description: 'llvmpipe on an AMD processor' }, undefined],
  ])('of %o is %s', (parts, vendor) => {
    expect(capabilitiesOf(info(parts), none).vendor).toBe(vendor);
  });

  it('of an adapter that tells nothing is not known', () => {
    expect(capabilitiesOf(undefined, none).vendor).toBeUndefined();
  });
});
