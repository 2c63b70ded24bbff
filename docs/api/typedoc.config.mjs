/**
 * The API reference: every entry of deghost's package.json that has types. Any warning fails the build: a link in a doc
 * comment that leads nowhere, or a function, class or type without a doc comment.
 */
import { readFileSync } from 'node:fs';
import { Converter, ReflectionKind } from 'typedoc';

const root = new URL('../../', import.meta.url);
const { name, exports } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** What programs import, and the source it is compiled from. */
const entries = Object.entries(exports)
  .filter(([, target]) => target.types)
  .map(([path, { types }]) => ({
    imported: path.replace('.', name),
    source: types.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts'),
  }));

/**
 * An entry's header names its module. Without that typedoc would name it after the file, and could take the header for
 * the doc comment of what the file exports first.
 * @throws Error naming the headers that lack it.
 */
function checkModules(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const named = project.getChildrenByKind(ReflectionKind.Module).map((module) => module.name);
    const missing = entries.filter(({ imported }) => !named.includes(imported));
    if (missing.length === 0) return;
    const remedies = missing.map(({ imported, source }) => `put "@module ${imported}" into the header of ${source}`);
    throw new Error(`modules are named ${named.join(', ')}: ${remedies.join('; ')}`);
  });
}

export default {
  name,
  includeVersion: true,
  entryPoints: entries.map(({ source }) => `../../${source}`),
  tsconfig: 'tsconfig.json',
  out: '../../out/api',
  readme: 'none',
  plugin: [checkModules],
  navigation: { includeFolders: false },
  excludeExternals: true,
  excludePrivate: true,
  disableSources: true,
  hideGenerator: true,
  treatWarningsAsErrors: true,
  validation: {
    invalidLink: true,
    notDocumented: true,
    // Types that no entry exports are shown by name only.
    notExported: false,
  },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Function', 'Method'],
};
