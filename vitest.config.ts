import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { TEMPORARY } from './test/temporary.ts';

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
    env: {
      // Whatever is kept in the user's cache folder, tests run with the defaults.
      DEGHOST_TUNING: join(TEMPORARY, 'tuning.json'),
      // A worker that is ended does not tidy up, so every temporary file is in one folder (test/setUp.ts removes it).
      TMPDIR: TEMPORARY,
      TMP: TEMPORARY,
      TEMP: TEMPORARY,
    },
    // Generous: with an empty shader cache a software adapter compiles for minutes.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Longer than any one test, shorter than a hung driver would take.
    teardownTimeout: 20_000,
  },
});
