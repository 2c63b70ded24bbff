/**
 * Asks the npm registry for known vulnerabilities of what is locked: `npm run audit`.
 *
 * Fails on serious ones (high, critical) of the packages that users install. Those of tools for development are listed.
 * A registry that does not answer audits, as many mirrors do, is said, and is no failure.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What `npm audit --json` says of one package. */
interface Finding {
  severity: string;
  range: string;
  via: ({ title: string; url: string } | string)[];
}

interface Audit {
  vulnerabilities?: Record<string, Finding>;
  message?: string;
}

const FOLDERS = ['.', 'docs/api', 'bench/peers'];
const SERIOUS = ['high', 'critical'];

const root = new URL('../', import.meta.url);

/** The findings of a folder's lock file. @throws Error if npm says nothing that can be read. */
function audit(folder: string, ...options: string[]): Audit {
  const { stdout } = spawnSync('npm', ['audit', '--json', ...options], {
    cwd: new URL(folder, root),
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  try {
    return JSON.parse(stdout) as Audit;
  } catch {
    throw new Error(`npm audit in ${folder} printed no JSON: ${stdout.slice(0, 200)}`);
  }
}

let failures = 0;
for (const folder of FOLDERS) {
  const { name } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, root), 'utf8')) as { name: string };
  const { vulnerabilities, message } = audit(folder);
  if (!vulnerabilities) {
    console.log(`${name} (${folder}): not audited, the registry does not answer: ${message}`);
    continue;
  }
  // Only what the package itself brings along reaches its users.
  const installed = folder === '.' ? (audit(folder, '--omit=dev').vulnerabilities ?? {}) : {};
  const found = Object.entries(vulnerabilities);
  console.log(
    `${name} (${folder}): ${found.length || 'no'} known ${found.length === 1 ? 'vulnerability' : 'vulnerabilities'}`,
  );
  for (const [dependency, { severity, range, via }] of found) {
    const fails = dependency in installed && SERIOUS.includes(severity);
    if (fails) failures++;
    const why = via.map((item) => (typeof item === 'string' ? `by ${item}` : `${item.title} ${item.url}`)).join('; ');
    console.log(`  ${fails ? 'FAILS' : 'noted'}: ${dependency} ${range}, ${severity}: ${why}`);
  }
}
process.exitCode = failures > 0 ? 1 : 0;
