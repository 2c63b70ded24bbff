/**
 * Adds the toggles of Dawn that DAWN_TOGGLES names (separated by commas) to those that a program asks for. Loaded
 * before the program:
 *
 *     DAWN_TOGGLES=disable_robustness node --import ./bench/gpu/dawnToggles.ts bench/gpu/merges.ts
 *
 * For measurements of what Dawn's checks cost, and of features that it keeps off. The package `webgpu` takes `create`
 * from its native module, which Node loads once; here it is loaded first, and its `create` replaced.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Create = (flags: string[]) => GPU;

const ENABLE = 'enable-dawn-features=';
const toggles = process.env.DAWN_TOGGLES;

if (toggles) {
  const folder = dirname(fileURLToPath(import.meta.resolve('webgpu')));
  const build = `${process.platform}-${process.platform === 'darwin' ? 'universal' : process.arch}`;
  const native = createRequire(import.meta.url)(join(folder, 'dist', build, 'dawn.node')) as { create: Create };
  const { create } = native;
  native.create = (flags) => {
    const asked = flags.filter((flag) => flag.startsWith(ENABLE)).map((flag) => flag.slice(ENABLE.length));
    return create([...flags.filter((flag) => !flag.startsWith(ENABLE)), `${ENABLE}${[...asked, toggles].join(',')}`]);
  };
  const { create: used } = (await import('webgpu')) as unknown as { create: Create };
  if (used !== native.create)
    throw new Error('DAWN_TOGGLES has no effect: this version of the package webgpu loads Dawn in another way');
}
