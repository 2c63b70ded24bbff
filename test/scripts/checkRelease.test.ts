/** What a release must not be made without. */
import { describe, expect, it } from 'vitest';
import { missing } from '../../scripts/checkRelease.ts';
import type { ReleaseFiles } from '../../scripts/checkRelease.ts';

const READY: ReleaseFiles = {
  manifest: {
    version: '1.2.0',
    repository: { url: 'git+https://example.org/deghost.git' },
    bugs: { url: 'b' },
    homepage: 'h',
  },
  changelog: '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-31\n\n- new\n\n## [1.1.0] - 2027-01-01\n',
  security: 'Write to security@example.org.',
};

describe('check:release', () => {
  it('finds nothing missing where all is there', () => {
    expect(missing('v1.2.0', READY)).toEqual([]);
  });

  it.each<[string, string | undefined, Partial<ReleaseFiles>, RegExp]>([
    ['no tag', undefined, {}, /^"" is no tag of a release/],
    ['a tag without v', '1.2.0', {}, /^"1\.2\.0" is no tag of a release/],
    [
      'another version',
      'v1.3.0',
      { changelog: '## [1.3.0] - 2027-02-01' },
      /^package\.json has version 1\.2\.0, the tag says 1\.3\.0/,
    ],
    [
      'no repository',
      'v1.2.0',
      { manifest: { ...READY.manifest, repository: undefined } },
      /^package\.json has no repository/,
    ],
    [
      'no heading',
      'v1.2.0',
      { changelog: '## [Unreleased]' },
      /^CHANGELOG\.md has no heading "## \[1\.2\.0\] - YYYY-MM-DD"$/,
    ],
    ['a heading without a date', 'v1.2.0', { changelog: '## [1.2.0]' }, /^CHANGELOG\.md has no heading/],
    [
      'an older version above',
      'v1.2.0',
      { changelog: '## [1.1.0] - 2027-01-01\n## [1.2.0] - 2027-01-31' },
      /^CHANGELOG\.md has 1\.1\.0 above 1\.2\.0/,
    ],
    [
      'a first release that denies itself',
      'v1.2.0',
      { security: 'Nothing has been released yet.' },
      /says that nothing has been released yet$/,
    ],
    [
      'no address for reports',
      'v1.2.0',
      { security: 'An address for reports by mail is not set yet.' },
      /^SECURITY\.md has no address/,
    ],
  ])('%s', (_, tag, change, expected) => {
    expect(missing(tag, { ...READY, ...change })).toEqual([expect.stringMatching(expected)]);
  });
});
