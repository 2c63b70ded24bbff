/**
 * `npm run check:release -- vX.Y.Z`: what is missing for a release of that version. The release workflow runs it before
 * it publishes.
 *
 * Exit code 1 where something is missing, a line each.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What a release depends on. */
export interface ReleaseFiles {
  manifest: { version?: string; repository?: unknown; bugs?: unknown; homepage?: unknown };
  changelog: string;
  security: string;
}

/** The headings of released versions in a changelog: version and date. */
const HEADING = /^## \[(\d+\.\d+\.\d+(?:-[\w.]+)?)\] - (\d{4}-\d{2}-\d{2})$/gm;

/** What is missing for a release of a tag, one line each. */
export function missing(tag: string | undefined, { manifest, changelog, security }: ReleaseFiles): string[] {
  const found: string[] = [];
  if (!tag || !/^v\d+\.\d+\.\d+(-[\w.]+)?$/.test(tag))
    return [`"${tag ?? ''}" is no tag of a release: name one such as v0.1.0`];
  const version = tag.slice(1);
  if (manifest.version !== version)
    found.push(`package.json has version ${manifest.version}, the tag says ${version}: run \`npm version ${version}\``);
  for (const field of ['repository', 'bugs', 'homepage'] as const) {
    if (!manifest[field]) found.push(`package.json has no ${field}: docs/releasing.md says in which form`);
  }
  const released = [...changelog.matchAll(HEADING)].map(([, name]) => name);
  if (!released.includes(version)) found.push(`CHANGELOG.md has no heading "## [${version}] - YYYY-MM-DD"`);
  else if (released[0] !== version)
    found.push(`CHANGELOG.md has ${released[0]} above ${version}: the newest comes first`);
  if (/nothing has been released yet/i.test(changelog + security))
    found.push('CHANGELOG.md or SECURITY.md says that nothing has been released yet');
  if (/address for reports by mail is not set/i.test(security)) found.push('SECURITY.md has no address for reports');
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  const files = {
    manifest: JSON.parse(read('package.json')) as ReleaseFiles['manifest'],
    changelog: read('CHANGELOG.md'),
    security: read('SECURITY.md'),
  };
  const found = missing(process.argv[2], files);
  for (const line of found) console.error(`check:release: ${line}`);
  process.exitCode = found.length ? 1 : 0;
}
