/** Compiles for a GPU in the folder that setup.sh makes. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GpuError, UsageError } from '../../src/errors.ts';
import { VENDORS, targetName } from './vendors.ts';
import type { Compiled, Report, Target } from './vendors.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Libraries in the lab. */
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const WEIGHTS = '/tmp/weights.safetensors';
/** Where the lab has the layer of this version. */
const LAYER = `layer-${createHash('sha256')
  .update(readFileSync(join(ROOT, 'bench/isa/stats.c')))
  .digest('hex')
  .slice(0, 12)}`;

/** Mounts this clone, /proc and /dev in the lab, in a namespace that ends with the process, and goes there. */
const ENTER = `
mount --bind "$1" "$2/deghost" && mount --bind /proc "$2/proc" && mount --bind /dev "$2/dev" || exit 1
lab=$2
shift 2
exec chroot "$lab" sh -c 'cd /deghost && exec "$@"' sh "$@"`;

/** Makes the lab if it is not there, and copies the weights into it. @throws UsageError where that is not possible. */
export function setUp(lab: string, weights: string): void {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) {
    throw new UsageError(
      `this needs root on x86-64 Linux, for a chroot: this is ${process.platform} on ${process.arch}, user ` +
        `${process.getuid?.()}`,
    );
  }
  mkdirSync(lab, { recursive: true });
  const setup = spawnSync('bash', [join(ROOT, 'bench/isa/setup.sh'), lab, LAYER], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (setup.status !== 0)
    throw new UsageError(
      `bench/isa/setup.sh ended with ${setup.status ?? setup.signal}: see above; remove ${lab} to start again`,
    );
  copyFileSync(weights, join(lab, WEIGHTS));
}

/** What the layer writes, in the lab: a file of its own for each process and target. */
function outputs(target: Target): { stats: string; code: string } {
  const name = `/tmp/isa-${process.pid}-${targetName(target).replaceAll(' ', '-')}`;
  return { stats: `${name}.stats`, code: `${name}.code` };
}

function environment(target: Target): string[] {
  const { shim, manifest, variable, environment: own } = VENDORS[target.vendor];
  const { stats, code } = outputs(target);
  return [
    ...(variable ? [`${variable}=${target.chip}`] : []),
    ...(own ? [own] : []),
    `LD_PRELOAD=${LIBRARIES}/lib${shim}_noop_drm_shim.so`,
    `VK_DRIVER_FILES=/usr/share/vulkan/icd.d/${manifest}_icd.json`,
    `VK_LAYER_PATH=/${LAYER}`,
    'VK_INSTANCE_LAYERS=VK_LAYER_DEGHOST_stats',
    `ISA_STATS=${stats}`,
    `ISA_CODE=${code}`,
    'MESA_SHADER_CACHE_DISABLE=1',
    // NVK refuses to start for GPUs whose conformance was not tested.
    'NVK_I_WANT_A_BROKEN_VULKAN_DRIVER=1',
  ];
}

/** A process's output, and how it ended. */
function run(command: string, args: readonly string[]): Promise<{ out: string; said: string; status: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ out, said: said.trim(), status: String(code ?? signal) }));
  });
}

/**
 * Compiles every implementation of classes whose name holds `classes` for a target.
 * @throws GpuError if the process ends early, with what it said.
 */
export async function compileFor(target: Target, lab: string, classes: string): Promise<Report> {
  const script = ['node', '--import', './node_modules/tsx/dist/loader.mjs', 'bench/isa/compile.ts'];
  const { out, said, status } = await run('unshare', [
    ...['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'sh', ROOT, lab, 'env', ...environment(target)],
    ...[...script, target.vendor, target.precision, WEIGHTS, classes, target.unchecked ? 'unchecked' : 'checked'],
  ]);
  for (const written of Object.values(outputs(target))) rmSync(join(lab, written), { force: true });
  const rows = out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Compiled);
  const lines = said.split('\n');
  if (status !== '0' || rows.length === 0) {
    const refused = lines.find((line) => line.startsWith('refused: '))?.replace('refused: ', '');
    const ended = `ended with ${status} after ${rows.length} implementations: ${lines.slice(-3).join(' | ')}`;
    throw new GpuError(`compiling for ${targetName(target)}: ${refused ?? ended}`);
  }
  const compiler = lines.find((line) => line.startsWith('compiler: '))?.replace('compiler: ', '') ?? '';
  return { ...target, compiler, rows };
}
