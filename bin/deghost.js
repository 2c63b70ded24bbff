#!/usr/bin/env node
// The command, compiled by `npm run build` (which `npm ci` runs in a clone).
import { existsSync } from 'node:fs';

const cli = new URL('../dist/node/cli.js', import.meta.url);
if (existsSync(cli)) {
  const { run } = await import(cli.href);
  process.exitCode = await run();
} else {
  console.error('deghost: not built yet: run `npm ci`, or `npm run build`, in its folder');
  process.exitCode = 1;
}
