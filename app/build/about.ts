/** What the page says of itself: its version, and where its repository is. */

export interface About {
  version: string;
  /** The repository's address, without a slash at its end; empty if it is not known. */
  repository: string;
}

/**
 * @param setting DEGHOST_REPOSITORY: goes before what package.json says.
 * @throws Error for an address that is not https:.
 */
export function aboutOf(
  { version, repository }: { version: string; repository?: string | { url: string } },
  setting: string | undefined,
): About {
  const given = setting || (typeof repository === 'string' ? repository : repository?.url) || '';
  const address = given.replace(/^git\+/, '').replace(/(\.git)?\/?$/, '');
  if (address !== '' && !/^https:\/\/[^\s"'<>]+$/.test(address))
    throw new Error(`the repository's address is "${given}": give DEGHOST_REPOSITORY an https: address, or none`);
  return { version, repository: address };
}
