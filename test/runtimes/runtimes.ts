/**
 * The runtimes that the suite runs in, and how each is started. Each is a process of its own, so that one that crashes
 * or hangs harms no other.
 *
 * Required ones (Node, Node on npm's SwiftShader where that exists, Deno, Chromium) must be there and pass. Optional
 * ones (Bun, Firefox) are listed as absent where they are not installed. "Work" means: the runtime opens a device and
 * runs the suite to its end. An optional one that does not (it crashes, has no WebGPU, finds no adapter) is reported
 * with the reason and fails nothing; one that computes something wrong fails as any other.
 */
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { supportsSwiftShader } from '../../src/node/softwareAdapter.ts';
import { chromiumPath, isExecutable } from '../chromium.ts';
import { errorText } from './events.ts';

export interface Command {
  program: string;
  args: string[];
  env?: Record<string, string>;
}

export interface Runtime {
  name: string;
  /** Must be there and pass. */
  required: boolean;
  /** How to start its runner, or why it is absent. */
  find(): Command | { absent: string };
}

const runner = (file: string): string => fileURLToPath(new URL(`runners/${file}`, import.meta.url));

/** A runner that Node runs. */
function node(file: string, env: Record<string, string> = {}): Command {
  return { program: process.execPath, args: ['--import', 'tsx', runner(file)], env };
}

/** The program that an environment variable names, or the first of `names` on the path. */
function program(
  variable: string,
  names: readonly string[],
  folders: readonly string[] = [],
): string | { absent: string } {
  const given = process.env[variable];
  if (given) return isExecutable(given) ? given : { absent: `${variable} is ${given}, which cannot be run` };
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  return (
    all.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable) ?? {
      absent: `no ${names.join(' or ')} on the path; ${variable}=PATH names one`,
    }
  );
}

const MODULES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

export const RUNTIMES: readonly Runtime[] = [
  { name: 'node', required: true, find: () => node('dawn.ts') },
  {
    name: 'node-swiftshader',
    required: supportsSwiftShader(),
    find: () =>
      supportsSwiftShader()
        ? node('dawn.ts', { DEGHOST_ADAPTER: 'swiftshader' })
        : { absent: 'SwiftShader from npm is for Linux on x64' },
  },
  {
    name: 'deno',
    required: true,
    find() {
      const deno = program('DENO', ['deno'], [MODULES]);
      // --no-lock: package.json would make it write a lock file. Reading is all the permission the suite needs.
      return typeof deno === 'string'
        ? { program: deno, args: ['run', '--no-lock', '--allow-read', runner('deno.ts')] }
        : deno;
    },
  },
  {
    name: 'chromium',
    required: true,
    find() {
      try {
        return node('chromium.ts', { CHROMIUM: chromiumPath() });
      } catch (error) {
        return { absent: errorText(error) };
      }
    },
  },
  {
    name: 'bun',
    required: false,
    find() {
      const bun = program('BUN', ['bun']);
      return typeof bun === 'string' ? { program: bun, args: [runner('dawn.ts')] } : bun;
    },
  },
  {
    name: 'firefox',
    required: false,
    find() {
      const firefox = program('FIREFOX', ['firefox', 'firefox-esr']);
      return typeof firefox === 'string' ? node('firefox.ts', { FIREFOX: firefox }) : firefox;
    },
  },
];
