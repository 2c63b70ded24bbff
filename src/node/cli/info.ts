/** `deghost info`: adapters, limits, features, and drivers that could be installed. */
import { bytesText } from '../../bytesText.ts';
import { NoAdapterError, UsageError, throwIfCancelled } from '../../errors.ts';
import { shown } from '../../shown.ts';
import { listAdapters, requestAdapter } from '../adapter.ts';
import type { AdapterInfo } from '../adapter.ts';
import {
  SWIFTSHADER_PACKAGE,
  findSwiftShader,
  refusedLavapipe,
  softwareRemedies,
  vulkanDrivers,
} from '../softwareAdapter.ts';
import type { ParsedArgs } from './args.ts';
import { adapterOption } from './engineOptions.ts';
import { json } from './io.ts';
import { matricesOf } from '../matrices.ts';
import type { CommandIo } from './io.ts';
import { packageVersion } from '../package.ts';

/** Limits that matter for a merge, with WebGPU's defaults, which every adapter has. */
const LIMITS: [name: keyof GPUSupportedLimits & string, standard: number, bytes: boolean][] = [
  ['maxBufferSize', 268435456, true],
  ['maxStorageBufferBindingSize', 134217728, true],
  ['maxUniformBufferBindingSize', 65536, true],
  ['maxComputeWorkgroupStorageSize', 16384, true],
  ['maxStorageBuffersPerShaderStage', 8, false],
  ['maxComputeInvocationsPerWorkgroup', 256, false],
  ['maxComputeWorkgroupSizeX', 256, false],
  ['maxComputeWorkgroupsPerDimension', 65535, false],
  ['maxTextureDimension2D', 8192, false],
  ['maxTextureArrayLayers', 256, false],
];

export async function infoCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  if (args.positionals.length > 0)
    throw new UsageError(
      `"${args.positionals[0]}" is given to deghost info, which takes options alone: see \`deghost info --help\``,
    );
  const choice = adapterOption(args);
  const adapters = await listAdapters();
  throwIfCancelled(io.signal);
  let chosen: AdapterInfo | undefined;
  let refusal: NoAdapterError | undefined;
  try {
    chosen = (await requestAdapter({ software: choice })).info;
  } catch (error) {
    if (!(error instanceof NoAdapterError)) throw error;
    refusal = error;
  }
  throwIfCancelled(io.signal);
  const report = {
    version: packageVersion(),
    runtime: `Node ${process.versions.node}, ${process.platform}-${process.arch}`,
    adapter: chosen ?? null,
    adapters: adapters.map(({ adapter, info }) => ({
      ...info,
      limits: Object.fromEntries(LIMITS.map(([name]) => [name, adapter.limits[name] as number])),
      features: [...adapter.features].sort(),
      subgroups: { min: adapter.info.subgroupMinSize, max: adapter.info.subgroupMaxSize },
      matrices: matrixText(adapter),
    })),
    drivers: vulkanDrivers(),
    swiftshader: findSwiftShader()?.version ?? null,
    install: adapters.some(({ info }) => info.source === 'system') ? [] : softwareRemedies(),
  };
  if (args.flags.has('json')) io.stdout.write(json(report));
  else io.stdout.write(text(report));
  if (refusal) throw refusal;
}

/** The size of the matrices that convolutions can use, `MxNxK`. */
function matrixText(adapter: GPUAdapter): string | null {
  const size = matricesOf(adapter);
  return size ? `${size.m}x${size.n}x${size.k}` : null;
}

function text(report: {
  version: string;
  runtime: string;
  adapter: AdapterInfo | null;
  adapters: (AdapterInfo & {
    limits: Record<string, number>;
    features: string[];
    subgroups: { min: number; max: number };
    matrices: string | null;
  })[];
  drivers: { manifest: string; api: string }[];
  swiftshader: string | null;
  install: string[];
}): string {
  const lines = [`deghost ${report.version}, ${report.runtime}`, ''];
  for (const adapter of report.adapters) {
    const kind =
      `${adapter.software ? 'software' : 'GPU'}, ` +
      `${adapter.source === 'npm' ? `from npm ${SWIFTSHADER_PACKAGE} ${report.swiftshader}` : 'from the system'}`;
    lines.push(`${adapter.name} (${kind})${adapter.name === report.adapter?.name ? '  <- used' : ''}`);
    for (const [name, standard, bytes] of LIMITS) {
      const show = (value: number) => (bytes ? bytesText(value) : String(value));
      const value = adapter.limits[name];
      lines.push(
        `  ${name.padEnd(34)} ` +
          `${show(value).padStart(10)}${value === standard ? '' : `  (WebGPU's default: ${show(standard)})`}`,
      );
    }
    if (adapter.features.includes('subgroups'))
      lines.push(
        `  ${'subgroup size'.padEnd(34)} ${`${adapter.subgroups.min} to ${adapter.subgroups.max}`.padStart(10)}`,
      );
    if (adapter.matrices) lines.push(`  ${'subgroup matrices'.padEnd(34)} ${adapter.matrices.padStart(10)}`);
    lines.push(...wrap(`features: ${adapter.features.join(', ')}`, 100, '  '), '');
  }
  if (report.adapters.length === 0) lines.push('No adapter.', '');
  if (report.drivers.length > 0)
    lines.push(
      'Vulkan drivers the system registers (each serves only where its hardware is)',
      ...report.drivers.map(({ manifest, api }) => `  ${manifest}, Vulkan ${api}`),
      '',
    );
  const old = refusedLavapipe();
  if (old && report.install.length === 0)
    lines.push(`${old.manifest} is a lavapipe too old for WebGPU (Vulkan ${old.api}).`, '');
  if (report.install.length > 0)
    lines.push(
      'Software adapters that could be installed, fastest first',
      ...report.install.map((line) => `  ${line}`),
      '',
    );
  return lines.map(shown).join('\n');
}

function wrap(words: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.length - 1;
    if (last >= 0 && lines[last].length + 1 + word.length <= width) lines[last] += ` ${word}`;
    else lines.push(`${indent}${last >= 0 ? '  ' : ''}${word}`);
  }
  return lines;
}
