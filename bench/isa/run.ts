/**
 * `npm run isa`: what GPUs' compilers say about every kernel implementation of a network, without the GPUs.
 *
 *     npm run isa -- nvidia|apple|adreno|amd [--precision f32|f16] [--chip CHIP] [--weights FILE] [--least 0.01]
 *                    [--json FILE] [--lab FOLDER]
 *
 * A table of registers, spills, threads and instructions, one implementation per line, and how many spill. `--least`
 * leaves out classes with less of the multiply-adds than that. It needs root on x86-64 Debian or Ubuntu. The first run
 * installs a Debian with Mesa's drivers in `--lab` (setup.sh). README.md says what the figures are worth.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DeghostError, GpuError, UsageError } from '../../src/errors.ts';
import { shippedWeightsPath } from '../../src/node/index.ts';
import { parseFile, parseNumber } from '../options.ts';
import { VENDORS, summaryText, tableText } from './vendors.ts';
import type { Compiled, Vendor } from './vendors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Libraries in the lab. */
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/** Mounts this clone, /proc and /dev in the lab, in a namespace that ends with the process, and goes there. */
const ENTER = `
mount --bind "$1" "$2/deghost" && mount --bind /proc "$2/proc" && mount --bind /dev "$2/dev" || exit 1
lab=$2
shift 2
exec chroot "$lab" sh -c 'cd /deghost && exec "$@"' sh "$@"`;

function environment({ shim, manifest, chip }: Vendor, given: string | undefined): string[] {
  return [
    ...(chip ? [`${chip.variable}=${given ?? chip.default}`] : []),
    `LD_PRELOAD=${LIBRARIES}/lib${shim}_noop_drm_shim.so`,
    `VK_DRIVER_FILES=/usr/share/vulkan/icd.d/${manifest}_icd.json`,
    'VK_LAYER_PATH=/layer',
    'VK_INSTANCE_LAYERS=VK_LAYER_DEGHOST_stats',
    'ISA_STATS=/tmp/isa-stats.txt',
    'MESA_SHADER_CACHE_DISABLE=1',
    // NVK refuses to start for GPUs whose conformance was not tested.
    'NVK_I_WANT_A_BROKEN_VULKAN_DRIVER=1',
  ];
}

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      precision: { type: 'string', default: 'f32' },
      chip: { type: 'string' },
      weights: { type: 'string' },
      least: { type: 'string', default: '0' },
      json: { type: 'string' },
      lab: { type: 'string', default: join(homedir(), '.cache/deghost-isa') },
    },
  });
  const vendor = Object.hasOwn(VENDORS, positionals[0] ?? '') ? VENDORS[positionals[0]] : undefined;
  if (!vendor || positionals.length > 1) {
    const list = Object.entries(VENDORS).map(([name, { gpu }]) => `${name} (${gpu})`);
    throw new UsageError(`"${positionals.join(' ')}" is not a vendor: name one of ${list.join(', ')}`);
  }
  const { precision } = values;
  if (precision !== 'f32' && precision !== 'f16')
    throw new UsageError(`--precision is "${precision}", it must be f32 or f16`);
  if (values.chip !== undefined && !vendor.chip)
    throw new UsageError(`--chip: there is one GPU of ${positionals[0]}: leave it out`);
  const least = parseNumber('least', values.least, 0);
  const weights = parseFile('weights', values.weights) ?? shippedWeightsPath(3);
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) {
    throw new UsageError(
      `this needs root on x86-64 Linux, for a chroot: this is ${process.platform} on ${process.arch}, user ` +
        `${process.getuid?.()}`,
    );
  }

  const lab = resolve(values.lab);
  mkdirSync(lab, { recursive: true });
  const setup = spawnSync('bash', [join(ROOT, 'bench/isa/setup.sh'), lab], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (setup.status !== 0)
    throw new UsageError(
      `bench/isa/setup.sh ended with ${setup.status ?? setup.signal}: see above; remove ${lab} to start again`,
    );
  copyFileSync(weights, join(lab, 'tmp/weights.safetensors'));

  const node = [
    'node',
    '--import',
    './node_modules/tsx/dist/loader.mjs',
    'bench/isa/compile.ts',
    precision,
    '/tmp/weights.safetensors',
  ];
  const entered = [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    ENTER,
    'sh',
    ROOT,
    lab,
    'env',
    ...environment(vendor, values.chip),
    ...node,
  ];
  const ran = spawnSync('unshare', entered, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const rows = ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Compiled);
  const said = ran.stderr.trim().split('\n');
  if (ran.status !== 0 || rows.length === 0) {
    const refused = said.find((line) => line.startsWith('refused: '))?.replace('refused: ', '');
    const ended =
      `ended with ${ran.status ?? ran.signal} after ${rows.length} implementations: ` + `${said.slice(-3).join(' | ')}`;
    throw new GpuError(`compiling ${precision} for ${positionals[0]}: ${refused ?? ended}`);
  }
  console.log(`${said.at(-1)}\n\n${tableText(vendor, rows, least)}\n\n${summaryText(vendor, rows)}`);
  if (values.json) {
    const chip = values.chip ?? vendor.chip?.default ?? null;
    const report = { vendor: positionals[0], chip, precision, rows };
    writeFileSync(values.json, `${JSON.stringify(report, null, 1)}\n`);
  }
}

try {
  main();
} catch (error) {
  const isUsage = (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') || error instanceof UsageError;
  console.error(isUsage || error instanceof DeghostError ? `isa: ${(error as Error).message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
