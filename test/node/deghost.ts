/**
 * The command line from source, as a program for tests to start. With HIDE_SWIFTSHADER it finds no software adapter of
 * npm's.
 */
import { run } from '../../src/node/cli.ts';

if (process.env.HIDE_SWIFTSHADER) {
  await import('webgpu'); // it picks its binary by the same property
  Object.defineProperty(process, 'arch', { value: 'other' });
}
process.exitCode = await run();
