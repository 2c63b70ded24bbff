/**
 * The command line's grammar: the options of each command, and a parser that names what is wrong.
 *
 * `parseArgs` splits the arguments. The messages of its strict mode are longer than one line and suggest nothing, so
 * the checks are here.
 */
import { parseArgs } from 'node:util';
import { UsageError } from '../../errors.ts';

/** An option: `string` takes a value, `boolean` does not. */
export interface OptionSpec {
  type: 'string' | 'boolean';
  short?: string;
}
export type OptionSpecs = Record<string, OptionSpec>;

export interface ParsedArgs {
  values: Record<string, string | undefined>;
  flags: Set<string>;
  positionals: string[];
}

/** Options that every command takes. */
export const COMMON = {
  adapter: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} satisfies OptionSpecs;

/** Some of a command's options. */
function pick<K extends string>(options: Record<K, OptionSpec>, names: readonly K[]): Record<K, OptionSpec> {
  return Object.fromEntries(names.map((name) => [name, options[name]])) as Record<K, OptionSpec>;
}

export const MERGE_OPTIONS = {
  ...COMMON,
  output: { type: 'string', short: 'o' },
  ev: { type: 'string' },
  times: { type: 'string' },
  reference: { type: 'string', short: 'r' },
  response: { type: 'string' },
  'save-response': { type: 'string' },
  align: { type: 'string' },
  'skip-misfits': { type: 'boolean' },
  crop: { type: 'boolean' },
  strength: { type: 'string' },
  color: { type: 'string' },
  weights: { type: 'string' },
  method: { type: 'string' },
  motion: { type: 'string' },
  'motion-in': { type: 'string' },
  'moment-in': { type: 'string' },
  preview: { type: 'string' },
  'memory-budget': { type: 'string' },
  'exr-type': { type: 'string' },
  'tiff-type': { type: 'string' },
  tone: { type: 'string' },
  precision: { type: 'string' },
  'no-tune': { type: 'boolean' },
  profile: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
} satisfies OptionSpecs;

export const BATCH_OPTIONS = {
  ...COMMON,
  output: { type: 'string', short: 'o' },
  format: { type: 'string' },
  frames: { type: 'string', short: 'n' },
  shard: { type: 'string' },
  resume: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  preview: { type: 'boolean' },
  ...pick(MERGE_OPTIONS, [
    'reference',
    'response',
    'align',
    'skip-misfits',
    'crop',
    'strength',
    'color',
    'weights',
    'method',
    'memory-budget',
    'exr-type',
    'tiff-type',
    'tone',
    'precision',
    'no-tune',
    'quiet',
  ]),
} satisfies OptionSpecs;

export const ALIGN_OPTIONS = {
  ...COMMON,
  output: { type: 'string', short: 'o' },
  ev: { type: 'string' },
  times: { type: 'string' },
  reference: { type: 'string', short: 'r' },
  align: { type: 'string' },
  color: { type: 'string' },
  crop: { type: 'boolean' },
  format: { type: 'string' },
  'memory-budget': { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} satisfies OptionSpecs;

export const PLAN_OPTIONS = {
  ...COMMON,
  frames: { type: 'string', short: 'n' },
  limits: { type: 'string' },
  wgsl: { type: 'string' },
  size: { type: 'string' },
  method: { type: 'string' },
  reference: { type: 'string', short: 'r' },
  weights: { type: 'string' },
  precision: { type: 'string' },
  'memory-budget': { type: 'string' },
  'max-binding': { type: 'string' },
  'hand-held': { type: 'boolean' },
} satisfies OptionSpecs;

export const TUNE_OPTIONS = {
  ...COMMON,
  frames: { type: 'string', short: 'n' },
  weights: { type: 'string' },
  precision: { type: 'string' },
  limit: { type: 'string' },
  only: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} satisfies OptionSpecs;

export const EVALUATE_OPTIONS = {
  ...COMMON,
  json: { type: 'string' },
  pictures: { type: 'string' },
  weights: { type: 'string' },
  reference: { type: 'string', short: 'r' },
  response: { type: 'string' },
  frames: { type: 'string' },
  method: { type: 'string' },
  candidate: { type: 'string' },
  static: { type: 'boolean' },
  'truth-scale': { type: 'string' },
  'peak-luminance': { type: 'string' },
  precision: { type: 'string' },
  'memory-budget': { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
} satisfies OptionSpecs;

export const CONVERT_OPTIONS = {
  ...pick(COMMON, ['json', 'help']),
  output: { type: 'string', short: 'o' },
  map: { type: 'string' },
  'save-map': { type: 'string' },
  variant: { type: 'string' },
  config: { type: 'string' },
  layout: { type: 'string' },
  dtype: { type: 'string' },
  'dry-run': { type: 'boolean' },
  all: { type: 'boolean' },
  quiet: { type: 'boolean', short: 'q' },
} satisfies OptionSpecs;

export const INFO_OPTIONS = COMMON;

/** Lists of exposures may start with a minus sign; other values may not, unless joined with `=`. */
const NUMERIC = /^-[\d.]/;

/**
 * Splits `args` by `specs`.
 * @throws UsageError naming the unknown, repeated or incomplete option and the probable intention.
 */
export function parseCommand(args: readonly string[], specs: OptionSpecs, command: string): ParsedArgs {
  const { tokens } = parseArgs({
    args: [...args],
    options: specs,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const parsed: ParsedArgs = { values: {}, flags: new Set(), positionals: [] };
  for (const token of tokens) {
    if (token.kind === 'positional') parsed.positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (!spec)
      throw new UsageError(
        `unknown option ${rawName}${suggestion(name, Object.keys(specs), '--')}: see \`deghost ${command} --help\``,
      );
    if (parsed.flags.has(name) || parsed.values[name] !== undefined)
      throw new UsageError(`option ${rawName} is given twice: give it once`);
    if (spec.type === 'boolean') {
      if (value !== undefined)
        throw new UsageError(`option ${rawName} takes no value, got "${value}": write ${rawName} alone`);
      parsed.flags.add(name);
      continue;
    }
    const missing =
      value === undefined || value === '' || (!token.inlineValue && value.startsWith('-') && !NUMERIC.test(value));
    if (missing) {
      const remedy = value
        ? `, got "${value}"; write ${rawName}=${value} if that is the value`
        : `: see \`deghost ${command} --help\``;
      throw new UsageError(`option ${rawName} needs a value${remedy}`);
    }
    parsed.values[name] = value;
  }
  return parsed;
}

/** `, did you mean …?` for the word of `known` that is closest, or nothing if none is close. */
export function suggestion(word: string, known: readonly string[], prefix = ''): string {
  let best = '';
  let least = Math.max(1, Math.floor(word.length / 2.5)) + 1;
  for (const name of known) {
    const distance = editDistance(word, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best ? `, did you mean ${prefix}${best}?` : '';
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, rows[i - 2][j - 2] + 1);
      rows[i].push(cost);
    }
  }
  return rows[a.length][b.length];
}

/** One of `choices`, or `fallback` when the option is absent. */
export function choiceOption<T extends string>(args: ParsedArgs, name: string, choices: readonly T[], fallback: T): T {
  const value = args.values[name];
  if (value === undefined) return fallback;
  if (!(choices as readonly string[]).includes(value))
    throw new UsageError(`--${name} is "${value}"${suggestion(value, choices)}: choose one of ${choices.join(', ')}`);
  return value as T;
}

/**
 * A whole number from `min` to `max`, or undefined when the option is absent. @param or what else the option accepts,
 * for the message.
 */
export function integerOption(args: ParsedArgs, name: string, min: number, max: number, or = ''): number | undefined {
  const text = args.values[name];
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(
      `--${name} is "${text}": it must be a whole number from ${min} to ${max}${or && `, or ${or}`}`,
    );
  return value;
}

/** A number from `min` to `max`, or undefined when the option is absent. */
export function numberOption(args: ParsedArgs, name: string, min: number, max: number): number | undefined {
  const text = args.values[name];
  if (text === undefined) return undefined;
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`--${name} is "${text}": it must be a number from ${min} to ${max}`);
  return value;
}

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
};

/** Bytes written as `536870912`, `512MiB`, `1.5GiB`, `500MB`, or undefined when the option is absent. */
export function bytesOption(args: ParsedArgs, name: string): number | undefined {
  const text = args.values[name];
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = match && UNITS[match[2].toLowerCase()];
  const bytes = match && unit ? Math.floor(Number(match[1]) * unit) : NaN;
  if (!(bytes > 0) || !Number.isSafeInteger(bytes))
    throw new UsageError(`--${name} is "${text}": write a size such as 512MiB, 1.5GiB or 536870912`);
  return bytes;
}

/** `6000x4000` as width and height, of at most `maxPixels`. */
export function sizeArgument(text: string, maxPixels: number): { width: number; height: number } {
  const match = /^(\d{1,9})[x×](\d{1,9})$/i.exec(text);
  const [width, height] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (!(width > 0 && height > 0))
    throw new UsageError(`size is "${text}": write WIDTHxHEIGHT in pixels, such as 6000x4000`);
  if (width * height > maxPixels)
    throw new UsageError(
      `size is ${text} (${Math.round((width * height) / 1e6)} megapixels): at most ${Math.floor(maxPixels / 1e6)} ` +
        'megapixels are merged',
    );
  return { width, height };
}
