import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// One process, one file at a time, modules shared between files: a software adapter takes seconds to compile a
// pipeline, so the device and its pipelines (test/gpu.ts) are made once for the whole run. On two cores it would not be
// faster in parallel either.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/setUp.ts',
    pool: 'forks',
    // No test may reset modules: the shared device's harness would keep the old ones, beside the new.
    isolate: false,
    fileParallelism: false,
    maxWorkers: 1,
    // Whatever is kept in the user's cache folder, tests run with the defaults.
    env: { DEGHOST_TUNING: join(tmpdir(), `deghost-tuning-${process.pid}.json`) },
    // Generous: with an empty shader cache a software adapter compiles for minutes.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Longer than any one test, shorter than a hung driver would take.
    teardownTimeout: 20_000,
  },
});
