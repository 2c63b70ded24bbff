/** The languages of the page: each says everything, and the page's HTML says what English says. */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { words as german } from '../../app/src/words/de.ts';
import { words as english } from '../../app/src/words/en.ts';

const APP = new URL('../../app/', import.meta.url);

/** Nothing can translate this without JavaScript. */
const NO_SCRIPT = 'deghost runs in your browser and needs JavaScript.';

/** What index.html says without naming a string: names, and what is set before it is seen. */
const NAMES = ['Display P3', 'Rec. 2020', 'Radiance .hdr', 'Ultra HDR', 'normal', 'deghost', '48 px', NO_SCRIPT];

/** Every string of a language by its key; functions by their text. */
function flat(words: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(words).flatMap(([key, value]): [string, string][] =>
      typeof value === 'object' && value !== null ? [...flat(value, `${path}${key}.`)] : [[path + key, String(value)]],
    ),
  );
}

const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

describe.each([['German', german, ['picture.zoom']]])('%s', (_, language, same) => {
  it('has exactly the strings of English, and translates each', () => {
    const [en, other] = [flat(english), flat(language)];
    expect([...other.keys()]).toEqual([...en.keys()]);
    // What is the same in both languages is listed.
    expect([...en].filter(([key, text]) => other.get(key) === text).map(([key]) => key)).toEqual(same);
    expect([...other.values()].filter((text) => plain(text) === '')).toEqual([]);
  });
});

/** What no person can do on the page. */
const ELSEWHERE = /--\w|estimate the response|use it for this one|in the order given|\boptions?\b/i;

describe.each([
  ['English', english],
  ['German', german],
])('a warning in %s', (_, language) => {
  const kinds = Object.keys(english.warnings) as (keyof typeof english.warnings)[];

  it.each(kinds)('says what can be done on the page: %s', (kind) => {
    const text = language.warning(kind, 'What was found.', [0, 2]);
    expect(text).not.toMatch(ELSEWHERE);
    expect(text).not.toBe('What was found.');
    // What is quoted is on the page.
    const labels = [...flat(language.frames).values()];
    const quoted = [...text.matchAll(/[“„]([^”“]+)[”“]/g)].map(([, label]) => label);
    expect(quoted.filter((label) => !labels.includes(label))).toEqual([]);
    if (kind === 'weak-response') expect(quoted).toEqual([language.frames.curve]);
  });
});

it('index.html names the languages that there are', () => {
  const html = readFileSync(new URL('index.html', APP), 'utf8');
  const files = readdirSync(new URL('src/words/', APP)).flatMap((name) => /^([a-z]{2})\.ts$/.exec(name)?.[1] ?? []);
  expect(/data-languages="([^"]*)"/.exec(html)?.[1].split(' ').sort()).toEqual(files.sort());
  const manifest = JSON.parse(readFileSync(new URL('public/manifest.webmanifest', APP), 'utf8'));
  expect([manifest.lang, ...Object.keys(manifest.description_localized)].sort()).toEqual(files);
});

it('index.html shows the English strings that it names', () => {
  const html = readFileSync(new URL('index.html', APP), 'utf8');
  const en = flat(english);
  const tags = [...html.matchAll(/<(\w+)([^>]*?\sdata-(?:text|label|alt)="[^>]*)>([^<]*)/g)];
  const attribute = (text: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(text)?.[1];
  const wrong = tags.flatMap(([, , attributes, content]) => {
    const said: [string | undefined, string | undefined][] = [
      [attribute(attributes, 'data-text'), content],
      [attribute(attributes, 'data-label'), attribute(attributes, 'aria-label')],
      [attribute(attributes, 'data-alt'), attribute(attributes, 'alt')],
    ];
    return said.filter(([key, text = '']) => key !== undefined && plain(en.get(key) ?? '') !== plain(text));
  });
  expect(tags.length).toBeGreaterThan(60);
  expect(wrong).toEqual([]);
  // What is seen where no script runs cannot be translated.
  const body = html.replace(/^[\s\S]*<body/, '').replace(/<div id="unserved">[\s\S]*?<\/div>/, '');
  const unnamed = [...body.matchAll(/<\/?(\w+)([^>]*)>([^<]+)/g)].flatMap(([, , attributes, text]) =>
    attribute(attributes, 'data-text') === undefined ? [plain(text)] : [],
  );
  const unlabelled = [...body.matchAll(/<[^>]*\s(?:aria-label|title|alt|placeholder)="[^"]+"[^>]*>/g)].filter(
    ([tag]) => attribute(tag, 'data-label') === undefined && attribute(tag, 'data-alt') === undefined,
  );
  expect(unnamed.filter((text) => /[a-z]{2}/.test(text) && !NAMES.includes(text))).toEqual([]);
  expect(unlabelled.map(([tag]) => tag)).toEqual([]);
});

it('the page’s code holds no text of its own', () => {
  const places = String.raw`\b(?:textContent|innerText|title|text|label|alt|placeholder|ariaLabel)\s*[:=]`;
  const calls = String.raw`\b(?:announce|append)\(|'(?:aria-label|aria-valuetext|title|alt)',`;
  const text = new RegExp(`(?:${places}|${calls})\\s*['"\`][^'"\`]*[a-zA-Z]{3}.*`, 'g');
  const files = ['src', 'src/ui', 'src/batch', 'src/offline', 'src/kept'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, APP)).flatMap((name) => (name.endsWith('.ts') ? [`${folder}/${name}`] : [])),
  );
  const found = files.flatMap((file) => {
    let code = readFileSync(new URL(file, APP), 'utf8');
    // What is put into a text is not its own.
    for (let before = ''; before !== code; ) [before, code] = [code, code.replace(/\$\{[^{}]*\}/g, '')];
    return code.match(text) ?? [];
  });
  expect(files.length).toBeGreaterThan(30);
  expect(found).toEqual(['textContent = `deghost `;']);
});

it('a language imports types alone, since the page waits for it', () => {
  const folder = new URL('src/words/', APP);
  for (const file of readdirSync(folder).filter((name) => /^[a-z]{2}\.ts$/.test(name)))
    expect(readFileSync(new URL(file, folder), 'utf8').match(/^import (?!type ).*/gm)).toBeNull();
});
