/**
 * The suite in a headless Firefox, whose WebGPU is wgpu and naga as Deno's, in other versions. It is started as people
 * start it, with a profile of its own: playwright drives only its own build. `FIREFOX` is the path of its program.
 *
 * Firefox on Linux has WebGPU off, and refuses software adapters: two preferences change that.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerEvent } from '../events.ts';
import { main, print } from './files.ts';
import { runInPage } from './pageServer.ts';

const PREFERENCES: Record<string, boolean | string | number> = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  // Nothing but the page: no first-run tabs, reports, updates or connections of its own.
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
};

await main(async () => {
  const program = process.env.FIREFOX;
  if (!program) throw new Error('FIREFOX is not set: set it to the path of Firefox');
  const version = execFileSync(program, ['--version'], { encoding: 'utf8' })
    .trim()
    .replace(/^Mozilla /, '');
  const named = (event: RunnerEvent): RunnerEvent => (event.type === 'begin' ? { ...event, version } : event);
  const profile = await mkdtemp(join(tmpdir(), 'deghost-firefox-'));
  try {
    const lines = Object.entries(PREFERENCES).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, 'user.js'), `${lines.join('\n')}\n`);
    await runInPage(
      async (url, fail) => {
        const firefox = spawn(program, ['--headless', '--no-remote', '--profile', profile, url], {
          stdio: ['ignore', 'ignore', 'ignore'],
        });
        // Told to stop, it ends Firefox first and then takes its profile away.
        process.once('SIGTERM', () => firefox.kill());
        const exited = new Promise<void>((resolve) => {
          const failed = (problem: string): void => {
            fail(problem);
            resolve();
          };
          firefox.on('error', (error) => failed(`Firefox did not start: ${error.message}`));
          firefox.on('exit', (code, signal) => failed(`Firefox ended with ${signal ?? `code ${code}`}`));
        });
        return async () => {
          firefox.kill();
          await exited;
        };
      },
      (event) => print(named(event)),
    );
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
