/** What a tuning is kept under: everything that may make another implementation the fastest is part of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/kernels/target.ts';
import { VERSION, adapterName, runtimeKind, tuneKey, implementationsVersion } from '../../src/tune/key.ts';

const INFO = { vendor: 'nvidia', architecture: 'hopper', device: 'H100', description: 'NVIDIA: 550.90 PCIe' };
const TARGET: Target = { capabilities: { subgroupSize: 32, f16: true }, precision: 'f32' };

describe('tuneKey', () => {
  it('names the adapter, the version, the runtime, the precision and the implementations', () => {
    expect(tuneKey(INFO, TARGET, '1.2.3', 'wgpu').split(' | ')).toEqual([
      'nvidia',
      'hopper',
      'H100',
      'NVIDIA: 550.90 PCIe',
      '',
      '',
      'deghost 1.2.3',
      'wgpu',
      'f32',
      expect.stringMatching(/^implementations [0-9a-f]{8}$/),
    ]);
    expect(tuneKey(undefined, {})).toMatch(/^ \|(?: {2}\|){5} deghost /);
  });

  it('changes with each of them', () => {
    const keys = [
      tuneKey(INFO, TARGET, '1.2.3', 'Dawn'),
      tuneKey({ ...INFO, description: 'NVIDIA: 560.35 PCIe' }, TARGET, '1.2.3', 'Dawn'),
      tuneKey({ ...INFO, driver: '560.35' } as typeof INFO, TARGET, '1.2.3', 'Dawn'),
      tuneKey({ ...INFO, device: 'H200' }, TARGET, '1.2.3', 'Dawn'),
      tuneKey({ ...INFO, architecture: 'ampere' }, TARGET, '1.2.3', 'Dawn'),
      tuneKey({ ...INFO, vendor: 'amd' }, TARGET, '1.2.3', 'Dawn'),
      tuneKey(INFO, TARGET, '1.2.4', 'Dawn'),
      tuneKey(INFO, TARGET, '1.2.3', 'wgpu'),
      tuneKey(INFO, { ...TARGET, precision: 'f16' }, '1.2.3', 'Dawn'),
      tuneKey(INFO, { ...TARGET, capabilities: { cpu: true, subgroupSize: 8 } }, '1.2.3', 'Dawn'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(tuneKey({ ...INFO }, { ...TARGET }, '1.2.3', 'Dawn')).toBe(keys[0]);
  });

  it("has package.json's version", () => {
    expect(VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  });
});

describe('implementationsVersion', () => {
  it('is the same for the same implementations, and another where a device has others', () => {
    expect(implementationsVersion(TARGET)).toBe(
      implementationsVersion({ ...TARGET, choices: new Map([['conv2d 3x3 32>32', 'general']]) }),
    );
    expect(implementationsVersion({ capabilities: { cpu: true, subgroupSize: 8 } })).not.toBe(
      implementationsVersion({}),
    );
  });
});

describe('runtimeKind', () => {
  const agent = (userAgent: string) => runtimeKind({ navigator: { userAgent } });

  it('tells whose WebGPU it is', () => {
    expect(runtimeKind({})).toBe('Dawn');
    expect(agent('Node.js/22')).toBe('Dawn');
    expect(runtimeKind({ Deno: {}, navigator: { userAgent: 'Deno/2.9' } })).toBe('wgpu');
    expect(agent('Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0')).toBe('wgpu');
    expect(
      agent('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'),
    ).toBe('Dawn');
    expect(
      agent(
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 ' +
          'Safari/605.1.15',
      ),
    ).toBe('WebKit');
  });
});

describe('adapterName', () => {
  it('is the best that an adapter tells', () => {
    expect(adapterName(INFO)).toBe('NVIDIA: 550.90 PCIe');
    expect(adapterName({ vendor: 'apple', architecture: 'metal-3' })).toBe('apple metal-3');
    expect(adapterName(undefined)).toBe('unnamed adapter');
  });
});
