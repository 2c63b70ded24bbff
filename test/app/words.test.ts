/** The languages of the page: each says everything, and the page's HTML says what English says. */
import { readFileSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { words as german } from '../../app/src/words/de.ts';
import { words as english } from '../../app/src/words/en.ts';

const APP = new URL('../../app/', import.meta.url);

/** Nothing can translate this without JavaScript. */
const NO_SCRIPT = 'deghost runs in your browser and needs JavaScript.';

/** What is the same in both languages. */
const SAME = ['picture.zoom'];

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

it('German has exactly the strings of English, and translates each', () => {
  const [en, de] = [flat(english), flat(german)];
  expect([...de.keys()]).toEqual([...en.keys()]);
  const untranslated = [...en].filter(([key, text]) => de.get(key) === text).map(([key]) => key);
  expect(untranslated).toEqual(SAME);
  expect([...de.values()].filter((text) => plain(text) === '')).toEqual([]);
});

it('index.html shows the English strings that it names', () => {
  const html = readFileSync(new URL('index.html', APP), 'utf8');
  const en = flat(english);
  const tags = [...html.matchAll(/<(\w+)([^>]*?\sdata-(?:text|label)="[^>]*)>([^<]*)/g)];
  const attribute = (text: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(text)?.[1];
  const wrong = tags.flatMap(([, , attributes, content]) => {
    const said: [string | undefined, string | undefined][] = [
      [attribute(attributes, 'data-text'), content],
      [attribute(attributes, 'data-label'), attribute(attributes, 'aria-label')],
    ];
    return said.filter(([key, text = '']) => key !== undefined && plain(en.get(key) ?? '') !== plain(text));
  });
  expect(tags.length).toBeGreaterThan(60);
  expect(wrong).toEqual([]);
  const body = html.replace(/^[\s\S]*<body/, '');
  const unnamed = [...body.matchAll(/<\/?(\w+)([^>]*)>([^<]+)/g)].flatMap(([, , attributes, text]) =>
    attribute(attributes, 'data-text') === undefined ? [plain(text)] : [],
  );
  const unlabelled = [...body.matchAll(/<[^>]*\s(?:aria-label|title|alt|placeholder)="[^"]+"[^>]*>/g)];
  expect(unnamed.filter((text) => /[a-z]{2}/.test(text) && !NAMES.includes(text))).toEqual([]);
  expect(unlabelled.map(([tag]) => tag).filter((tag) => attribute(tag, 'data-label') === undefined)).toEqual([]);
});

it('a language imports types alone, since the page waits for it', () => {
  const folder = new URL('src/words/', APP);
  for (const file of readdirSync(folder).filter((name) => /^[a-z]{2}\.ts$/.test(name)))
    expect(readFileSync(new URL(file, folder), 'utf8').match(/^import (?!type ).*/gm)).toBeNull();
});
