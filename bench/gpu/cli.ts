/**
 * `deghost` from source, for machines that have no build: `node bench/gpu/cli.ts info` (Node 22.18 or later), or with
 * tsx.
 */
import { run } from '../../src/node/cli.ts';

process.exitCode = await run();
